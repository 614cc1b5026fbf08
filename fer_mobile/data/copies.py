"""Faces that occur more than once: exact copies, and pictures that are nearly the same."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

CORRELATION: Final = 0.975
"""From this correlation of their pixels at `_SIDE` px on, two faces are nearly the same: video
frames of a moment, and re-encoded, resized or slightly cropped copies."""

_SIDE: Final = 16
_ROWS: Final = 512
"""Faces compared with all others at a time."""


def find_copies(
    keys: Sequence[Hashable], split: NDArray[np.int8], labels: Sequence[Hashable]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Which train rows have a copy elsewhere, and which labels are certain.

    `keys` [N] are equal for equal pictures.  Returns, as `RawFaces` has them, `copy_of`
    (uint8 [N], bit 1 a copy is in valid, bit 2 one is in test; of train rows) and
    `label_certain` (bool [N], False where train has the picture under several labels).
    """
    rows_of: dict[Hashable, list[int]] = {}
    for row, key in enumerate(keys):
        rows_of.setdefault(key, []).append(row)
    copy_of, certain = np.zeros(len(keys), np.uint8), np.ones(len(keys), bool)
    for rows in rows_of.values():
        train = [row for row in rows if split[row] == 0]
        if not train or len(rows) == 1:
            continue
        elsewhere = {int(split[row]) for row in rows} & {1, 2}
        copy_of[train] = sum({1: 1, 2: 2}[number] for number in elsewhere)
        certain[train] = len({labels[row] for row in train}) == 1
    return copy_of, certain


def near_copies(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """A group for every face uint8 [N, H, W]: int64 [N], the first row that is nearly the same.

    Faces are compared pairwise at 16×16 px, so that N faces take N² steps: 0.3 s for 5,000.
    """
    small = np.stack(
        [
            np.asarray(Image.fromarray(image).resize((_SIDE, _SIDE), Image.Resampling.BOX))
            for image in images
        ]
    ).reshape(len(images), -1)
    vectors = small.astype(np.float32)
    vectors -= vectors.mean(1, keepdims=True)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    parents = np.arange(len(images))

    def root(row: int) -> int:
        while parents[row] != row:
            parents[row] = parents[parents[row]]
            row = int(parents[row])
        return row

    for start in range(0, len(images), _ROWS):
        block = vectors[start : start + _ROWS] @ vectors[start:].T
        for one, other in zip(*np.nonzero(block >= CORRELATION), strict=True):
            first, second = root(start + int(one)), root(start + int(other))
            if first != second:
                parents[max(first, second)] = min(first, second)
    return np.array([root(row) for row in range(len(images))], np.int64)
