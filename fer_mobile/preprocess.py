"""THE definition of preprocessing: crop → gray → resize → level → normalise, in this order.

Training, evaluation, the photo pipeline and the Android app all follow it, so every
step is defined to the bit:

* *crop*: a detector's box is mapped to the framing of the training faces: a square of
  side ``scale * box.height`` about the box's centre, moved by ``shift * box.height``.
  Corner and side are rounded half up; what lies outside the photo repeats its edge.
* *gray*: ITU-R BT.601 luma in integers, ``(19595 R + 38470 G + 7471 B + 32768) >> 16``.
* *resize*: separable triangle filter, widened by the reduction factor so that it does
  not alias.  Weights are computed in IEEE doubles, multiplied by the reciprocal of their
  sum and rounded half up to multiples of 2**-22; along rows first, then along columns,
  each pass rounding half up to uint8.  (This is what Pillow's BILINEAR does to a square;
  where the height exceeds the width it takes the columns first.  Tests hold an
  independent implementation against it.)
* *level*: where the line of the eyes tilts enough (`Levelling`), crop, gray and resize take
  a square √2 times as large at twice the model's side, which is then turned about its centre
  until the eyes are level.  Cosine and sine are the eyes' distance along x and y over their
  distance, times √2, rounded half up to multiples of 2**-15; a pixel is interpolated between
  four neighbours by the first 8 bits of its place's fraction, and rounded half up.
* *normalise*: pixel / 255 (other models: pixel / 127.5 - 1, or the pixel itself), which a
  full-integer model does by its input quantization.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fer_mobile.arrays import Pixels
from fer_mobile.errors import InputError, PhotoError
from fer_mobile.images import Photo
from fer_mobile.types import Box, Detection

VERSION: Final = 1
"""Changes whenever any output byte of this module may change."""


LUMA: Final = (19595, 38470, 7471)
"""Weights of R, G and B in gray, in 65536ths (ITU-R BT.601)."""

_LUMA_AND_HALF: Final = np.array([[*LUMA, 1 << 15]], np.float32) / np.float32(1 << 16)


_PIXELS_AT_ONCE: Final = 1 << 14
"""Pixels that `to_gray` holds in single precision: 200 kB."""

_ROOT_2: Final = math.sqrt(2)

Direction = tuple[float, float]
"""x and y of a step of length 1 along the line of the eyes, to the person's left eye: cosine
and sine of the tilt."""


@dataclass(frozen=True, slots=True)
class Levelling:
    """Which faces are turned until their eyes are level.

    The default loses nothing upright (benchmarks/levelling.py).
    """

    min_tilt: float = 10.0
    """Least tilt in degrees, to either side."""

    def direction(self, face: Detection) -> Direction | None:
        """Where the eyes of a face to be turned point; None for one that stays as it is.

        A face without landmarks stays.
        """
        line, tilt = face.eye_line, face.tilt
        if line is None or tilt is None or abs(tilt) < self.min_tilt:
            return None
        x, y = line
        distance = math.sqrt(x * x + y * y)
        return x / distance, y / distance


@dataclass(frozen=True, slots=True)
class CropRule:
    """How a detector's box becomes the square that a model is given.

    The defaults lie in the middle of what serves best (benchmarks/framing.py).
    """

    scale: float = 0.9
    """Side of the square over the height of the box."""
    shift_y: float = 0.03
    """Offset of the square's centre over the height of the box; negative is up."""

    def square(self, box: Box, direction: Direction | None = None) -> tuple[int, int, int]:
        """Left, top and side in whole pixels (side ≥ 1; the square may leave the photo).

        The square of a face that is turned by its eyes' `direction` is √2 times as large.
        """
        cosine, sine = direction or (1.0, 0.0)
        shift = self.shift_y * box.height
        side = max(1, _round((_ROOT_2 if direction else 1.0) * self.scale * box.height))
        left = _round(box.x + box.width / 2 - sine * shift - side / 2)
        top = _round(box.y + box.height / 2 + cosine * shift - side / 2)
        return left, top, side


def _round(value: float) -> int:
    return math.floor(value + 0.5)


def check_boxes(boxes: Iterable[Box], photo: Photo, origin: str) -> None:
    """Raise PhotoError, which names `origin`, for a box that lies outside the photo.

    A box may leave the photo; one far larger would be cut out as repeated edges without end.
    """
    width, height = photo.size
    for box in boxes:
        inside = box.x < width and box.y < height and box.x + box.width > 0 < box.y + box.height
        # Comparisons with NaN are false.
        if not (inside and min(box[2:]) > 0 and max(box[2:]) <= 2 * max(width, height)):
            raise PhotoError(
                photo.path or "the photo",
                expected=f"boxes in this photo of {width}×{height} pixels",
                found=f"{[round(value, 1) for value in box]} in {origin}",
                hint="Boxes are in pixels of the upright photo at full resolution.",
            )


def crop(image: Pixels, left: int, top: int, side: int) -> Pixels:
    """The square of `image` (uint8 H×W or H×W×3); beyond the border its edge is repeated."""
    height, width = image.shape[:2]
    if left >= 0 and top >= 0 and left + side <= width and top + side <= height:
        return image[top : top + side, left : left + side]
    import cv2  # the contract, which imports this module, does without

    rows, above, below = _inside(top, side, height)
    columns, before, after = _inside(left, side, width)
    part = image[rows, columns]
    border = cv2.BORDER_REPLICATE
    return np.asarray(cv2.copyMakeBorder(part, above, below, before, after, border), np.uint8)


def _inside(start: int, side: int, length: int) -> tuple[slice, int, int]:
    """What of `side` pixels from `start` lies within `length`, at least the nearest pixel, and
    how many lie before and after it."""
    first, last = min(max(start, 0), length - 1), min(max(start + side, 1), length)
    before = min(max(-start, 0), side - 1)
    return slice(first, last), before, side - before - (last - first)


