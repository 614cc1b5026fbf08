"""What a detector is to those who call it, and to those who write one."""

from __future__ import annotations

from typing import Final, Protocol, runtime_checkable

from fer_mobile.arrays import Pixels
from fer_mobile.images import Photo
from fer_mobile.types import Detection

DETECTION_SIDE: Final = 640
"""Longest side, in pixels, of the photo that a detector is shown unless told otherwise."""

DETECTION_SIDES: Final = range(64, 4096 + 1)
"""What it may be set to: below, no face is found; above, memory runs to gigabytes."""


class FaceDetector(Protocol):
    """Says where the faces of a photo are; threads that share a pipeline call it at once."""

    name: str
    identity: str
    """Changes whenever what it finds in a photo may."""
    side: int
    """Pixels that it wants of a photo's longest side; more do not change its answer."""

    def detect(self, photo: Photo) -> list[Detection]:
        """The faces of a photo, the surest first.

        Boxes and landmarks are in pixels of the upright photo at full resolution and may
        leave it; landmarks are in the order of `Detection.landmarks`, or faces are levelled upside
        down.  Raises PhotoError for a photo of which it can say nothing.
        """
        ...


class FaceNetwork(Protocol):
    """Finds faces in pixels as they are, for one thread at a time.

    `detect.scale.Scaled` makes a FaceDetector of it.
    """

    name: str
    identity: str

    def find(self, rgb: Pixels) -> list[Detection]:
        """The faces of an upright uint8 H×W×3 RGB image in its pixels, the surest first."""
        ...


@runtime_checkable
class HintingNetwork(FaceNetwork, Protocol):
    """A FaceNetwork that also says where a face may be that it is not sure of.

    Photos on a side are turned by its scores, which must be as YuNet's (`detect.orientation`).
    """

    def hints(self) -> list[Detection]:
        """The likeliest places of a face in the image that `find` was given last."""
        ...
