"""The bundled golden faces: real faces, permitted to be shipped, for calibration and proof.

`faces.png` is a mosaic of gray 64×64 crops (see README.md beside it for where they
come from and under which licence).  Every export records what its float checkpoint gives for
them, so any machine can check the file without the training data.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from fer_mobile.preprocess import resize

SIDE: Final = 64
"""Height and width of a stored face in pixels."""

_MOSAIC: Final = Path(__file__).resolve().parent / "faces.png"


@cache
def _stored() -> np.ndarray:
    with Image.open(_MOSAIC) as mosaic:
        pixels = np.asarray(mosaic.convert("L"))
    rows, columns = pixels.shape[0] // SIDE, pixels.shape[1] // SIDE
    tiles = pixels.reshape(rows, SIDE, columns, SIDE).swapaxes(1, 2).reshape(-1, SIDE, SIDE)
    filled: np.ndarray = tiles[tiles.any((1, 2))]  # the last row may have empty places
    return filled


def golden_faces(size: int) -> np.ndarray:
    """The golden faces at a model's input size: uint8 [N, size, size]."""
    return np.stack([resize(face, size) for face in _stored()])
