"""AffectNet as its authors give it: folders of photos, and lists of faces as csv files.

Each list row names a photo, the box of its face and an expression (0-10).  None, Uncertain and
Non-Face are left out, as the thesis did (003, section 3.3.1); so are rows whose photo is not
there.  Nothing is decoded before it is used.  (Mollahosseini et al., 2017.)
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from fer_mobile.data.dataset import Dataset
from fer_mobile.data.face_files import FaceFiles
from fer_mobile.data.protocols import vocabulary
from fer_mobile.data.split import hashed_split
from fer_mobile.errors import DataError
from fer_mobile.types import Box

EXPRESSIONS: Final = (
    "neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt",
)  # fmt: skip
"""AffectNet's numbers 0 to 7; 8 is None, 9 Uncertain, 10 Non-Face."""

LISTS: Final = ("training.csv", "validation.csv")
_LIST_FOLDERS: Final = ("", "Manually_Annotated_file_lists")
_PHOTO_FOLDERS: Final = (
    "", "Manually_Annotated_Images", "Manually_Annotated/Manually_Annotated_Images",
)  # fmt: skip
_PATH: Final = "subDirectory_filePath"
_COLUMNS: Final = (
    _PATH, "face_x", "face_y", "face_width", "face_height",
    "facial_landmarks", "expression", "valence", "arousal",
)  # fmt: skip
"""Of a list without a head line."""


def find_lists(folder: Path) -> list[Path]:
    """The lists of an AffectNet folder; none where `folder` is something else."""
    places = (folder / part / name for part in _LIST_FOLDERS for name in LISTS)
    return [path for path in places if path.is_file()]


def read_affectnet(folder: Path, protocol: str, split: str, side: int) -> Dataset:
    """The faces of one split, gray squares of `side` px that are decoded when they are used.

    Both lists together are parted anew, nine faces in ten to train and one to valid, by the
    photo's name; `protocol` only names the vocabulary.  Raises DataError for a list that
    cannot be read and for one without a photo that is there.
    """
    names = vocabulary(protocol)
    paths, boxes, labels = [], [], []
    for file in find_lists(folder):
        for name, box, number in _rows(file):
            if number >= len(EXPRESSIONS) or EXPRESSIONS[number] not in names:
                continue
            if split not in ("all", hashed_split(Path(name))):
                continue
            path = _photo(folder, name)
            if path is None:
                continue
            paths.append(path)
            boxes.append(box)
            labels.append(names.index(EXPRESSIONS[number]))
    if not paths:
        raise DataError(
            folder,
            expected=f"photos of AffectNet's lists in split {split!r}, in the folder or in "
            f"{_PHOTO_FOLDERS[1]}",
            found="none",
        )
    numbers = np.array(labels, np.int64)
    targets = np.eye(len(names), dtype=np.float32)[numbers]
    faces = FaceFiles(paths, boxes, side)
    return Dataset(faces, numbers, targets, names, protocol, split, tuple(map(str, paths)))


def _photo(folder: Path, name: str) -> Path | None:
    places = (folder / part / name for part in _PHOTO_FOLDERS)
    return next((path for path in places if path.is_file()), None)


def _rows(file: Path) -> Iterator[tuple[str, Box | None, int]]:
    """Photo, box and number of the expression of each row."""
    line = 0
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            for line, cells in enumerate(csv.reader(lines), 1):
                if line == 1:
                    head = cells if _PATH in cells else list(_COLUMNS)
                    if cells == head:
                        continue
                row = dict(zip(head, cells, strict=False))
                yield row[_PATH], _box(row), int(row["expression"])
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, ValueError) as error:
        raise DataError(
            file,
            expected=f"AffectNet's columns {', '.join(_COLUMNS[:5])}, expression",
            found=f"{error!r} in line {line}",
        ) from error


def _box(row: dict[str, str]) -> Box | None:
    """The face's box; None where the list gives none (then the photo is the face)."""
    values = [row.get(key, "") for key in _COLUMNS[1:5]]
    if not all(values):
        return None
    x, y, width, height = map(float, values)
    return Box(x, y, width, height) if width > 0 and height > 0 else None
