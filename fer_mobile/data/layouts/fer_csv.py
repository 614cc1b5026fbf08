"""FER2013 as csv: emotion, pixels and Usage a row; with FER+'s votes beside it, or alone."""

from __future__ import annotations

import csv
import math
import warnings
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_mobile.data.dataset import Skipped
from fer_mobile.data.layouts import tables
from fer_mobile.data.layouts.raw import RawFaces
from fer_mobile.data.protocols import Votes
from fer_mobile.data.splits import UNKNOWN, split_number
from fer_mobile.errors import DataError
from fer_mobile.labels import FERPLUS_VOTES
from fer_mobile.wording import counted

DESCRIPTION: Final = "fer2013.csv (emotion, pixels, Usage), with fer2013new.csv (FER+) or alone"
FACES, VOTES = "fer2013.csv", "fer2013new.csv"
"""Names of the two files in a folder."""

_OTHER_NAMES: Final = ("icml_face_data.csv",)
"""Other names that Kaggle gives the first of them."""

_VOTE_COLUMNS: Final = tuple(name.lower() for name in FERPLUS_VOTES)


def recognise(path: Path) -> bool:
    """A csv file with the columns emotion and pixels, or a file or folder of a known name."""
    file = _faces_file(path)
    if file is None:
        return False
    return file.name in (FACES, *_OTHER_NAMES) or {"emotion", "pixels"} <= set(tables.header(file))


def read(path: Path, side: int) -> RawFaces:
    """Every face, at the size that it is stored in; rows that FER+ calls no face are skipped."""
    file = _faces_file(path) or path
    crowd = file.with_name(VOTES)
    has_votes = crowd.is_file()
    rows = _joined(file, crowd) if has_votes else ((row, None) for row in _rows(file))
    images: list[NDArray[np.uint8]] = []
    split, labels, votes, no_faces = [], [], [], 0
    try:
        for row, cast in rows:
            if cast is not None:
                if not cast["image name"]:
                    no_faces += 1
                    continue
                votes.append([_number("vote", cast[name]) for name in _VOTE_COLUMNS])
            labels.append(_number("emotion", row["emotion"], 255 if has_votes else 6))
            split.append(_split(row.get("usage")))
            image = _pixels(row["pixels"])
            if images and image.shape != images[0].shape:
                raise ValueError(f"{len(image)} px, not {len(images[0])} as before,")
            images.append(image)
        pixels = np.stack(images) if images else np.empty((0, 48, 48), np.uint8)
        counts = np.array(votes, np.uint8).reshape(-1, len(FERPLUS_VOTES)) if has_votes else None
    except (csv.Error, OSError, KeyError, ValueError) as error:
        expected = f"{file.name} (emotion, pixels, Usage)"
        if has_votes:
            expected += f" and {VOTES} (Usage, Image name, ten votes) with as many rows"
        raise DataError(
            path,
            expected=expected,
            found=f"{tables.describe_error(error)} after {counted(len(images), 'face')}",
        ) from error
    if not len(pixels):
        found = "the csv pair" if has_votes else file.name
        raise DataError(path, expected=f"faces in {found}", found="none")
    return RawFaces(
        "FER2013 (csv) with FER+ votes" if has_votes else "FER2013 (csv)",
        pixels,
        np.array(split, np.int8),
        Votes(counts, np.array(labels, np.int64)),
        skipped=(Skipped("rows that FER+ names no image for", no_faces),) if no_faces else (),
    )


def _faces_file(path: Path) -> Path | None:
    if path.is_file():
        return path if path.suffix.lower() == ".csv" else None
    places = (path / name for name in (FACES, *_OTHER_NAMES))
    return next((place for place in places if place.is_file()), None)


def _rows(file: Path) -> Iterator[dict[str, str]]:
    lines = tables.read_lines(file)
    names = [name.strip().lower() for name in next(lines, [])]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"several columns {twice[0]!r}")
    for cells in lines:
        if cells and len(cells) != len(names):
            raise ValueError(f"{counted(len(cells), 'cell')} for {counted(len(names), 'column')}")
        if cells:
            yield dict(zip(names, cells, strict=True))


def _joined(faces: Path, votes: Path) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Both files by the order of their rows, which is what joins them."""
    for row, cast in zip_longest(_rows(faces), _rows(votes)):
        if row is None or cast is None:
            raise ValueError(f"no more rows in {(faces if row is None else votes).name}")
        usages = row.get("usage"), cast.get("usage")
        if None not in usages and usages[0] != usages[1]:
            raise ValueError(f"Usage {usages[0]!r} beside {usages[1]!r} in {votes.name}")
        yield row, cast


def _number(what: str, text: str, most: int = 255) -> int:
    """A number from 0 to `most`."""
    number = int(text) if text.strip().isdecimal() else most + 1
    if number > most:
        raise ValueError(f"{what} {text!r}")
    return number


def _pixels(text: str) -> NDArray[np.uint8]:
    with warnings.catch_warnings(action="error"):
        try:
            values = np.fromstring(text, np.int32, sep=" ")
        except (DeprecationWarning, ValueError) as error:
            raise ValueError("pixels that are no whole numbers") from error
    side = math.isqrt(len(values))
    if not side or side * side != len(values):
        raise ValueError(f"{counted(len(values), 'pixel')}, no square")
    if values.min() < 0 or values.max() > 255:
        raise ValueError("a pixel outside 0 to 255")
    return values.astype(np.uint8).reshape(side, side)


def _split(usage: str | None) -> int:
    if usage is None:
        return UNKNOWN
    number = split_number(usage)
    if number is None:
        raise ValueError(f"Usage {usage!r}")
    return number
