"""Faces that stay in their files until a batch needs them."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_mobile.errors import DataError, PhotoError
from fer_mobile.files import open_regular
from fer_mobile.images import load_photo
from fer_mobile.preprocess import CropRule, check_boxes, face_pixels, resize, to_gray
from fer_mobile.types import Box

SMALLEST: Final = 16
"""Pixels of a face's shorter side below which no expression can be read from it."""

_AS_GIVEN = CropRule(scale=1.0, shift_y=0.0)


class TooSmallError(PhotoError):
    """A face of fewer than `SMALLEST` px."""


def load_face(path: Path, box: Box | None, side: int) -> NDArray[np.uint8]:
    """The face of a photo as a gray square uint8 [side, side].

    Without a box, the photo is the face: its middle square is taken.  Raises PhotoError for a
    file that cannot be decoded or a box far larger than the photo, TooSmallError for a face of
    fewer than `SMALLEST` px, and DataError for a box whose centre is outside the photo.
    """
    photo = load_photo(path)
    width, height = photo.size
    if min((box.width, box.height) if box else (width, height)) < SMALLEST:
        raise TooSmallError(
            path,
            expected=f"a face of at least {SMALLEST} px",
            found=f"{box.width:.0f}×{box.height:.0f}" if box else f"{width}×{height}",
        )
    if box is None:
        return resize(middle_square(to_gray(photo.rgb)), side)
    x, y = box.x + box.width / 2, box.y + box.height / 2
    if not (0 <= x < width and 0 <= y < height):
        raise DataError(
            path,
            expected=f"a box inside the photo of {width}×{height} px",
            found=", ".join(f"{value:g}" for value in box),
        )
    check_boxes([box], photo, "the dataset")
    return face_pixels(photo.rgb, box, side, _AS_GIVEN)


def middle_square(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The largest square [S, S] in the middle of a gray image [H, W]."""
    short = min(gray.shape)
    top, left = (gray.shape[0] - short) // 2, (gray.shape[1] - short) // 2
    return gray[top : top + short, left : left + short]


class FaceFiles:
    """N faces as an array uint8 [N, side, side] that is read piece by piece.

    Indexing decodes what it returns, every time; `rows` picks faces without decoding any.  A
    file that cannot be decoded is a middle gray face and a warning: it must not stop a
    training.  `decode` names such files instead.
    """

    def __init__(self, paths: Sequence[Path], boxes: Sequence[Box | None], side: int) -> None:
        self._paths, self._boxes, self._side = list(paths), list(boxes), side

    @property
    def shape(self) -> tuple[int, int, int]:
        """As of the array: (N, side, side)."""
        return len(self._paths), self._side, self._side

    def __len__(self) -> int:
        return len(self._paths)

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        return (self._load(i) for i in range(len(self)))

    def __getitem__(self, rows: NDArray[Any] | slice) -> NDArray[np.uint8]:
        chosen = np.arange(len(self))[rows]
        out = np.empty((len(chosen), self._side, self._side), np.uint8)
        for place, row in enumerate(chosen):
            out[place] = self._load(int(row))
        return out

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self[:].astype(dtype or np.uint8, copy=False)

    def rows(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> FaceFiles:
        """Some of the faces (indices or bool [N])."""
        chosen = np.arange(len(self))[rows]
        return FaceFiles(
            [self._paths[i] for i in chosen], [self._boxes[i] for i in chosen], self._side
        )

    def decode(self) -> tuple[NDArray[np.uint8], dict[int, PhotoError]]:
        """All faces uint8 [N, side, side], and by row why one could not be read (gray there)."""
        out = np.full(self.shape, 128, np.uint8)
        failed: dict[int, PhotoError] = {}
        for row, (path, box) in enumerate(zip(self._paths, self._boxes, strict=True)):
            try:
                out[row] = load_face(path, box, self._side)
            except PhotoError as error:
                failed[row] = error
        return out, failed

    def keys(self) -> list[tuple[bytes, Box | None]]:
        """A key for every face, equal for those of files with the same bytes and the same box."""
        digests: dict[Path, bytes] = {}
        for path in self._paths:
            if path not in digests:
                try:
                    with open_regular(path) as file:
                        digests[path] = hashlib.file_digest(file, "blake2b").digest()[:16]
                except OSError:
                    digests[path] = str(path).encode("utf-8", "surrogateescape")
        return [(digests[p], box) for p, box in zip(self._paths, self._boxes, strict=True)]

    def _load(self, row: int) -> NDArray[np.uint8]:
        try:
            return load_face(self._paths[row], self._boxes[row], self._side)
        except PhotoError as error:
            warnings.warn(f"a gray face in place of {error}", stacklevel=2)
            return np.full((self._side, self._side), 128, np.uint8)
