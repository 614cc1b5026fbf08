"""Faces that stay in their files until a batch needs them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fer_mobile.errors import PhotoError
from fer_mobile.images import load_photo
from fer_mobile.preprocess import CropRule, face_pixels, resize, to_gray
from fer_mobile.types import Box

_AS_GIVEN = CropRule(scale=1.0, shift_y=0.0)


def load_face(path: Path, box: Box | None, side: int) -> np.ndarray:
    """The face of a photo as a gray square uint8 [side, side].

    Without a box, the photo is the face: its middle square is taken.  Raises PhotoError.
    """
    image = load_photo(path).rgb
    if box is not None:
        return face_pixels(image, box, side, _AS_GIVEN)
    return resize(middle_square(to_gray(image)), side)


def middle_square(gray: np.ndarray) -> np.ndarray:
    """The largest square [S, S] in the middle of a gray image [H, W]."""
    short = min(gray.shape)
    top, left = (gray.shape[0] - short) // 2, (gray.shape[1] - short) // 2
    return gray[top : top + short, left : left + short]


class FaceFiles:
    """N faces as an array uint8 [N, side, side] that is read piece by piece.

    Indexing decodes what it returns, every time; `rows` picks faces without decoding any.  A
    file that cannot be decoded is a middle gray face and a warning: it must not stop a training.
    """

    def __init__(self, paths: Sequence[Path], boxes: Sequence[Box | None], side: int) -> None:
        self._paths, self._boxes, self._side = list(paths), list(boxes), side

    @property
    def shape(self) -> tuple[int, int, int]:
        """As of the array: (N, side, side)."""
        return len(self._paths), self._side, self._side

    def __len__(self) -> int:
        return len(self._paths)

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self._load(i) for i in range(len(self)))

    def __getitem__(self, rows: np.ndarray | slice) -> np.ndarray:
        chosen = np.arange(len(self))[rows]
        out = np.empty((len(chosen), self._side, self._side), np.uint8)
        for place, row in enumerate(chosen):
            out[place] = self._load(int(row))
        return out

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[:].astype(dtype or np.uint8, copy=False)

    def rows(self, rows: np.ndarray) -> FaceFiles:
        """Some of the faces (indices or bool [N])."""
        chosen = np.arange(len(self))[rows]
        return FaceFiles(
            [self._paths[i] for i in chosen], [self._boxes[i] for i in chosen], self._side
        )

    def _load(self, row: int) -> np.ndarray:
        try:
            return load_face(self._paths[row], self._boxes[row], self._side)
        except PhotoError as error:
            warnings.warn(f"a gray face in place of {error}", stacklevel=2)
            return np.full((self._side, self._side), 128, np.uint8)
