"""How well a photo shows a face: whether a label can be expected to hold.

Six things lower the quality of a face, each between a value from which on it is harmless and
one at which nothing is left:

| what | measured as |
|---|---|
| size | height of the box in pixels of the photo at full resolution |
| sharpness | mean of the absolute Laplacian over the standard deviation of the gray values |
| light | standard deviation of the gray values; share of those that are 250 or more |
| shape | width of the box over its height, of boxes with landmarks: others' boxes differ |
| tilt | degrees from the line of the eyes to level, of a face that was not levelled |
| detector | its score |

The gray values are those of the square that the model is given, at `SIDE`×`SIDE` pixels whatever
the model's size is.  Of brightness itself nothing is said, so that skin does not count; what a
dark photo lacks is differences.  What is unknown (the tilt without landmarks, the score of a
precomputed box) lowers nothing.

The quality is the least of the six, rounded to 4 digits, and the flaw what is least.  The
limits were chosen on half of the faces of `benchmarks/quality.py`.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import cv2
import numpy as np

from fer_mobile.arrays import Pixels
from fer_mobile.types import Detection, Flaw

VERSION: Final = 1
"""Changes whenever a quality may."""

SIDE: Final = 56
"""Height and width, in pixels, of the square that sharpness and light are measured in."""

CLIPPED: Final = 250
"""The least gray value that counts as overexposed."""

DARK: Final = 96
"""Mean gray value below which a face of little contrast is called dark."""


class Limits(NamedTuple):
    """Where a measure is as bad as can be, and where it is harmless."""

    worst: float
    harmless: float

    def share(self, value: float) -> float:
        """0 at `worst` and beyond, 1 at `harmless` and beyond, linear between."""
        return min(1.0, max(0.0, (value - self.worst) / (self.harmless - self.worst)))


SIZE: Final = Limits(10, 32)
SHARPNESS: Final = Limits(0.02, 0.08)
CONTRAST: Final = Limits(3, 10)
OVEREXPOSED: Final = Limits(0.9, 0.5)
NARROW: Final = Limits(0.45, 0.62)
WIDE: Final = Limits(1.25, 0.95)
TILT: Final = Limits(50, 15)
SCORE: Final = Limits(0.4, 0.8)


class Quality(NamedTuple):
    """How well a photo shows a face."""

    value: float
    """0 to 1."""
    flaw: Flaw | None
    """What is worst; None at 1."""


def face_quality(square: Pixels, detection: Detection, *, levelled: bool = False) -> Quality:
    """The quality of a face; the arguments are those of `shares`."""
    each = shares(square, detection, levelled=levelled)
    flaw = min(each, key=each.__getitem__)  # the first of equals
    value = math.floor(each[flaw] * 1e4 + 0.5) / 1e4
    return Quality(value, flaw if value < 1 else None)


def shares(square: Pixels, detection: Detection, *, levelled: bool = False) -> dict[Flaw, float]:
    """What each flaw that is known of leaves of a face, 0 to 1.

    Args:
        square: the face as a model is given it, gray uint8 [SIDE, SIDE].
        detection: the face in pixels of the photo at full resolution.
        levelled: whether `square` was turned until the eyes are level.
    """
    # All of these are sums of integers; the norm may come as the square of its root.
    count = square.size
    total, squares = int(cv2.sumElems(square)[0]), round(cv2.norm(square, cv2.NORM_L2SQR))
    deviation = math.sqrt(count * squares - total * total) / count
    laplacian = cv2.Laplacian(square, cv2.CV_16S)[1:-1, 1:-1]
    edges = cv2.norm(laplacian, cv2.NORM_L1) / laplacian.size
    overexposed = np.count_nonzero(square >= CLIPPED) / count
    is_dark = total < DARK * count
    left: dict[Flaw, float] = {
        "too small": SIZE.share(detection.box.height),
        "too dark" if is_dark else "low contrast": CONTRAST.share(deviation),
        "too bright": OVEREXPOSED.share(overexposed),
        "blurred": SHARPNESS.share(edges / deviation if deviation else 0.0),
    }
    if detection.landmarks:
        shape = detection.box.width / detection.box.height
        left["stretched"] = min(NARROW.share(shape), WIDE.share(shape))
    if detection.tilt is not None and not levelled:
        left["tilted"] = TILT.share(abs(detection.tilt))
    if detection.score is not None:
        left["hardly a face"] = SCORE.share(detection.score)
    return left
