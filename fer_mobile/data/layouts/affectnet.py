"""AffectNet as its authors give it: folders of photos, and lists of faces as csv files.

Each list row names a photo, the box of its face and an expression (0-10).  None, Uncertain and
Non-Face are skipped, as the thesis did (003, section 3.3.1); so are rows whose photo is not
there.  `training.csv` is train, `validation.csv` is valid.  Nothing is decoded before it is
used.  (Mollahosseini et al., 2017.)
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from fer_mobile.data.dataset import Skipped
from fer_mobile.data.face_files import FaceFiles
from fer_mobile.data.layouts import tables
from fer_mobile.data.layouts.raw import RawFaces
from fer_mobile.errors import DataError
from fer_mobile.files import is_file
from fer_mobile.types import Box

DESCRIPTION: Final = "AffectNet's folder with training.csv and validation.csv"

EXPRESSIONS: Final = (
    "neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt",
)  # fmt: skip
"""AffectNet's numbers 0 to 7."""

OTHERS: Final = {8: "None", 9: "Uncertain", 10: "Non-Face"}
"""Its other numbers, which name no expression."""

LISTS: Final = ("training.csv", "validation.csv")
_LIST_FOLDERS: Final = ("", "Manually_Annotated_file_lists")
_PHOTO_FOLDERS: Final = (
    "", "Manually_Annotated_Images", "Manually_Annotated/Manually_Annotated_Images",
)  # fmt: skip
_PATH: Final = "subdirectory_filepath"
_COLUMNS: Final = (
    _PATH, "face_x", "face_y", "face_width", "face_height",
    "facial_landmarks", "expression", "valence", "arousal",
)  # fmt: skip
"""Of a list without a head line."""


def recognise(path: Path) -> bool:
    """A folder with one of AffectNet's lists."""
    return bool(_find_lists(path))


def read(path: Path, side: int) -> RawFaces:
    """The faces of both lists whose photos are there."""
    faces: list[tuple[Path, Box | None, str, int]] = []
    others: Counter[str] = Counter()
    missing: list[str] = []
    for file in _find_lists(path):
        number = LISTS.index(file.name)
        for name, box, expression in _rows(file):
            photo = _photo(path, name)
            if expression in OTHERS:
                others[OTHERS[expression]] += 1
            elif photo is None:
                missing.append(name)
            else:
                faces.append((photo, box, EXPRESSIONS[expression], number))
    if not faces:
        raise DataError(
            path,
            expected=f"photos of AffectNet's lists, in the folder or in {_PHOTO_FOLDERS[1]}",
            found="none",
        )
    splits: dict[tuple[Path, Box | None], int] = {}
    for photo, box, _, number in faces:
        if splits.setdefault((photo, box), number) != number:
            raise DataError(path, expected="each face in one list", found=f"{photo.name} in both")
    photos, boxes, classes, split = zip(*faces, strict=True)
    skipped = [Skipped(f"of expression {name}", count) for name, count in sorted(others.items())]
    if missing:
        skipped.append(Skipped("listed and not there", len(missing), tuple(missing[:3])))
    return RawFaces(
        "AffectNet",
        FaceFiles(photos, boxes, side),
        np.array(split, np.int8),
        classes=classes,
        files=tuple(map(str, photos)),
        groups=tuple(str(photo.relative_to(path)) for photo in photos),
        skipped=tuple(skipped),
    )


def _find_lists(folder: Path) -> list[Path]:
    places = (folder / part / name for part in _LIST_FOLDERS for name in LISTS)
    return [path for path in places if path.is_file()]


def _photo(folder: Path, name: str) -> Path | None:
    places = (folder / part / name for part in _PHOTO_FOLDERS)
    return next((path for path in places if is_file(path)), None)


def _rows(file: Path) -> Iterator[tuple[str, Box | None, int]]:
    """Photo, box and number of the expression of each row."""
    line = 0
    try:
        for line, cells in enumerate(tables.read_lines(file), 1):
            if line == 1:
                names = [name.strip().lower() for name in cells]
                head = names if _PATH in names else list(_COLUMNS)
                if names == head:
                    continue
            row = dict(zip(head, cells, strict=False))
            expression = int(row["expression"])
            if not 0 <= expression < len(EXPRESSIONS) + len(OTHERS):
                raise ValueError(f"expression {expression}")
            yield row[_PATH], _box(row), expression
    except (OSError, UnicodeError, csv.Error, KeyError, ValueError) as error:
        raise DataError(
            file,
            expected=f"AffectNet's columns {', '.join(_COLUMNS[:5])}, expression",
            found=f"{tables.describe_error(error)} in line {line}",
        ) from error


def _box(row: dict[str, str]) -> Box | None:
    """The face's box; None where the list gives none (then the photo is the face)."""
    values = [row.get(key, "") for key in _COLUMNS[1:5]]
    if not all(values):
        return None
    x, y, width, height = map(float, values)
    return Box(x, y, width, height) if width > 0 and height > 0 else None
