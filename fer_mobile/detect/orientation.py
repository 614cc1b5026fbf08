"""Photos that lie on a side or upside down without saying so, as scans do."""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np

from fer_mobile.arrays import Pixels
from fer_mobile.detect.interface import FaceDetector
from fer_mobile.detect.scale import Scaled, shrink
from fer_mobile.images import Photo
from fer_mobile.types import TURNS, Box, Detection, Point, Turn

_ROTATIONS: Final = {
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}

SURE: Final = 0.9
"""A face of such a score is upright: YuNet hardly gives it to faces that lie or stand on their
heads (benchmarks/orientation.py)."""

CERTAIN: Final = 0.75
"""A photo is turned for a face with a higher score; where there is no face, nothing has it."""

GLANCE_SIDE: Final = 96
"""Longest side, in pixels, of what is shown at other turns: 2% of a search at 640 px."""

LARGE: Final = 4 * GLANCE_SIDE
"""Longest side from which on squares about hints show more than the whole photo at a glance."""

REACH: Final = 1.6
"""Side of the square about a hint, over the longer side of its box."""


def find_turn(detector: FaceDetector, photo: Photo) -> tuple[Turn, list[Detection]]:
    """How a photo must be turned, and its faces in pixels of the photo so turned.

    Where no face of the photo as it is is `SURE`, the whole photo and, if it is `LARGE`, squares
    about the hints are searched at the other turns, at `GLANCE_SIDE`.  If a face is `CERTAIN`
    there, the turn with the surest is searched at full size, and is taken if that has a face that
    is `CERTAIN` and surer than those of the photo as it is.  A detector that gives no hints is
    shown the photo as it is, and nothing else.
    """
    if not isinstance(detector, Scaled) or not detector.gives_hints:
        return 0, detector.detect(photo)
    full = Photo(shrink(photo.rgb, detector.side), photo.size, photo.path)
    faces, hints = detector.search(full, SURE)
    if _surest(faces) >= SURE:
        return 0, faces
    views = _views(full, hints)
    scores = {
        turn: max(_surest(detector.detect(turned(view, turn))) for view in views)
        for turn in TURNS[1:]
    }
    best = max(scores, key=scores.__getitem__)
    if scores[best] > CERTAIN:
        others = detector.detect(turned(full, best))
        if _surest(others) > max(CERTAIN, _surest(faces)):
            return best, others
    return 0, faces


def _surest(faces: list[Detection]) -> float:
    return max((face.score or 0.0 for face in faces), default=0.0)


def _views(photo: Photo, hints: list[Detection]) -> list[Photo]:
    """The photo and the squares about the hints, small."""
    height, width = photo.rgb.shape[:2]
    boxes = [hint.box.scaled(photo.scale) for hint in hints if max(height, width) >= LARGE]
    squares = [square_about(box, width, height) for box in boxes]
    parts = [photo.rgb[rows, columns] for rows, columns in squares]
    small = [_small(rgb) for rgb in (photo.rgb, *parts) if rgb.size]
    return [Photo(rgb, (rgb.shape[1], rgb.shape[0]), photo.path) for rgb in small]


def _small(rgb: Pixels) -> Pixels:
    """The image at `GLANCE_SIDE`, halved first where it is large: a third of the time."""
    height, width = (side // 2 * 2 for side in rgb.shape[:2])
    if min(height, width) > 0 and max(height, width) >= LARGE:
        rgb = shrink(rgb[:height, :width], max(height, width) // 2)
    return shrink(rgb, GLANCE_SIDE)


def square_about(box: Box, width: int, height: int) -> tuple[slice, slice]:
    """Rows and columns of the square about a hint, as far as they lie in the image.

    Of a box outside of it there are none.
    """
    reach = REACH * max(box.width, box.height) / 2
    return (
        _within(box.y + box.height / 2, reach, height),
        _within(box.x + box.width / 2, reach, width),
    )


def _within(centre: float, reach: float, length: int) -> slice:
    return slice(math.floor(max(0, centre - reach)), math.ceil(max(0, min(length, centre + reach))))


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
