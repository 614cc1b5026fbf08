"""MediaPipe's face detector, full range: BlazeFace at 192×192, from the package itself."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, Final

import numpy as np

from fer_mobile.detect.yunet import SCORE
from fer_mobile.errors import InputError, MissingPackageError
from fer_mobile.quiet import quiet
from fer_mobile.types import Box, Detection

_FULL_RANGE: Final = 1
_WIDTH: Final = 0.81
_HEIGHT: Final = 1.10
_SHIFT_Y: Final = -0.05
"""What makes YuNet's box, from which crop rules start, of BlazeFace's: medians over 73 photos."""


class BlazeFace:
    """A `fer_mobile.detect.FaceNetwork`.  One object serves one thread at a time.

    Raises:
        MissingPackageError: mediapipe is not installed.
        InputError: it is a version without the models, which later ones leave out.
    """

    name = "mediapipe"

    def __init__(self, *, score: float = SCORE) -> None:
        with quiet():
            self._network = _solution().FaceDetection(score, _FULL_RANGE)
        self.identity = f"mediapipe {version('mediapipe')} full range score {score}"

    def find(self, rgb: np.ndarray) -> list[Detection]:
        """The faces of a uint8 H×W×3 RGB image, the surest first (see `FaceNetwork.find`)."""
        with quiet(2):
            found = self._network.process(rgb).detections or ()
        faces = [_detection(each, *rgb.shape[1::-1]) for each in found]
        return sorted(faces, key=lambda face: -(face.score or 0))


def _solution() -> Any:
    try:
        with quiet():
            import mediapipe
    except ImportError as error:
        raise MissingPackageError(
            "detector 'mediapipe'", package="mediapipe", extra="mediapipe"
        ) from error
    try:
        return mediapipe.solutions.face_detection
    except AttributeError as error:
        raise InputError(
            "detector 'mediapipe'",
            expected="a version of mediapipe that holds its models, such as 0.10.21",
            found=version("mediapipe"),
        ) from error


def _detection(found: Any, width: int, height: int) -> Detection:
    box = found.location_data.relative_bounding_box
    wide, high = _WIDTH * box.width * width, _HEIGHT * box.height * height
    centre_x = (box.xmin + box.width / 2) * width
    centre_y = (box.ymin + (0.5 + _SHIFT_Y) * box.height) * height
    face = Box(centre_x - wide / 2, centre_y - high / 2, wide, high)
    return Detection(face, float(found.score[0]))
