"""A csv file that lists images: path and label a row, and if known split, subject and box.

| column | other names | meaning |
|---|---|---|
| path | file, filename, image, image_path, filepath | of the image, from the csv's folder |
| label | class, emotion, expression, category | the name of its class |
| split | set, subset, usage | train, valid or test in any spelling |
| subject | person, group | pictures of one stay in one split |
| x, y, width, height | | box of the face in pixels; without them the image is the face |
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from fer_mobile.data.dataset import Skipped
from fer_mobile.data.face_files import FaceFiles
from fer_mobile.data.layouts.raw import RawFaces
from fer_mobile.data.splits import UNKNOWN, split_number
from fer_mobile.errors import DataError
from fer_mobile.types import Box

DESCRIPTION: Final = "a csv file with the columns path and label"
NAMES: Final = ("manifest.csv", "labels.csv", "metadata.csv")
"""What it may be called in a folder."""

_COLUMNS: Final = {
    "path": ("path", "file", "filename", "image", "image_path", "filepath"),
    "label": ("label", "class", "emotion", "expression", "category"),
    "split": ("split", "set", "subset", "usage"),
    "subject": ("subject", "person", "group"),
    "x": ("x",), "y": ("y",), "width": ("width", "w"), "height": ("height", "h"),
}  # fmt: skip
_BOX: Final = ("x", "y", "width", "height")


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
    rows = list(_rows(file))
    _refuse_overlap(file, rows)
    there = [row for row in rows if (file.parent / row.path).is_file()]
    missing = [row.path for row in rows if not (file.parent / row.path).is_file()]
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
        skipped=(Skipped("listed and not there", len(missing), tuple(missing[:3])),)
        if missing
        else (),
    )


def _file(path: Path) -> Path | None:
    if path.is_file():
        return path if path.suffix.lower() == ".csv" else None
    return next((path / name for name in NAMES if (path / name).is_file()), None)


def _rows(file: Path) -> Iterator[_Row]:
    line = 1
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.reader(lines)
            header = [name.strip().lower() for name in next(reader, [])]
            places = _places(file, header)
            for line, cells in enumerate(reader, 2):
                if cells:
                    yield _row(line, cells, places)
    except (OSError, UnicodeDecodeError, csv.Error, IndexError, ValueError) as error:
        found = str(error) or type(error).__name__
        raise DataError(
            file, expected="a row for each image", found=f"{found} in line {line}"
        ) from error


def _places(file: Path, header: list[str]) -> dict[str, int]:
    """Where each column is."""
    places = {
        key: header.index(name)
        for key, names in _COLUMNS.items()
        for name in names
        if name in header
    }
    missing = [key for key in ("path", "label") if key not in places]
    boxes = [key for key in _BOX if key in places]
    if boxes and len(boxes) < len(_BOX):
        missing += [key for key in _BOX if key not in places]
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
    box = None
    if all(values.get(key) for key in _BOX):
        box = Box(*(float(values[key]) for key in _BOX))
        if not (box.width > 0 and box.height > 0 and all(np.isfinite(box))):
            raise ValueError(f"the box {', '.join(values[key] for key in _BOX)}")
    if not values["path"] or not values["label"]:
        raise ValueError("no path" if not values["path"] else "no label")
    return _Row(line, values["path"], values["label"], split, values.get("subject", ""), box)


def _refuse_overlap(file: Path, rows: list[_Row]) -> None:
    """DataError where a face is in two splits or has two labels."""
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
