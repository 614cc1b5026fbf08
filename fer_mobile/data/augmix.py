"""AugMix (Hendrycks et al., 2020) for gray faces, without its Jensen-Shannon loss.

Three chains of one to three simple changes start from a face; their results are mixed by
weights of a Dirichlet distribution, and the mixture with the face itself by one of a beta
distribution.  The changes are the paper's, none of which is among the usual corruptions of
test images: autocontrast, equalisation, posterisation, solarisation, tilt, shear, shift.
The loss of the paper compares three variants of a face, which makes a step three times as
dear; its ablation has most of the gain without it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_mobile.arrays import Pixels

CHAINS: Final = 3
DEPTH: Final = 3
"""The longest chain."""


def augmix(faces: Pixels, severity: float, rng: np.random.Generator) -> Pixels:
    """Mixtures of changed faces: uint8 [N, H, W] in and out, the same for the same `rng` state.

    `severity` is the strongest level of a change, up to 10; the paper takes 3.
    """
    count = len(faces)
    weights = rng.dirichlet(np.ones(CHAINS), count)
    shares = rng.beta(1, 1, count)
    depths = rng.integers(1, DEPTH + 1, (count, CHAINS))
    choices = rng.integers(0, len(_CHANGES), (count, CHAINS, DEPTH))
    levels = rng.uniform(min(0.1, severity), severity, choices.shape) / 10
    levels *= rng.choice((-1.0, 1.0), choices.shape)
    mixed = np.empty_like(faces)
    for i, face in enumerate(faces):
        sum_ = (1 - shares[i]) * face
        for chain in range(CHAINS):
            changed = face
            for step in range(depths[i, chain]):
                changed = _CHANGES[choices[i, chain, step]](changed, levels[i, chain, step])
            sum_ += shares[i] * weights[i, chain] * changed
        mixed[i] = sum_ + 0.5
    return mixed


def _autocontrast(face: Pixels, _: float) -> Pixels:
    low, high = cv2.minMaxLoc(face)[:2]
    if low == high:
        return face
    table = np.rint((np.arange(256) - low) * (255 / (high - low)))
    return np.asarray(cv2.LUT(face, table.clip(0, 255).astype(np.uint8)), np.uint8)


def _equalise(face: Pixels, _: float) -> Pixels:
    return np.asarray(cv2.equalizeHist(face), np.uint8)


def _posterise(face: Pixels, level: float) -> Pixels:
    dropped = 4 + int(4 * abs(level))
    return face & np.uint8(0xFF << dropped & 0xFF)


def _solarise(face: Pixels, level: float) -> Pixels:
    threshold = 256 - int(256 * abs(level))
    table = np.arange(256, dtype=np.uint8)
    table[threshold:] = 255 - table[threshold:]
    return np.asarray(cv2.LUT(face, table), np.uint8)


def _warped(face: Pixels, a: float, b: float, c: float, d: float) -> Pixels:
    """The face under the matrix [[a, b], [c, d]], about its middle."""
    x, y = (face.shape[1] - 1) / 2, (face.shape[0] - 1) / 2
    return _moved(face, np.array([[a, b, x - a * x - b * y], [c, d, y - c * x - d * y]]))


def _moved(face: Pixels, matrix: NDArray[np.float64]) -> Pixels:
    # The paper fills with black, which a crop of a photo never shows.
    size = face.shape[::-1]
    moved = cv2.warpAffine(
        face, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(moved, np.uint8)


def _tilt(face: Pixels, level: float) -> Pixels:
    angle = np.deg2rad(30 * level)
    return _warped(face, np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle))


def _shear_x(face: Pixels, level: float) -> Pixels:
    return _warped(face, 1, 0.3 * level, 0, 1)


def _shear_y(face: Pixels, level: float) -> Pixels:
    return _warped(face, 1, 0, 0.3 * level, 1)


def _shift_x(face: Pixels, level: float) -> Pixels:
    return _moved(face, np.array([[1, 0, level * face.shape[1] / 3], [0, 1, 0.0]]))


def _shift_y(face: Pixels, level: float) -> Pixels:
    return _moved(face, np.array([[1, 0, 0.0], [0, 1, level * face.shape[0] / 3]]))


_CHANGES: Final[tuple[Callable[[Pixels, float], Pixels], ...]] = (
    _autocontrast,
    _equalise,
    _posterise,
    _solarise,
    _tilt,
    _shear_x,
    _shear_y,
    _shift_x,
    _shift_y,
)
