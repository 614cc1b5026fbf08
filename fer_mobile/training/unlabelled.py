"""Faces without labels, from which a student learns what its teachers predict."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_mobile.arrays import NPZ_ERRORS, open_npz
from fer_mobile.data import Dataset
from fer_mobile.errors import RecipeError
from fer_mobile.preprocess import resize


@dataclass(frozen=True, slots=True)
class Unlabelled:
    """Faces that only teachers label."""

    images: NDArray[np.uint8]
    """uint8 [N, S, S], of the size of the labelled faces."""
    targets: NDArray[np.float32] | None
    """float32 [N, labels], soft targets that came with the faces; rows sum to 1."""

    def __len__(self) -> int:
        return len(self.images)


def load_unlabelled(path: str | Path, learn: Dataset) -> Unlabelled:
    """Read the faces of an npz file, to be learned beside the rows of `learn`.

    The file holds `images` uint8 [N, S, S], gray framed faces of any size, and may hold
    `targets` [N, labels] for the labels of the dataset, in its order.

    Raises RecipeError for a file that cannot be read or whose targets are of other labels.
    """
    path = Path(path)
    classes = len(learn.names)
    try:
        with open_npz(path) as content:
            images = content["images"]
            targets = content.get("targets")
        if images.dtype != np.uint8 or images.ndim != 3 or not len(images):
            raise ValueError(f"images {images.dtype} {list(images.shape)}")
        if images.shape[1] != images.shape[2]:
            raise ValueError(f"faces of {images.shape[1]}×{images.shape[2]} px")
        if targets is not None:
            targets = _distributions(targets, (len(images), classes))
    except NPZ_ERRORS as error:
        raise RecipeError(
            "distillation.unlabelled",
            expected=f"an npz file of images uint8 [N, S, S], and targets [N, {classes}] if any",
            found=f"{path}: {str(error) or type(error).__name__}",
        ) from error
    side = learn.images.shape[1]
    if images.shape[1] != side:
        images = np.stack([resize(face, side) for face in images])
    return Unlabelled(images, targets)


def _distributions(targets: NDArray[np.floating], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Targets whose rows sum to 1; ValueError for others."""
    found: NDArray[np.float32] = targets.astype(np.float32)
    sums = found.sum(-1, keepdims=True)
    if found.shape != shape or (found < 0).any() or not (np.abs(sums - 1) < 0.01).all():
        raise ValueError(f"targets {list(found.shape)}, or rows that do not sum to 1")
    rows: NDArray[np.float32] = found / sums
    return rows
