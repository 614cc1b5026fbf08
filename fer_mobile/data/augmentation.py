"""Augmentation of face crops: one geometric warp and a few photometric changes per face.

FER2013's crops are frontal and well framed; what a detector delivers is not.  The warp
therefore moves, scales and tilts the framing in one resampling, straight from the stored
face to the model's input size.
"""

from __future__ import annotations

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from fer_mobile.data.augmix import augmix


class Augmentation(BaseModel):
    """How strongly each face is changed; 0 switches a change off."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    flip: float = Field(0.5, ge=0, le=1, description="Chance of a mirror image.")
    rotation: float = Field(0.0, ge=0, le=180, description="Largest tilt, degrees.")
    scale: float = Field(0.0, ge=0, lt=1, description="Largest relative change of size.")
    shift: float = Field(0.0, ge=0, lt=1, description="Largest shift over the width.")
    brightness: float = Field(0.0, ge=0, lt=1, description="Largest offset, of full scale.")
    contrast: float = Field(0.0, ge=0, lt=1, description="Largest relative change.")
    blur: float = Field(0.0, ge=0, le=1, description="Chance of Gaussian blur or of fewer pixels.")
    noise: float = Field(0.0, ge=0, lt=1, description="Largest standard deviation, of full scale.")
    erase: float = Field(0.0, ge=0, le=1, description="Chance that a rectangle is blanked.")
    augmix: float = Field(0.0, ge=0, le=10, description="Severity of AugMix, which comes first.")


def augment(
    images: np.ndarray, size: int, options: Augmentation, rng: np.random.Generator
) -> np.ndarray:
    """Random variants of faces.

    uint8 [N, H, W] in, float32 [N, size, size] in 0-1 out; the same `rng` state gives the
    same result.
    """
    if options.augmix:
        images = augmix(images, options.augmix, rng)
    count = len(images)
    height, width = images.shape[1:]
    flips = np.where(rng.random(count) < options.flip, -1.0, 1.0)
    angles = np.deg2rad(rng.uniform(-options.rotation, options.rotation, count))
    scales = np.exp(rng.uniform(-1, 1, count) * np.log1p(options.scale))
    shifts = rng.uniform(-options.shift, options.shift, (count, 2)) * width
    blurs = rng.random(count) < options.blur
    sigmas = rng.uniform(0.4, 1.4, count)
    out = np.empty((count, size, size), np.float32)
    # Maps output pixels to stored ones, pixel centres at half integers.
    step = width / size * scales
    cosines, sines = np.cos(angles) * step, np.sin(angles) * step
    middle = (size - 1) / 2
    for i in range(count):
        a, b = cosines[i] * flips[i], -sines[i]
        c, d = sines[i] * flips[i], cosines[i]
        x0 = (width - 1) / 2 + shifts[i, 0] - (a + b) * middle
        y0 = (height - 1) / 2 + shifts[i, 1] - (c + d) * middle
        face = cv2.warpAffine(
            images[i],
            np.array([[a, b, x0], [c, d, y0]]),
            (size, size),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        if blurs[i]:
            face = cv2.GaussianBlur(face, (0, 0), sigmas[i] * size / width)
        out[i] = face
    out /= 255.0
    if options.contrast:
        gains = 1 + rng.uniform(-options.contrast, options.contrast, (count, 1, 1))
        means = out.mean((1, 2), keepdims=True)
        out += (means - out) * (1 - gains.astype(np.float32))
    if options.brightness:
        out += rng.uniform(-options.brightness, options.brightness, (count, 1, 1)).astype(
            np.float32
        )
    if options.noise:
        out = noisy(out, options.noise, rng)
    if options.erase:
        _erase(out, options.erase, rng)
    return np.clip(out, 0, 1, out=out)


def noisy(faces: np.ndarray, largest: float, rng: np.random.Generator) -> np.ndarray:
    """Faces float32 [N, S, S], each with Gaussian noise of a standard deviation up to `largest`
    (of full scale), cut to 0-1."""
    spread = rng.uniform(0, largest, (len(faces), 1, 1)).astype(np.float32)
    out: np.ndarray = faces + rng.standard_normal(faces.shape, np.float32) * spread
    return out.clip(0, 1, out=out)


def _erase(faces: np.ndarray, chance: float, rng: np.random.Generator) -> None:
    """Blank a random rectangle of some faces with a random gray (Zhong et al., 2017)."""
    size = faces.shape[-1]
    for i in np.flatnonzero(rng.random(len(faces)) < chance):
        height, width = (size * rng.uniform(0.1, 0.45, 2)).astype(int)
        top, left = rng.integers(0, size - height), rng.integers(0, size - width)
        faces[i, top : top + height, left : left + width] = rng.random()
