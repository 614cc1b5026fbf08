"""YuNet in OpenCV's FaceDetectorYN: the shipped weights, from their ONNX file."""

from __future__ import annotations

import hashlib
from functools import partial

import cv2

from fer_mobile.arrays import Pixels
from fer_mobile.detect.yunet import HINT, HINTS, OVERLAP, SCORE, shipped_onnx
from fer_mobile.quiet import quiet
from fer_mobile.types import Box, Detection

_MOST_FACES = 5000


class OpenCVYuNet:
    """A `fer_mobile.detect.HintingNetwork`.

    Args:
        threads: threads OpenCV may use, in the whole process: it has no other setting.
        score: least score of a face, 0 to 1.
    """

    name = "opencv"

    def __init__(self, *, threads: int = 1, score: float = SCORE) -> None:
        content = shipped_onnx().read_bytes()
        digest = hashlib.sha256(content).hexdigest()[:12]
        self.identity = f"opencv {cv2.__version__} yunet {digest} score {score}"
        self._score = score
        self._arguments = partial(type(self), threads=threads, score=score)
        self._rows: list[list[float]] = []
        cv2.setNumThreads(threads)
        with quiet():  # OpenCV 5 warns of its own choice of engine
            self._network = cv2.FaceDetectorYN.create(
                str(shipped_onnx()), "", (320, 320), min(score, HINT), OVERLAP, _MOST_FACES
            )

    def __reduce__(self) -> tuple[object, ...]:
        return self._arguments, ()

    def find(self, rgb: Pixels) -> list[Detection]:
        """The faces of a uint8 H×W×3 RGB image, the surest first (see `FaceNetwork.find`)."""
        self._network.setInputSize((rgb.shape[1], rgb.shape[0]))
        _, rows = self._network.detect(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        self._rows = [] if rows is None else sorted(rows.tolist(), key=lambda row: -row[14])
        return [_detection(row) for row in self._rows if row[14] >= self._score]

    def hints(self) -> list[Detection]:
        """Where faces may be in the image last searched (see `HintingNetwork.hints`)."""
        return [_detection(row) for row in self._rows[:HINTS]]


def _detection(row: list[float]) -> Detection:
    points = tuple(zip(row[4:14:2], row[5:14:2], strict=True))
    return Detection(Box(*row[:4]), row[14], points)