def to_gray(image: Pixels) -> Pixels:
    """BT.601 luma of a uint8 RGB image, uint8 H×W; a gray image comes back as it is."""
    if image.ndim == 2:
        return image
    import cv2  # the contract, which imports this module, does without

    # Exact, and 2 to 4 times as fast as integers: every product and sum is a multiple of 2**-16
    # below 256, which single precision holds.  A few rows at a time stay in the cache; memory of
    # their own each time would be given back to the system and asked for again.
    height, width = image.shape[:2]
    gray = np.empty((height, width), np.uint8)
    rows = max(1, min(height, _PIXELS_AT_ONCE // width))
    rgb, levels = np.empty((rows, width, 3), np.float32), np.empty((rows, width), np.float32)
    for top in range(0, height, rows):
        part = gray[top : top + rows]
        count = len(part)
        rgb[:count] = image[top : top + rows]
        part[:] = cv2.transform(rgb[:count], _LUMA_AND_HALF, levels[:count])
    return gray


def gray_faces(faces: Pixels | Sequence[Pixels]) -> Pixels | list[Pixels]:
    """Faces as gray ones: an array uint8 [N, H, W], or a list of uint8 [H, W] of several sizes.

    `faces` is uint8 [N, H, W] (gray), [N, H, W, 3] (RGB), a single face [H, W] or [H, W, 3], or a
    list of such.  A last axis of 3 is RGB and one of 1 is gray: no face is so few pixels wide.
    Raises InputError for anything else.
    """
    if isinstance(faces, list | tuple):
        return [gray for each in faces for gray in gray_faces(each)]
    if not isinstance(faces, np.ndarray):
        raise InputError(
            "faces", expected="an array uint8 [N, H, W] or a list", found=type(faces).__name__
        )
    if faces.ndim in (3, 4) and faces.shape[-1] == 1:
        faces = faces[..., 0]
    rgb = faces.ndim in (3, 4) and faces.shape[-1] == 3
    several = faces if faces.ndim - rgb == 3 else faces[None]
    if faces.dtype != np.uint8 or several.ndim - rgb != 3 or 0 in several.shape[1:]:
        raise InputError(
            "faces",
            expected="uint8 [N, H, W] (gray) or [N, H, W, 3] (RGB), or a single face of these",
            found=f"{faces.dtype} {list(faces.shape)}",
            hint="Pixels are 0 to 255." if faces.dtype != np.uint8 else "",
        )
    return np.stack([to_gray(face) for face in several]) if rgb and len(several) else several


def resize(gray: Pixels, size: int) -> Pixels:
    """A uint8 H×W image as uint8 size×size (see the module's text for the arithmetic)."""
    if gray.shape == (size, size):
        return gray
    return np.asarray(Image.fromarray(gray).resize((size, size), Image.Resampling.BILINEAR))


def resize_face(gray: Pixels, size: int, direction: Direction | None = None) -> Pixels:
    """A face's square, uint8 H×W gray, as uint8 size×size; turned where it has a `direction`."""
    if direction is None:
        return resize(gray, size)
    return _level(resize(gray, 2 * size), direction)


def _level(gray: Pixels, direction: Direction) -> Pixels:
    """The inner square of a uint8 2S×2S image, turned about its centre: uint8 S×S."""
    size = len(gray) // 2
    # A pixel more on every side: the edge is repeated.
    width = 2 * size + 2
    level_at = crop(gray, -1, -1, width).astype(np.int32).ravel().take
    # Places in 2**-16 pixels; two steps of 2**-15 for a pixel of the face, from its centre.
    cosine, sine = (_round(_ROOT_2 * value * 2**15) for value in direction)
    steps = np.arange(1 - size, size, 2, dtype=np.int32)
    centre = (size << 16) + (1 << 15)
    x = centre + steps * cosine - (steps * sine)[:, None]
    y = centre + steps * sine + (steps * cosine)[:, None]
    place = (y >> 16) * width + (x >> 16)
    x, y = x >> 8 & 255, y >> 8 & 255
    upper = level_at(place) * (256 - x) + level_at(place + 1) * x
    place += width
    lower = level_at(place) * (256 - x) + level_at(place + 1) * x
    return np.asarray((upper * (256 - y) + lower * y + (1 << 15)) >> 16, np.uint8)


def face_pixels(
    image: Pixels, box: Box, size: int, rule: CropRule, direction: Direction | None = None
) -> Pixels:
    """Crop, gray, resize and level one face of an upright RGB or gray photo: uint8 size×size.

    `direction` is that of its eyes (see `Levelling.direction`); without one it is not turned.
    """
    return resize_face(to_gray(crop(image, *rule.square(box, direction))), size, direction)


Normalisation = Literal["pixel/255", "pixel/127.5-1", "pixel"]
"""What a model's input stands for: gray in 0 to 1, in -1 to 1, or in 0 to 255."""

REAL_VALUES: Final[dict[Normalisation, NDArray[np.float64]]] = {
    "pixel/255": np.arange(256) / 255,
    "pixel/127.5-1": np.arange(256) / 127.5 - 1,
    "pixel": np.arange(256, dtype=np.float64),
}
"""The real number that each of the 256 gray levels stands for, by normalisation."""


def normalise(pixels: Pixels, normalisation: Normalisation = "pixel/255") -> NDArray[np.float32]:
    """uint8 pixels as the float32 that a model takes, in 0 to 1 unless told otherwise."""
    real = pixels.astype(np.float32)
    if normalisation == "pixel":
        return real
    if normalisation == "pixel/127.5-1":
        return real / np.float32(127.5) - np.float32(1.0)
    return real / np.float32(255.0)
