"""What JPEG and PNG files hold besides the picture: where it is, and the files without it."""

from __future__ import annotations

import os
from typing import BinaryIO, Final

MOST_EXIF: Final = 16
"""EXIF segments of 64 kB that a JPEG may have; one is usual."""

_NEEDED_CHUNKS: Final = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"eXIf", b"IEND")

Range = tuple[int, int]
"""Bytes of a file from the first to before the second."""


def list_extra_exif(file: BinaryIO) -> list[Range]:
    """The EXIF segments of a JPEG after the first `MOST_EXIF`."""
    segments: list[Range] = []
    place = 2
    while True:
        file.seek(place)
        head = file.read(10)
        if len(head) < 4 or head[0] != 0xFF or head[1] in (0xD9, 0xDA):  # the end, or the pixels
            return segments[MOST_EXIF:]
        if head[1] in (0xFF, 0x01) or 0xD0 <= head[1] <= 0xD8:  # padding; markers without a length
            place += 1 if head[1] == 0xFF else 2
            continue
        end = place + 2 + int.from_bytes(head[2:4])
        if head[1] == 0xE1 and head[4:] == b"Exif\0\0":
            segments.append((place, end))
        place = end


def list_png_metadata(file: BinaryIO) -> list[Range]:
    """The chunks of a PNG that say nothing about its pixels or its orientation.

    Where there are none, its colour profile, without which it can be read too.
    """
    size = file.seek(0, os.SEEK_END)
    chunks: list[Range] = []
    profiles: list[Range] = []
    place = 8
    while place < size:
        file.seek(place)
        head = file.read(8)
        end = place + 12 + int.from_bytes(head[:4])
        if head[4:] == b"iCCP":
            profiles.append((place, min(end, size)))
        elif head[4:] not in _NEEDED_CHUNKS:
            chunks.append((place, min(end, size)))
        place = end
    return chunks or profiles


def join_ranges(file: BinaryIO, left_out: list[Range]) -> bytes:
    """The content of a file without the ranges `left_out`, which are in order and apart."""
    file.seek(0)
    content = memoryview(file.read())
    parts, place = [], 0
    for start, end in left_out:
        parts.append(content[place:start])
        place = end
    return b"".join([*parts, content[place:]])
