"""Finding faces: one interface, and the detector that ships with the package."""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np

from fer_mobile.errors import ModelError, nearest
from fer_mobile.types import Detection

DETECTION_SIDE: Final = 640
"""Longest side, in pixels, of the photo that a detector is shown (see `detect.scale.shrink`)."""

DETECTORS: Final = ("yunet",)
"""Names that `load_detector` knows."""


class FaceDetector(Protocol):
    """Finds the faces of one photo."""

    name: str
    identity: str
    """Changes whenever the detector's answers may."""

    def detect(self, rgb: np.ndarray) -> list[Detection]:
        """The faces of an upright uint8 H×W×3 RGB image, the surest first.

        The image is searched as it is: shrink it to `DETECTION_SIDE` before.  Boxes and
        landmarks are in its pixels and may leave it.
        """
        ...


def load_detector(name: str = "yunet", threads: int = 1) -> FaceDetector:
    """The detector called `name`; raises ModelError for an unknown one."""
    if name not in DETECTORS:
        raise ModelError(
            "detector",
            expected="the name of one",
            found=repr(name),
            todo=nearest(name, DETECTORS),
        )
    from fer_mobile.detect.yunet import YuNet

    return YuNet(threads=threads)
