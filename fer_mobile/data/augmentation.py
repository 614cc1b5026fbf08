"""Augmentation of face crops: one geometric warp and a few photometric changes per face.

FER2013's crops are frontal and well framed; what a detector delivers is not.  The warp
therefore moves, scales and tilts the framing in one resampling, straight from the stored
face to the model's input size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from fer_mobile.data.augmix import augmix

BLUR_SIGMAS: Final = (0.4, 1.4)
"""Weakest and strongest blur: standard deviation in pixels of the stored face."""

ERASED_SIDES: Final = (0.1, 0.45)
"""Shortest and longest side of a blanked rectangle, over the face's side (Zhong et al., 2017)."""

COVERED_FROM: Final = (0.5, 0.7)
"""Where a covered lower face begins, over the face's height: between nose tip and mouth."""

DARKNESS: Final = (0.1, 0.6)
"""What a dark face's values are multiplied with."""


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
    stretch: float = Field(
        0.0, ge=0, lt=1, description="Largest relative change of width against height."
    )
    dark: float = Field(0.0, ge=0, le=1, description="Chance of a dark face.")
    cover: float = Field(
        0.0, ge=0, le=1, description="Chance that the face is blanked from the mouth down."
    )
    augmix: float = Field(0.0, ge=0, le=10, description="Severity of AugMix, which comes first.")


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to happen to each of N faces.

    They are numbers, not faces, so that any backend can draw faces by them.
    """

    flip: NDArray[np.float64]
    """[N], -1 for a mirror image, else 1."""
    angle: NDArray[np.float64]
    """[N], radians."""
    scale: NDArray[np.float64]
    """[N], how much of the stored face a pixel covers, over the plain resize."""
    shift: NDArray[np.float64]
    """[N, 2], to the right and down, over the width of the stored face."""
    blurred: NDArray[np.bool_]
    """[N]."""
    sigma: NDArray[np.float64]
    """[N], of the blur, in pixels of the stored face."""
    gain: NDArray[np.float64]
    """[N], by which a face's contrast is multiplied."""
    offset: NDArray[np.float64]
    """[N], added to the brightness, of full scale."""
    erased: NDArray[np.int64]
    """[N, 4], top, left, height and width of a blanked rectangle; height 0 for none."""
    erased_gray: NDArray[np.float64]
    """[N], the rectangle's value, 0-1."""
    stretch: NDArray[np.float64]
    """[N], by which a pixel's width is multiplied, and its height divided."""
    light: NDArray[np.float64]
    """[N], by which a face's values are multiplied."""


def draw_changes(count: int, size: int, options: Augmentation, rng: np.random.Generator) -> Changes:
    """Draw what happens to `count` faces that become `size` px; all of `options` but noise and
    AugMix.  The same `rng` state gives the same changes.
    """
    flips = np.where(rng.random(count) < options.flip, -1.0, 1.0)
    angles = np.deg2rad(rng.uniform(-options.rotation, options.rotation, count))
    scales = np.exp(rng.uniform(-1, 1, count) * np.log1p(options.scale))
    shifts = rng.uniform(-options.shift, options.shift, (count, 2))
    blurs = rng.random(count) < options.blur
    sigmas = rng.uniform(*BLUR_SIGMAS, count)
    gains, offsets = np.ones(count), np.zeros(count)
    if options.contrast:
        gains = 1 + rng.uniform(-options.contrast, options.contrast, count)
    if options.brightness:
        offsets = rng.uniform(-options.brightness, options.brightness, count)
    erased, grays = np.zeros((count, 4), np.int64), np.zeros(count)
    if options.erase:
        for i in np.flatnonzero(rng.random(count) < options.erase):
            height, width = (size * rng.uniform(*ERASED_SIDES, 2)).astype(int)
            top, left = rng.integers(0, size - height), rng.integers(0, size - width)
            erased[i], grays[i] = (top, left, height, width), rng.random()
    stretches, lights = np.ones(count), np.ones(count)
    if options.stretch:
        stretches = np.exp(rng.uniform(-0.5, 0.5, count) * np.log1p(options.stretch))
    if options.dark:
        dark = rng.random(count) < options.dark
        lights[dark] = rng.uniform(*DARKNESS, dark.sum())
    if options.cover:
        for i in np.flatnonzero(rng.random(count) < options.cover):
            top = int(size * rng.uniform(*COVERED_FROM))
            erased[i], grays[i] = (top, 0, size - top, size), rng.random()
    return Changes(
        flips, angles, scales, shifts, blurs, sigmas, gains, offsets, erased, grays, stretches,
        lights,
    )  # fmt: skip


def apply_changes(images: NDArray[np.uint8], size: int, changes: Changes) -> NDArray[np.float32]:
    """Faces uint8 [N, H, W], changed and resized: float32 [N, size, size] in 0-1."""
    height, width = images.shape[1:]
    out = np.empty((len(images), size, size), np.float32)
    # Maps output pixels to stored ones, pixel centres at half integers.
    step = width / size * changes.scale
    cosines, sines = np.cos(changes.angle) * step, np.sin(changes.angle) * step
    middle = (size - 1) / 2
    for i, (flip, shift) in enumerate(zip(changes.flip, changes.shift * width, strict=True)):
        wide, high = changes.stretch[i], 1 / changes.stretch[i]
        a, b = cosines[i] * flip * wide, -sines[i] * high
        c, d = sines[i] * flip * wide, cosines[i] * high
        x0 = (width - 1) / 2 + shift[0] - (a + b) * middle
        y0 = (height - 1) / 2 + shift[1] - (c + d) * middle
        warped = cv2.warpAffine(
            images[i],
            np.array([[a, b, x0], [c, d, y0]]),
            (size, size),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        if changes.blurred[i]:
            warped = cv2.GaussianBlur(warped, (0, 0), changes.sigma[i] * size / width)
        out[i] = warped
    out *= (changes.light / 255).astype(np.float32)[:, None, None]
    gains, offsets = (v.astype(np.float32)[:, None, None] for v in (changes.gain, changes.offset))
    if (gains != 1).any():
        out += (out.mean((1, 2), keepdims=True) - out) * (1 - gains)
    out += offsets
    for face, (top, left, high, wide), gray in zip(
        out, changes.erased, changes.erased_gray, strict=True
    ):
        face[top : top + high, left : left + wide] = gray
    return np.clip(out, 0, 1, out=out)


def augment(
    images: NDArray[np.uint8], size: int, options: Augmentation, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Random variants of faces.

    uint8 [N, H, W] in, float32 [N, size, size] in 0-1 out; the same `rng` state gives the
    same result.
    """
    if options.augmix:
        images = augmix(images, options.augmix, rng)
    faces = apply_changes(images, size, draw_changes(len(images), size, options, rng))
    return add_noise(faces, options.noise, rng) if options.noise else faces


def add_noise(
    faces: NDArray[np.float32], largest: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Faces float32 [N, S, S], each with Gaussian noise of a standard deviation up to `largest`
    (of full scale), cut to 0-1."""
    spread = rng.uniform(0, largest, (len(faces), 1, 1)).astype(np.float32)
    out: NDArray[np.float32] = faces + rng.standard_normal(faces.shape, np.float32) * spread
    return out.clip(0, 1, out=out)
