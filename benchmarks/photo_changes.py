"""Photos made worse in known ways: turned, tilted, dark, blurred, compressed, small, covered.

A change gives the new photo and where each of its points has gone, so that faces can be found
again.  Pixels are RGB.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fer_mobile.arrays import Pixels
from fer_mobile.types import Box

COVER: Final = 128
"""Gray level of what hides half a face."""


@dataclass(frozen=True)
class Changed:
    """A changed photo."""

    rgb: Pixels
    moves: NDArray[np.float64]
    """float [2, 3]: from a point (x, y, 1) of the photo to its place in the changed one."""

    def place(self, box: Box) -> tuple[float, float]:
        """Where the middle of a box has gone."""
        middle = (box.x + box.width / 2, box.y + box.height / 2, 1)
        x, y = self.moves @ middle
        return float(x), float(y)

    def size_of(self, box: Box) -> float:
        """The longer side that a box of the photo has now."""
        return float(max(abs(self.moves[:, :2]) @ (box.width, box.height)))


Change = Callable[[Pixels, Sequence[Box]], Changed]
"""From a photo and the boxes of its faces, of which there is one at least."""

_STAY: Final = np.array([[1.0, 0, 0], [0, 1, 0]])


def unchanged(rgb: Pixels, faces: Sequence[Box]) -> Changed:
    """The photo as it is."""
    return Changed(rgb, _STAY)


def turned(rgb: Pixels, faces: Sequence[Box], *, quarters: int) -> Changed:
    """Turned by quarters against the clock, as a scan without EXIF may lie."""
    height, width = rgb.shape[:2]
    moves = {
        1: [[0, 1, 0], [-1, 0, width - 1]],
        2: [[-1, 0, width - 1], [0, -1, height - 1]],
        3: [[0, -1, height - 1], [1, 0, 0]],
    }[quarters]
    return Changed(np.ascontiguousarray(np.rot90(rgb, quarters)), np.array(moves, float))


def tilted(rgb: Pixels, faces: Sequence[Box], *, degrees: float) -> Changed:
    """Turned by degrees against the clock on a canvas that holds all of it, its edge repeated."""
    height, width = rgb.shape[:2]
    moves = np.asarray(cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1), float)
    size = np.abs(moves[:, :2]) @ (width, height)
    moves[:, 2] += (size - np.array([width, height])) / 2
    canvas = cv2.warpAffine(
        rgb, moves, size.astype(int).tolist(),
        flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return _changed(canvas, moves)


def lit(rgb: Pixels, faces: Sequence[Box], *, gain: float) -> Changed:
    """Every value times `gain`, rounded and cut off at 255."""
    return _changed(cv2.convertScaleAbs(rgb, alpha=gain))


def blurred(rgb: Pixels, faces: Sequence[Box], *, share: float) -> Changed:
    """Gaussian blur with a deviation of a share of the largest face's height."""
    return _changed(cv2.GaussianBlur(rgb, (0, 0), share * _height(faces)))


def compressed(rgb: Pixels, faces: Sequence[Box], *, quality: int) -> Changed:
    """Through a JPEG file of a quality."""
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "JPEG", quality=quality)
    return _changed(np.asarray(Image.open(file)))


def resized(rgb: Pixels, faces: Sequence[Box], *, face_height: int) -> Changed:
    """Scaled so that the largest face is so many pixels high."""
    factor = face_height / _height(faces)
    return _scaled(rgb, factor, factor)


def stretched(rgb: Pixels, faces: Sequence[Box], *, ratio: float) -> Changed:
    """`ratio` times as wide, at the same height."""
    return _scaled(rgb, ratio, 1)


def half_covered(rgb: Pixels, faces: Sequence[Box], *, lower: bool) -> Changed:
    """The lower or upper half of every face's box filled with gray."""
    covered = rgb.copy()
    for x, y, width, height in faces:
        top = y + height / 2 if lower else y
        rows = slice(max(0, round(top)), max(0, round(top + height / 2)))
        covered[rows, max(0, round(x)) : max(0, round(x + width))] = COVER
    return Changed(covered, _STAY)


