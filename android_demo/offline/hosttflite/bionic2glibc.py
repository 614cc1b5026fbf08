"""Android's ELF libraries made loadable by glibc, by edits that keep every length."""

from __future__ import annotations

import struct

SHIM = "libB.so"
"""What stands where "libc.so" stood: as long a name."""

_AARCH64 = 183  # e_machine
_PT_LOAD, _PT_DYNAMIC = 1, 2
_DT_NULL, _DT_NEEDED, _DT_STRTAB, _DT_STRSZ = 0, 1, 5, 10
_DT_VERSIONS = (0x6FFFFFF0, 0x6FFFFFFC, 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF)
_DT_IGNORED = 0x6FFFFEF0
"""A tag that no linker gives a meaning."""

_DROPPED = {b"libm.so", b"libdl.so", b"liblog.so", b"libandroid.so", b"libEGL.so", b"libGLESv2.so"}
"""Libraries that glibc has under other names, which the shim links, or that are not called."""

_RENAMED = {
    b"libc.so": SHIM.encode(),
    b"fprintf": b"FPRintf",
    b"vfprintf": b"VFPRintf",
    b"fputc": b"FPUtc",
    b"fflush": b"FFLush",
    b"fileno": b"FILEno",
    b"fwrite": b"FWRite",
    b"strerror_r": b"STRerror_r",
    b"sysconf": b"SYSconf",
}
"""Imports whose binary interface differs, and what shim.c calls its own."""

_RENAMED_ARM = {b"pthread_mutex_init": b"PTHread_mutex_init"}


def patch(library: bytes) -> bytes:
    """A 64-bit little-endian library with its imports led to glibc and the shim."""
    content = bytearray(library)
    entries, strings, size = _dynamic(content)
    table = bytes(content[strings : strings + size])
    for place, tag, value in entries:
        name = table[value : table.index(b"\0", value)] if tag == _DT_NEEDED else b""
        if name in _DROPPED or tag in _DT_VERSIONS:
            struct.pack_into("<QQ", content, place, _DT_IGNORED, 0)
    machine = struct.unpack_from("<H", content, 18)[0]
    renamed = _RENAMED | (_RENAMED_ARM if machine == _AARCH64 else {})
    for old, new in renamed.items():
        found = table.find(b"\0" + old + b"\0")
        if found >= 0:
            start = strings + found + 1
            content[start : start + len(old)] = new
    return bytes(content)


def _dynamic(content: bytearray) -> tuple[list[tuple[int, int, int]], int, int]:
    """The dynamic section's (place, tag, value), and place and size of its strings."""
    offset = struct.unpack_from("<Q", content, 32)[0]
    size, count = struct.unpack_from("<HH", content, 54)
    segments = [struct.unpack_from("<IIQQQQ", content, offset + i * size) for i in range(count)]
    place = next(start for kind, _, start, *_ in segments if kind == _PT_DYNAMIC)
    entries = []
    while (entry := struct.unpack_from("<QQ", content, place))[0] != _DT_NULL:
        entries.append((place, *entry))
        place += 16
    values = {tag: value for _, tag, value in entries}
    address = values[_DT_STRTAB]
    strings = next(
        address - virtual + start
        for kind, _, start, virtual, _, length in segments
        if kind == _PT_LOAD and virtual <= address < virtual + length
    )
    return entries, strings, values[_DT_STRSZ]
