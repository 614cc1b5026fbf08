"""Faces made worse in known ways, to measure how much a classifier loses by each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_mobile.arrays import Pixels
from fer_mobile.data.augmentation import Augmentation, augment
from fer_mobile.errors import DataError, choose
from fer_mobile.preprocess import resize

Corruption = Callable[[Pixels, np.random.Generator], Pixels]
"""From faces uint8 [N, H, W] to as many of the same shape."""


def _rounded(faces: NDArray[np.floating]) -> Pixels:
    rounded: Pixels = np.clip(np.floor(faces + 0.5), 0, 255).astype(np.uint8)
    return rounded


def _brightness(share: float) -> Corruption:
    return lambda faces, rng: _rounded(faces + 255.0 * share)


def _contrast(gain: float) -> Corruption:
    return lambda faces, rng: _rounded((faces - 127.5) * gain + 127.5)


def _blur(sigma: float) -> Corruption:
    return lambda faces, rng: np.stack([cv2.GaussianBlur(f, (0, 0), sigma) for f in faces])


def _noise(deviation: float) -> Corruption:
    return lambda faces, rng: _rounded(faces + rng.normal(0, 255 * deviation, faces.shape))


def _jpeg(quality: int) -> Corruption:
    def through_jpeg(face: Pixels) -> Pixels:
        _, data = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE))

    return lambda faces, rng: np.stack([through_jpeg(face) for face in faces])


def _rotation(degrees: float) -> Corruption:
    def rotated(face: Pixels) -> Pixels:
        height, width = face.shape
        turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1)
        return np.asarray(
            cv2.warpAffine(face, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
        )

    return lambda faces, rng: np.stack([rotated(face) for face in faces])


def _jitter(share: float) -> Corruption:
    """The box moved and scaled by up to `share` of its side."""
    options = Augmentation(flip=0, scale=share, shift=share)

    def jittered(faces: Pixels, rng: np.random.Generator) -> Pixels:
        return _rounded(255.0 * augment(faces, faces.shape[-1], options, rng))

    return jittered


def _smaller(side: int) -> Corruption:
    """A face that had only `side` pixels to begin with."""
    return lambda faces, rng: np.stack([resize(resize(f, side), faces.shape[-1]) for f in faces])


CORRUPTIONS: Final[dict[str, Corruption]] = {
    "brighter": _brightness(0.3),
    "darker": _brightness(-0.3),
    "contrast-half": _contrast(0.5),
    "contrast-more": _contrast(1.5),
    "blur": _blur(1.0),
    "noise": _noise(0.08),
    "jpeg-20": _jpeg(20),
    "rotated-left": _rotation(15),
    "rotated-right": _rotation(-15),
    "box-jitter": _jitter(0.1),
    "24-px": _smaller(24),
}
"""Every corruption by name: brightness ±30% of full scale, contrast ×0.5 and ×1.5, Gaussian
blur of 1 px, Gaussian noise of 8% of full scale, JPEG quality 20, ±15° rotation, the box
off by up to 10%, faces of 24 px."""


def corrupt(faces: Pixels, name: str, seed: int = 0) -> Pixels:
    """Faces uint8 [N, H, W] under the corruption called `name`; the same seed, the same bytes.

    Raises DataError for an unknown name.
    """
    change = choose("corruption", name, CORRUPTIONS, DataError)
    return change(faces, np.random.default_rng(seed))