def noisy(rgb: Pixels, faces: Sequence[Box], *, deviation: float, seed: int) -> Changed:
    """With Gaussian noise of a deviation in gray levels."""
    noise = np.random.default_rng(seed).normal(0, deviation, rgb.shape)
    return Changed(np.clip(rgb + noise, 0, 255).astype(np.uint8), _STAY)


def one_after_the_other(rgb: Pixels, faces: Sequence[Box], *, changes: Sequence[Change]) -> Changed:
    """Several changes that leave every point in its place."""
    for change in changes:
        rgb = change(rgb, faces).rgb
    return Changed(rgb, _STAY)


def _changed(rgb: NDArray[Any], moves: NDArray[np.float64] = _STAY) -> Changed:
    return Changed(np.asarray(rgb, np.uint8), moves)


def _scaled(rgb: Pixels, across: float, down: float) -> Changed:
    height, width = rgb.shape[:2]
    size = (max(1, round(width * across)), max(1, round(height * down)))
    method = cv2.INTER_AREA if min(across, down) < 1 else cv2.INTER_CUBIC
    moves = np.array([[size[0] / width, 0, 0], [0, size[1] / height, 0]])
    return _changed(cv2.resize(rgb, size, interpolation=method), moves)


def _height(faces: Sequence[Box]) -> float:
    return max(box.height for box in faces)


CHANGES: Final[dict[str, dict[str, tuple[Change, ...]]]] = {
    "turn": {f"{90 * n}°": (partial(turned, quarters=n),) for n in (1, 2, 3)},
    "tilt": {
        f"{degrees}°": (partial(tilted, degrees=degrees), partial(tilted, degrees=-degrees))
        for degrees in (10, 20, 30, 45)
    },
    "light": {f"×{gain}": (partial(lit, gain=gain),) for gain in (0.1, 0.2, 0.5, 1.5, 2)},
    "blur": {f"1/{n}": (partial(blurred, share=1 / n),) for n in (40, 20, 12, 8)},
    "JPEG": {f"{quality}": (partial(compressed, quality=quality),) for quality in (50, 20, 10, 5)},
    "size": {f"{px} px": (partial(resized, face_height=px),) for px in (64, 48, 32, 24)},
    "covered": {
        "lower half": (partial(half_covered, lower=True),),
        "upper half": (partial(half_covered, lower=False),),
    },
    "stretch": {f"×{ratio}": (partial(stretched, ratio=ratio),) for ratio in (0.5, 0.7, 1.4, 2)},
}
"""Changes by kind and strength.  Tilts go to either side; a blur is its deviation over the
height of the largest face, a size that face's height."""


def random_change(rng: np.random.Generator) -> tuple[str, Change]:
    """A change of any strength, from hardly seen to hardly a face, and its kind."""

    def log_uniform(low: float, high: float) -> float:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))

    def drawn(kind: str) -> Change:
        match kind:
            case "size":
                return partial(resized, face_height=round(log_uniform(12, 60)))
            case "darker":
                return partial(lit, gain=log_uniform(0.03, 0.6))
            case "brighter":
                return partial(lit, gain=log_uniform(1.3, 6))
            case "blur":
                return partial(blurred, share=log_uniform(1 / 60, 1 / 6))
            case "JPEG":
                return partial(compressed, quality=int(rng.integers(2, 40)))
            case "stretch":
                return partial(stretched, ratio=log_uniform(0.4, 2.5))
            case "tilt":
                return partial(tilted, degrees=float(rng.uniform(-60, 60)))
        return partial(noisy, deviation=log_uniform(5, 60), seed=int(rng.integers(1 << 30)))

    kinds = ("size", "darker", "brighter", "blur", "JPEG", "stretch", "tilt", "noise", "two")
    kind = kinds[rng.integers(len(kinds))]
    if kind != "two":
        return kind, drawn(kind)
    both = rng.choice(["darker", "blur", "JPEG", "noise"], 2, replace=False)
    return kind, partial(one_after_the_other, changes=[drawn(str(each)) for each in both])
