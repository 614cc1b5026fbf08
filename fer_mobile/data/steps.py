"""Preprocessing steps that the studies tried before the network (thesis, table 4).

A recipe names them, in order, in `data.preprocessing`; training, validation and every later
evaluation of the run apply them.  No contract has any, so such a run is not exported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import cv2
import numpy as np

from fer_mobile.errors import DataError, choose
from fer_mobile.preprocess import resize

Step = Callable[[np.ndarray], np.ndarray]
"""From one gray face uint8 [H, W] to another, perhaps of another size."""


def _difference_of_gaussians(face: np.ndarray) -> np.ndarray:
    """What lies between two blurs, four times as strong, about middle gray."""
    narrow, wide = (cv2.GaussianBlur(face.astype(np.float32), (0, 0), s) for s in (1.0, 2.0))
    lines: np.ndarray = np.clip(np.rint(128 + 4 * (narrow - wide)), 0, 255).astype(np.uint8)
    return lines


def _gamma(gamma: float) -> Step:
    table = np.rint(255 * (np.arange(256) / 255) ** gamma).astype(np.uint8)
    return lambda face: table[face]


STEPS: Final[dict[str, Step]] = {
    "equalize": lambda face: np.asarray(cv2.equalizeHist(face)),
    "dog": _difference_of_gaussians,
    "gamma-0.75": _gamma(0.75),
    "resize-98": lambda face: resize(face, 98),
}
"""Every step by name: histogram equalisation, difference of Gaussians (sigma 1 and 2), gamma
correction, a resize to 98 px."""


def apply_steps(faces: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Faces uint8 [N, H, W] after the steps called `names`; DataError for an unknown one."""
    for name in names:
        step = choose("preprocessing step", name, STEPS, DataError)
        faces = np.stack([step(face) for face in faces])
    return faces
