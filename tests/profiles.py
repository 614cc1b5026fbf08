"""Colour profiles, made from what the ICC's format says, and the colours that they stand for."""

from __future__ import annotations

import struct

import numpy as np

SRGB = np.array(
    [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.7141]]
)
ADOBE_RGB = np.array(
    [[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]]
)
DISPLAY_P3 = np.array(
    [[0.51512, 0.29198, 0.1571], [0.2412, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]]
)
"""CIE XYZ of red, green and blue, one a column, adapted to the profiles' white."""

GAMMA = 563 / 256
"""Adobe RGB's; close to the others'."""


def rgb_profile(primaries: np.ndarray) -> bytes:
    curve = b"curv" + struct.pack(">IIHxx", 0, 1, round(256 * GAMMA))
    columns = [b"XYZ " + struct.pack(">Iiii", 0, *_fixed(column)) for column in primaries.T]
    tags = dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True))
    return _profile(
        b"mntr", b"RGB ", b"XYZ ", tags | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    )


def gray_profile(gamma: float) -> bytes:
    curve = b"curv" + struct.pack(">IIHxx", 0, 1, round(256 * gamma))
    return _profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": curve})


def cmyk_profile() -> bytes:
    """Inks that are all gray."""
    identity = bytes(range(256))
    inks = np.stack(np.meshgrid(*[[0, 1]] * 4, indexing="ij"), axis=-1).reshape(16, 4)
    lightness = (255 * (1 - inks[:, 3]) * (1 - inks[:, :3].mean(1))).round().astype(int)
    table = b"mft1" + struct.pack(">IBBBx9i", 0, 4, 3, 2, *_fixed(np.eye(3).ravel()))
    table += 4 * identity + bytes(v for lightest in lightness for v in (lightest, 128, 128))
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": table + 3 * identity})


def as_srgb(levels: np.ndarray, primaries: np.ndarray) -> np.ndarray:
    """What `levels` of `rgb_profile(primaries)`, uint8 […, 3], are in sRGB: float 0 to 255."""
    linear = np.linalg.inv(SRGB) @ primaries @ ((levels / 255) ** GAMMA)[..., None]
    return encode(linear[..., 0].clip(0, 1))


def encode(linear: np.ndarray) -> np.ndarray:
    """Light of 0 to 1 as levels of sRGB, float 0 to 255."""
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def _fixed(values: np.ndarray) -> list[int]:
    return [round(65536 * value) for value in values]


def _profile(kind: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    white = struct.pack(">iii", *_fixed(np.array([0.9642, 1, 0.8249])))
    tags = {b"wtpt": b"XYZ " + bytes(4) + white} | tags
    header = bytes(4) + b"\x02\x40\0\0" + kind + space + connection + bytes(12) + b"acsp"
    header = bytes(4) + header + bytes(28) + white
    place = 128 + 4 + 12 * len(tags)
    table, content = struct.pack(">I", len(tags)), b""
    for name, tag in tags.items():
        tag += bytes(-len(tag) % 4)
        table += name + struct.pack(">II", place + len(content), len(tag))
        content += tag
    profile = header.ljust(128, b"\0") + table + content
    return struct.pack(">I", len(profile)) + profile[4:]
