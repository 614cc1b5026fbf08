"""Photos at the scale that detectors work at."""

from __future__ import annotations

from threading import Lock

import cv2
import numpy as np

from fer_mobile.arrays import Pixels
from fer_mobile.detect.interface import DETECTION_SIDE, FaceNetwork, HintingNetwork
from fer_mobile.images import Photo
from fer_mobile.types import Detection


class Scaled:
    """A `fer_mobile.detect.FaceDetector` that shows a network the photo with `side` pixels.

    A photo with fewer is shown as it is, or for a `side` above `DETECTION_SIDE` enlarged by as
    much as larger photos are: networks miss small faces for want of pixels, not of detail.
    Threads may share it; they take turns with the network.
    """

    def __init__(self, network: FaceNetwork, side: int = DETECTION_SIDE) -> None:
        self.name = network.name
        self.identity = f"{network.identity} at {side}"
        self.side = side
        self.gives_hints = isinstance(network, HintingNetwork)
        """Whether its network says where faces may be that it is not sure of."""
        self._network = network
        self._lock = Lock()

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self._network, self.side)

    def detect(self, photo: Photo) -> list[Detection]:
        """The faces of a photo, the surest first (see `FaceDetector.detect`)."""
        return self.search(photo)[0]

    def search(
        self, photo: Photo, enough: float | None = None
    ) -> tuple[list[Detection], list[Detection]]:
        """The faces as `detect` gives them, and the network's hints.

        There are none where it `gives_hints` not, or a face has a score of `enough`; nor without
        `enough`.
        """
        pixels = shrink(photo.rgb, self.side)
        growth = min(self.side / DETECTION_SIDE, self.side / max(pixels.shape[:2]))
        if growth > 1:
            enlarged = cv2.resize(pixels, None, fx=growth, fy=growth, interpolation=cv2.INTER_CUBIC)
            pixels = np.asarray(enlarged, np.uint8)
        to_full = max(photo.size) / max(pixels.shape[:2])
        hints: list[Detection] = []
        with self._lock:
            faces = self._network.find(pixels)
            unsure = enough is not None and all((face.score or 0) < enough for face in faces)
            if unsure and isinstance(self._network, HintingNetwork):
                hints = self._network.hints()
        return [face.scaled(to_full) for face in faces], [hint.scaled(to_full) for hint in hints]


def shrink(rgb: Pixels, side: int = DETECTION_SIDE) -> Pixels:
    """The uint8 H×W×3 image with its longest side at most `side` pixels; never enlarged.

    Every new pixel is the mean of the area it covers, so nothing aliases.  The sides' ratio
    is kept to half a pixel.
    """
    height, width = rgb.shape[:2]
    factor = side / max(height, width)
    if factor >= 1:
        return rgb
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
