"""The preprocessing steps that the thesis tried before its baseline (003, table 4).

The import registers them: histogram equalisation, difference of Gaussians, gamma correction,
a resize to 98 px.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_mobile.data.steps import STEPS, Step
from fer_mobile.preprocess import resize


def equalize(face: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A face uint8 [H, W] with its histogram equalised."""
    return np.asarray(cv2.equalizeHist(face), np.uint8)


def difference_of_gaussians(face: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What lies between two blurs (sigma 1 and 2 px), four times as strong, about middle gray.

    The thesis does not print its sigmas.
    """
    narrow, wide = (cv2.GaussianBlur(face.astype(np.float32), (0, 0), s) for s in (1.0, 2.0))
    lines: NDArray[np.float32] = np.clip(np.rint(128 + 4 * (narrow - wide)), 0, 255)
    return lines.astype(np.uint8)


def gamma(exponent: float) -> Step:
    """The step that raises gray values (0 to 1) to the power `exponent`."""
    table = np.rint(255 * (np.arange(256) / 255) ** exponent).astype(np.uint8)
    return lambda face: table[face]


def enlarge(face: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A face uint8 [H, W] as [98, 98]."""
    return resize(face, 98)


STEPS.register("equalize", equalize)
STEPS.register("dog", difference_of_gaussians)
STEPS.register("gamma-0.75", gamma(0.75))
STEPS.register("resize-98", enlarge)
