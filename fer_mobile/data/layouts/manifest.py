"""A csv file that lists images: path and label a row, and if known split, subject and box.

| column | other names | meaning |
|---|---|---|
| path | file, filename, image, image_path, pth and others | of the image, from the csv's folder |
| label | class, emotion, expression, category | the name of its class |
| split | set, subset, usage | train, valid or test in any spelling |
| subject | person, group | pictures of one stay in one split |
| x, y, width, height | w, h | box of the face in pixels; without them the image is the face |
| x1, y1, x2, y2 | left, top, right, bottom; xmin, ymin, xmax, ymax | the same by its corners |

Cells are parted by commas, semicolons or tabs.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from fer_mobile.data.dataset import Skipped
from fer_mobile.data.face_files import FaceFiles
from fer_mobile.data.layouts import tables
from fer_mobile.data.layouts.raw import RawFaces
from fer_mobile.data.splits import UNKNOWN, split_number
from fer_mobile.errors import DataError
from fer_mobile.files import is_file
from fer_mobile.types import Box

DESCRIPTION: Final = "a csv file with the columns path and label"
NAMES: Final = ("manifest.csv", "labels.csv", "metadata.csv")
"""What it may be called in a folder."""

_COLUMNS: Final = {
    "path": (
        "path", "file", "filename", "file_name", "image", "image_path", "image_name", "image_id",
        "img", "filepath", "pth",
    ),
    "label": ("label", "class", "emotion", "expression", "category"),
    "split": ("split", "set", "subset", "usage"),
    "subject": ("subject", "person", "group"),
    "x": ("x",), "y": ("y",), "width": ("width", "w"), "height": ("height", "h"),
    "x1": ("x1", "xmin", "left"), "y1": ("y1", "ymin", "top"),
    "x2": ("x2", "xmax", "right"), "y2": ("y2", "ymax", "bottom"),
}  # fmt: skip
_BOX: Final = ("x", "y", "width", "height")
_CORNERS: Final = ("x1", "y1", "x2", "y2")


class _Row(NamedTuple):
    line: int
    path: str
    label: str
    split: int
    subject: str
    box: Box | None


def recognise(path: Path) -> bool:
    """Any other csv file, or a folder with one of `NAMES`."""
    return _file(path) is not None


def read(path: Path, side: int) -> RawFaces:
    """Every row whose image is there; nothing is decoded yet.

    Raises DataError, with the line, for a missing column, an unknown split, a box that is
    none, an image that is listed twice in different splits or with different labels and no
    boxes.
    """
    file = _file(path) or path
    listed = list(_rows(file))
    rows = _refuse_overlap(file, listed)
    is_there = [is_file(file.parent / row.path) for row in rows]
    there = [row for row, found in zip(rows, is_there, strict=True) if found]
    missing = [row.path for row, found in zip(rows, is_there, strict=True) if not found]
    skipped = []
    if len(rows) < len(listed):
        counts = Counter((row.path, row.box) for row in listed)
        again = tuple(path for (path, _), count in counts.items() if count > 1)
        skipped.append(Skipped("listed twice", len(listed) - len(rows), again[:3]))
    if missing:
        skipped.append(Skipped("listed and not there", len(missing), tuple(missing[:3])))
    if not there:
        raise DataError(
            file,
            expected="images of its rows, from the csv's folder",
            found=f"none of {len(rows)}" + (f", the first is {missing[0]!r}" if missing else ""),
        )
    files = [file.parent / row.path for row in there]
    return RawFaces(
        f"a list of images ({file.name})",
        FaceFiles(files, [row.box for row in there], side),
        np.array([row.split for row in there], np.int8),
        classes=tuple(row.label for row in there),
        files=tuple(map(str, files)),
        groups=tuple(row.subject or row.path for row in there),
        skipped=tuple(skipped),
    )


def _file(path: Path) -> Path | None:
    if path.is_file():
        return path if path.suffix.lower() == ".csv" else None
    return next((path / name for name in NAMES if (path / name).is_file()), None)


def _rows(file: Path) -> Iterator[_Row]:
    line = 1
    try:
        lines = tables.read_lines(file)
        header = [name.strip().lower() for name in next(lines, [])]
        places = _places(file, header)
        for line, cells in enumerate(lines, 2):
            if len(cells) < len(header) and any(cells):
                raise ValueError(f"{len(cells)} of {len(header)} cells")
            if any(cells):
                yield _row(line, cells, places)
    except (OSError, UnicodeError, csv.Error, ValueError) as error:
        raise DataError(
            file,
            expected="a row for each image",
            found=f"{tables.describe_error(error)} in line {line}",
        ) from error


def _places(file: Path, header: list[str]) -> dict[str, int]:
    """Where each column is."""
    places = {
        key: header.index(next(name for name in names if name in header))
        for key, names in _COLUMNS.items()
        if not set(names).isdisjoint(header)
    }
    missing = [key for key in ("path", "label") if key not in places]
    for box in (_BOX, _CORNERS):
        if not set(box).isdisjoint(places):
            missing += [key for key in box if key not in places]
    twice = [header[place] for place in places.values() if header.count(header[place]) > 1]
    if twice:
        raise DataError(file, expected=f"one column {twice[0]}", found="several")
    if missing:
        raise DataError(
            file,
            expected=f"the column {missing[0]}",
            found=", ".join(header[:8]) or "no line",
            hint="docs/data.md has the names of the columns.",
        )
    return places


def _row(line: int, cells: list[str], places: dict[str, int]) -> _Row:
    values = {key: cells[place].strip() for key, place in places.items()}
    split = UNKNOWN
    if values.get("split"):
        number = split_number(values["split"])
        if number is None:
            raise ValueError(f"split {values['split']!r}")
        split = number
    box = _box([values.get(key, "") for key in _BOX])
    if box is None:
        box = _box([values.get(key, "") for key in _CORNERS], corners=True)
    if not values["path"] or not values["label"]:
        raise ValueError("no path" if not values["path"] else "no label")
    path = values["path"].replace("\\", "/")  # as Windows writes it
    return _Row(line, path, values["label"], split, values.get("subject", ""), box)


def _box(cells: list[str], *, corners: bool = False) -> Box | None:
    """A box of four cells; None where they are empty."""
    if not any(cells):
        return None
    x, y, width, height = map(float, cells)
    box = Box(x, y, width - x, height - y) if corners else Box(x, y, width, height)
    if not (box.width > 0 and box.height > 0 and all(np.isfinite(box))):
        raise ValueError(f"the box {', '.join(cells)}")
    return box


def _refuse_overlap(file: Path, rows: list[_Row]) -> list[_Row]:
    """Each face once; DataError where one is in two splits or has two labels."""
    seen: dict[tuple[str, Box | None], _Row] = {}
    for row in rows:
        first = seen.setdefault((row.path, row.box), row)
        for what, one, other in (
            ("split", first.split, row.split),
            ("label", first.label, row.label),
        ):
            if one != other:
                raise DataError(
                    file,
                    expected=f"each image in one {what}",
                    found=f"{row.path!r} in two (lines {first.line} and {row.line})",
                )
    return list(seen.values())
