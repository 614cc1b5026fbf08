"""The bundled faces: real faces, permitted to be shipped, for calibration and proof.

Mosaics of gray 64×64 crops (README.md beside them says where they come from and under which
licence).  `faces.png` are the golden faces, which calibrate; with `expressive_faces.png`, which
show more labels, they are the reference faces.  Every export records what its float checkpoint
gives for these, so any machine can check the file without the training data.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from fer_mobile.arrays import Pixels
from fer_mobile.preprocess import resize

SIDE: Final = 64
"""Height and width of a stored face in pixels."""

GOLDEN: Final = Path(__file__).resolve().parent / "faces.png"
EXPRESSIVE: Final = GOLDEN.with_name("expressive_faces.png")
"""Its faces follow the golden ones, so that reference outputs of these alone stay valid."""


@cache
def _tiles(mosaic: Path) -> Pixels:
    with Image.open(mosaic) as image:
        pixels = np.asarray(image.convert("L"))
    rows, columns = pixels.shape[0] // SIDE, pixels.shape[1] // SIDE
    tiles = pixels.reshape(rows, SIDE, columns, SIDE).swapaxes(1, 2).reshape(-1, SIDE, SIDE)
    filled: Pixels = tiles[tiles.any((1, 2))]  # the last row may have empty places
    return filled


def golden_faces(size: int, numbers: Sequence[int] | None = None) -> Pixels:
    """The golden faces, or some by their numbers, at a model's size: uint8 [N, size, size]."""
    faces = _tiles(GOLDEN)
    chosen = faces if numbers is None else faces[list(numbers)]
    return np.stack([resize(face, size) for face in chosen])


def reference_faces(size: int) -> Pixels:
    """The faces of the reference outputs, the golden ones first: uint8 [N, size, size]."""
    return np.stack([resize(face, size) for path in (GOLDEN, EXPRESSIVE) for face in _tiles(path)])
