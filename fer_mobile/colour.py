"""Colour profiles: the levels of an image as sRGB, which every model was trained on."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

_MODES: Final = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
"""Pillow's mode for levels of a profile's colour space."""
_STEPS: Final = 9
"""Levels of a channel at which a profile is compared with sRGB."""
_SAME: Final = 1
"""Largest difference, of 255, up to which a profile is sRGB: that of rounding."""

_ADOBE_TO_SRGB: Final = np.array(
    [[1.39836, -0.39836, 0], [0, 1, 0], [0, -0.04293, 1.04293]], np.float32
)
"""Light of red, green and blue: Adobe RGB (1998) as sRGB, whose white is the same."""
_ADOBE_LIGHT: Final = ((np.arange(256) / 255) ** (563 / 256)).astype(np.float32)
"""Of each level."""
_LIGHTS: Final = 1 << 14


def adobe_to_srgb(image: Image.Image) -> Image.Image:
    """An RGB image of Adobe RGB's levels as sRGB, for a photo without a profile that says it."""
    light = _ADOBE_LIGHT[np.asarray(image)] @ _ADOBE_TO_SRGB.T
    places = (light.clip(0, 1) * (_LIGHTS - 1) + 0.5).astype(np.uint16)
    return Image.fromarray(_levels_of_srgb()[places])


@lru_cache(maxsize=1)
def _levels_of_srgb() -> NDArray[np.uint8]:
    """The level of sRGB for each of `_LIGHTS` lights from 0 to 1."""
    light = np.linspace(0, 1, _LIGHTS)
    curve = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return (255 * curve + 0.5).astype(np.uint8)


def to_srgb(image: Image.Image, profile: object) -> Image.Image:
    """An image of 8-bit levels as sRGB, by the ICC profile of its file; RGB, RGBA or as it was.

    An image stays as it is without a profile, if its profile is sRGB, and if its profile is
    damaged or of other channels than the image has.
    """
    if not profile or not isinstance(profile, bytes):  # an image of the user's may hold anything
        return image
    transform = _transform(profile)
    if transform is None or not _is_of(transform.inputMode, image):
        return image
    layer = image.convert("RGBA") if image.has_transparency_data else None
    levels = layer if layer and transform.inputMode == "RGB" else image
    converted = ImageCms.applyTransform(levels.convert(transform.inputMode), transform)
    if converted is not None and layer is not None:
        converted.putalpha(layer.getchannel("A"))
    return converted or image  # None: only where it is made in place


def _is_of(mode: str, image: Image.Image) -> bool:
    """Whether the levels of an image can be taken for those of a profile of this mode."""
    bands = image.mode.removesuffix("A")
    if mode == "RGB":  # a gray or indexed image may have one too
        return bands in ("RGB", "P", "L", "1")
    return bands == mode


@lru_cache(maxsize=16)
def _transform(profile: bytes) -> Any:
    """What converts levels of this profile to sRGB; None where they stay as they are."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = _MODES.get(source.profile.xcolor_space.strip())
        if mode is None:
            return None
        transform = ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        return None if mode != "CMYK" and _changes_nothing(transform) else transform
    except (ImageCms.PyCMSError, OSError, ValueError, ImportError):  # a Pillow without LittleCMS
        return None


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    levels = np.linspace(0, 255, _STEPS).round().astype(np.uint8)
    if transform.inputMode == "L":
        before = Image.fromarray(levels[None])
    else:
        grid = np.stack(np.meshgrid(levels, levels, levels), axis=-1)
        before = Image.fromarray(grid.reshape(1, -1, 3))
    after = ImageCms.applyTransform(before, transform)
    difference = np.asarray(before.convert("RGB"), int) - np.asarray(after, int)
    return bool(np.abs(difference).max() <= _SAME)
