"""Photos that lie on a side or upside down without saying so, as scans do."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from fer_mobile.detect.interface import FaceDetector
from fer_mobile.detect.scale import shrink
from fer_mobile.images import Photo
from fer_mobile.types import TURNS, Box, Detection, DetectorName, Point, Turn

DETECTORS: Final[tuple[DetectorName, ...]] = ("yunet", "opencv")
"""Those whose scores the limits below are for: both are YuNet."""

_ROTATIONS: Final = {
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}

SURE: Final = 0.9
"""A face of such a score is upright: YuNet hardly gives it to faces that lie or stand on their
heads (benchmarks/orientation.py)."""

CERTAIN: Final = 0.75
"""Least score of the face for which a photo is turned; where there is no face, nothing has it."""

GLANCE_SIDE: Final = 192
"""Longest side, in pixels, at which other turns are searched: a tenth of the time at 640 px."""


def find_turn(detector: FaceDetector, photo: Photo) -> tuple[Turn, list[Detection]]:
    """How a photo must be turned, and its faces in pixels of the photo so turned.

    Where no face of the photo as it is is `SURE`, the other turns are searched at `GLANCE_SIDE`.
    The one with the surest face is searched again at full size, and is taken if that has a face
    that is `CERTAIN` and surer than those of the photo as it is.  Detectors other than
    `DETECTORS` are shown the photo as it is, and nothing else.
    """
    if detector.name not in DETECTORS:
        return 0, detector.detect(photo)
    full = Photo(shrink(photo.rgb, detector.side), photo.size, photo.path)
    faces = detector.detect(full)
    if _surest(faces) >= SURE:
        return 0, faces
    small = Photo(shrink(full.rgb, GLANCE_SIDE), photo.size, photo.path)
    scores = {turn: _surest(detector.detect(turned(small, turn))) for turn in TURNS[1:]}
    best = max(scores, key=scores.__getitem__)
    if scores[best] > 0:
        others = detector.detect(turned(full, best))
        if _surest(others) > max(CERTAIN, _surest(faces)):
            return best, others
    return 0, faces


def _surest(faces: list[Detection]) -> float:
    return max((face.score or 0.0 for face in faces), default=0.0)


def turned(photo: Photo, turn: Turn) -> Photo:
    """The photo, turned clockwise by 0, 90, 180 or 270 degrees."""
    if turn == 0:
        return photo
    width, height = photo.size
    size = (width, height) if turn == 180 else (height, width)
    return Photo(np.asarray(cv2.rotate(photo.rgb, _ROTATIONS[turn]), np.uint8), size, photo.path)


def turned_back(face: Detection, size: tuple[int, int], turn: Turn) -> Detection:
    """A face of a turned photo, as it lies in the photo before it was turned.

    `size` is width and height of the photo before it was turned.
    """
    if turn == 0:
        return face
    box = face.box
    corners = (
        _turned_back((box.x, box.y), size, turn),
        _turned_back((box.x + box.width, box.y + box.height), size, turn),
    )
    (left, right), (top, bottom) = (sorted(values) for values in zip(*corners, strict=True))
    points = tuple(_turned_back(point, size, turn) for point in face.landmarks)
    return Detection(Box(left, top, right - left, bottom - top), face.score, points)


def _turned_back(point: Point, size: tuple[int, int], turn: Turn) -> Point:
    (x, y), (width, height) = point, size
    if turn == 180:
        return width - x, height - y
    return (y, height - x) if turn == 90 else (width - y, x)
