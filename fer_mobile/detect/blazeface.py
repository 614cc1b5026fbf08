"""MediaPipe's face detector: BlazeFace, full range, run by MediaPipe Tasks.

The shipped file works with mediapipe 1.0 and later, which bundle no model; another file for the
task, such as BlazeFace's short-range one, can be named.
"""

from __future__ import annotations

import hashlib
import weakref
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer_mobile.arrays import Pixels
from fer_mobile.detect.yunet import SCORE
from fer_mobile.errors import MissingPackageError, ModelError
from fer_mobile.quiet import quiet
from fer_mobile.resources import models_dir
from fer_mobile.types import Box, Detection

if TYPE_CHECKING:
    from mediapipe.tasks.python.components.containers import Detection as Found

_WIDTH: Final = 0.81
_HEIGHT: Final = 1.10
_SHIFT_Y: Final = -0.05
"""What makes YuNet's box, from which crop rules start, of BlazeFace's: medians over 73 photos."""


def shipped_blazeface() -> Path:
    """Where the shipped file lies."""
    return models_dir() / "blazeface" / "blaze_face_full_range.tflite"


class BlazeFace:
    """A `fer_mobile.detect.FaceNetwork`.

    Args:
        model: a file for MediaPipe's face-detection task; default: the shipped one.
        score: least score of a face, 0 to 1.

    Raises:
        MissingPackageError: mediapipe is not installed.
        ModelError: `model` cannot be read, or the task refuses it.
    """

    name = "mediapipe"

    def __init__(self, model: str | Path | None = None, *, score: float = SCORE) -> None:
        path = Path(model or shipped_blazeface())
        try:
            content = path.read_bytes()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ModelError(
                path, expected="a model for MediaPipe's face detector", found=reason.lower()
            ) from error
        self._mediapipe = _import_mediapipe()
        tasks = self._mediapipe.tasks
        options = tasks.vision.FaceDetectorOptions(
            base_options=tasks.BaseOptions(model_asset_buffer=content),
            min_detection_confidence=score,
        )
        try:
            with quiet():
                self._detector = tasks.vision.FaceDetector.create_from_options(options)
        except (RuntimeError, ValueError, TypeError) as error:
            raise ModelError(
                path,
                expected="a model for MediaPipe's face detector",
                found=f"it says {str(error).strip().splitlines()[0]!r}",
                hint="MediaPipe's BlazeFace files (short or full range) are such models.",
            ) from error
        weakref.finalize(self, _close, self._detector)
        self._arguments = partial(type(self), path, score=score)
        digest = hashlib.sha256(content).hexdigest()[:12]
        self.identity = f"mediapipe {version('mediapipe')} blazeface {digest} score {score}"

    def __reduce__(self) -> tuple[object, ...]:
        return self._arguments, ()

    def find(self, rgb: Pixels) -> list[Detection]:
        """The faces of a uint8 H×W×3 RGB image, the surest first (see `FaceNetwork.find`)."""
        image = self._mediapipe.Image(
            image_format=self._mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(rgb)
        )
        with quiet(2):
            result = self._detector.detect(image)
        faces = [_detection(each) for each in result.detections]
        return sorted(faces, key=lambda face: -(face.score or 0))


def _import_mediapipe() -> Any:
    try:
        with quiet():
            import mediapipe
            import mediapipe.tasks.python.vision
    except ModuleNotFoundError as error:  # not one that lacks a system library
        raise MissingPackageError(
            "detector 'mediapipe'", package="mediapipe", extra="mediapipe"
        ) from error
    return mediapipe


def _close(detector: Any) -> None:
    with quiet(2):
        try:
            detector.close()
        except RuntimeError:
            # At the end of the process MediaPipe's threads are gone before any exit handler runs,
            # and its own __del__ would print a traceback for a handle that is still there.
            detector._handle = None


def _detection(found: Found) -> Detection:
    box = found.bounding_box
    width, height = _WIDTH * box.width, _HEIGHT * box.height
    centre_x = box.origin_x + box.width / 2
    centre_y = box.origin_y + (0.5 + _SHIFT_Y) * box.height
    face = Box(centre_x - width / 2, centre_y - height / 2, width, height)
    return Detection(face, float(found.categories[0].score))
