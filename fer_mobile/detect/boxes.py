"""Precomputed boxes, for those who have a detector of their own or have marked faces by hand.

A file of boxes is one of these, in UTF-8; boxes are in pixels of the upright photo at full
resolution, (x, y) the top left corner, and photos are named relative to the file's folder
or absolutely:

* CSV with the columns `path,x,y,width,height`, a row for each face; a photo without a face
  has one row whose four numbers are empty;
* JSON, an object from photo to a list of [x, y, width, height].

The box should hold a face as the shipped detector's does, from the hairline to the chin,
because the model's crop rule starts from its height.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer_mobile._deprecated import renamed
from fer_mobile.detect.interface import DETECTION_SIDE
from fer_mobile.errors import InputError, PhotoError
from fer_mobile.images import Photo
from fer_mobile.preprocess import check_boxes
from fer_mobile.types import Box, Detection

COLUMNS: Final = ("path", "x", "y", "width", "height")
_NUMBERS: Final = "four finite numbers x, y, width, height with positive width and height"


class PrecomputedBoxes:
    """A `fer_mobile.detect.FaceDetector` that is told where the faces of certain photos are.

    Args:
        boxes: boxes by photo; a photo without a face has none.  A photo that is not listed is
            refused, because nothing is known of it.
        origin: what errors call these boxes.

    Raises InputError when a box is not `_NUMBERS`.
    """

    name = "boxes"
    side = DETECTION_SIDE

    def __init__(
        self, boxes: Mapping[str | Path, Iterable[Sequence[float]]], origin: str = "boxes"
    ) -> None:
        self._origin = origin
        self._boxes: dict[Path, list[Box]] = {}
        for path, listed in boxes.items():
            known = self._boxes.setdefault(Path(path).resolve(), [])
            known += as_boxes(listed, f"{origin}, {path}")
        content = repr(sorted(self._boxes.items())).encode("utf-8", "surrogateescape")
        self.identity = f"boxes {hashlib.sha256(content).hexdigest()[:12]}"

    def detect(self, photo: Photo) -> list[Detection]:
        """The boxes listed for the photo's file, in their order (see `FaceDetector.detect`)."""
        listed = self._boxes.get(Path(photo.path).resolve()) if photo.path else None
        if listed is None:
            raise PhotoError(
                photo.path or "the photo",
                expected=f"a photo that {self._origin} lists",
                found="it is not there",
                hint="A photo without a face is listed with no box.",
            )
        check_boxes(listed, photo, self._origin)
        return [Detection(box, None) for box in listed]


if not TYPE_CHECKING:
    __getattr__ = renamed(__name__, OwnBoxes="PrecomputedBoxes")


def as_boxes(listed: Iterable[Sequence[float]], origin: str) -> list[Box]:
    """Rows of x, y, width, height as boxes; InputError, which names `origin`, where one is none."""
    try:
        return [_box(values, origin) for values in listed]
    except TypeError as error:
        raise InputError(origin, expected=f"boxes, each {_NUMBERS}", found=repr(listed)) from error


def read_boxes(path: str | Path) -> PrecomputedBoxes:
    """The boxes of a CSV or JSON file.

    Raises InputError, which names file and line, when there is none or it is malformed.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        found = error.strerror if isinstance(error, OSError) else "other bytes"
        raise InputError(
            path, expected="a file of boxes in UTF-8", found=str(found).lower()
        ) from error
    rows = _json_rows(path, text) if text.lstrip()[:1] == "{" else _csv_rows(path, text)
    boxes: dict[str | Path, list[Box]] = {}
    for name, box in rows:
        listed = boxes.setdefault(path.parent / name, [])
        if box is not None:
            listed.append(box)
    return PrecomputedBoxes(boxes, origin=str(path))


_Rows = Iterator[tuple[str, Box | None]]
"""A photo's name with one of its boxes, or with None, which lists the photo alone."""


def _csv_rows(path: Path, text: str) -> _Rows:
    reader = csv.DictReader(text.splitlines(), strict=True)
    try:
        if missing := [name for name in COLUMNS if name not in (reader.fieldnames or ())]:
            raise InputError(
                f"{path}, line 1",
                expected=f"the columns {', '.join(COLUMNS)}, or a JSON object",
                found=f"no {missing[0]}",
            )
        for row in reader:
            where = f"{path}, line {reader.line_num}"
            name, *values = (row[column] for column in COLUMNS)
            if not name:
                raise InputError(where, expected="the path of a photo", found="none")
            yield name, _box(values, where) if any(values) else None
    except csv.Error as error:
        raise InputError(
            f"{path}, line {reader.reader.line_num}", expected="a row of CSV", found=str(error)
        ) from error


def _json_rows(path: Path, text: str) -> _Rows:
    try:
        # Pairs, not a dict: of a photo that occurs twice nothing is lost.
        pairs = json.loads(text, object_pairs_hook=list)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise InputError(
            f"{path}, line {line}", expected="JSON", found=str(error).rstrip(".")
        ) from error
    for name, listed in pairs:
        where = f"{path}, line {_line(text, name)}"
        if not isinstance(listed, list):
            raise InputError(where, expected=f"a list of boxes for {name}", found=repr(listed))
        yield name, None
        for values in listed:
            yield name, _box(values, where)


def _line(text: str, key: str) -> int:
    """The line of a JSON text where a key first occurs."""
    written = (json.dumps(key, ensure_ascii=ascii_only) for ascii_only in (False, True))
    return text.count("\n", 0, max(text.find(key) for key in written)) + 1


def _box(values: Any, where: str) -> Box:
    """Four numbers as a box; InputError says where they are none."""
    try:
        given = list(islice(values, len(Box._fields) + 1))  # a range may be longer than memory
        # NumPy's complex numbers have a float(), which leaves a part out.
        numbers = [] if any(map(np.iscomplexobj, given)) else list(map(float, given))
    except (TypeError, ValueError, OverflowError):
        numbers = []
    if (
        len(numbers) != len(Box._fields)
        or not all(map(math.isfinite, numbers))
        or min(numbers[2:]) <= 0
    ):
        raise InputError(where, expected=_NUMBERS, found=repr(values))
    return Box(*numbers)
