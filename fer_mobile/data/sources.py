"""Where faces come from: an npz file, the original csv pair, AffectNet, or folders of images."""

from __future__ import annotations

import csv
import os
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from fer_mobile.data.affectnet import find_lists, read_affectnet
from fer_mobile.data.dataset import SPLITS, Dataset
from fer_mobile.data.face_files import load_face
from fer_mobile.data.protocols import Votes, find_protocol, vocabulary
from fer_mobile.data.split import hashed_split
from fer_mobile.errors import DataError, PhotoError, choose
from fer_mobile.images import find_photos
from fer_mobile.labels import FERPLUS_VOTES, canonical

ENVIRONMENT: Final = "FER_MOBILE_DATA"
"""Environment variable that names the data when no path is given."""

NPZ_NAME: Final = "fer_train_valid.npz"
CSV_NAMES: Final = ("fer2013.csv", "fer2013new.csv")
_NPZ_KEYS: Final = ("images", "split", "votes", "fer2013_label")
_COLUMNS: Final = {
    "images": ("uint8 [N, H, W]", "u", 3),
    "split": ("integers [N]", "iu", 1),
    "votes": (f"integers [N, {len(FERPLUS_VOTES)}]", "iu", 2),
    "fer2013_label": ("integers [N]", "iu", 1),
    "copy_of": ("integers [N]", "iu", 1),
    "label_certain": ("booleans [N]", "b", 1),
}
"""What is read of an npz: in words, as kinds of dtype, as a number of dimensions."""
_USAGE: Final = {"Training": 0, "PublicTest": 1, "PrivateTest": 2}
_SIDE: Final = 48
"""Height and width of FER2013's images in pixels."""

_TEST_COPY: Final = 2
"""Bit of `copy_of`: an exact copy is in the test split (1: in valid)."""


@dataclass(frozen=True, slots=True)
class _Faces:
    """Every row of a FER2013 source before a protocol is applied."""

    images: np.ndarray
    split: np.ndarray
    raw: Votes
    copy_of: np.ndarray
    label_certain: np.ndarray


def data_path(path: str | Path | None = None) -> Path:
    """`path`, or what the environment variable names; DataError when there is neither."""
    chosen = path or os.environ.get(ENVIRONMENT)
    if not chosen:
        raise DataError(
            "data",
            expected="a dataset",
            found="no path",
            hint=f"Give --data PATH or set {ENVIRONMENT}.",
        )
    found = Path(chosen)
    if not found.exists():
        raise DataError(found, expected="a file or folder", found="nothing there")
    return found


def load_dataset(
    path: str | Path | None = None,
    *,
    protocol: str = "ferplus-strict",
    split: str = "valid",
    training: bool = False,
    side: int = 112,
) -> Dataset:
    """Load the faces of one split under one protocol.

    `path` is an npz file with the keys images, split, votes and fer2013_label (see
    docs/data.md), a folder that holds such a file or the pair fer2013.csv +
    fer2013new.csv, AffectNet's folder (see `affectnet`), or a folder of images
    ``[split/]class/photo.jpg``.  The images of the last two are faces; they become gray squares
    of `side` px, and the protocol only names the vocabulary.  With `training`, rows to learn
    from: those of the train split whose pixels occur in valid or test are left out, and under
    FER2013's own labels those whose pixels occur under different ones.

    Raises DataError when the source, protocol or split cannot be used.
    """
    find_protocol(protocol)
    choose("split", split, dict.fromkeys(SPLITS), DataError)
    source = data_path(path)
    if source.is_dir() and (source / NPZ_NAME).is_file():
        source = source / NPZ_NAME
    if source.is_file():
        if source.suffix != ".npz":
            raise DataError(
                source, expected="an .npz file or a folder", found=source.suffix or "a file"
            )
        dataset = _apply(_read_npz(source), protocol, split, training)
    elif all((source / name).is_file() for name in CSV_NAMES):
        dataset = _apply(_read_csv(source), protocol, split, training)
    elif find_lists(source):
        dataset = read_affectnet(source, protocol, split, side)
    else:
        dataset = _read_folders(source, protocol, split, side)
    if not len(dataset):
        raise DataError(source, expected=f"faces in split {split!r}", found="none")
    return dataset


def _apply(faces: _Faces, protocol: str, split: str, training: bool) -> Dataset:
    labelled = find_protocol(protocol)(faces.raw)
    keep = labelled.keep.copy()
    if training:
        keep &= (faces.split != 0) | (faces.copy_of == 0)
        if protocol in ("fer2013", "fer2013-4"):
            keep &= (faces.split != 0) | faces.label_certain
    if split != "all":
        keep &= faces.split == SPLITS.index(split)
    return Dataset(
        faces.images[keep],
        labelled.labels[keep].astype(np.int64),
        labelled.targets[keep],
        labelled.names,
        protocol,
        split,
    )


def _read_npz(path: Path) -> _Faces:
    try:
        with np.load(path, allow_pickle=False) as archive:
            missing = [key for key in _NPZ_KEYS if key not in archive]
            if missing:
                raise DataError(
                    path,
                    expected=f"the keys {', '.join(_NPZ_KEYS)}",
                    found=f"{', '.join(archive.files) or 'none'}",
                    hint=f"Add {', '.join(missing)}.",
                )
            columns = {key: archive[key] for key in _COLUMNS if key in archive}
    # A single array is no archive (TypeError); the others are what damage looks like.
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(path, expected="a readable .npz file", found=str(error)) from error
    return _checked(path, columns)


def _checked(source: Path, columns: dict[str, np.ndarray]) -> _Faces:
    """The columns as faces; DataError where one is not what `_COLUMNS` says."""
    count = columns["split"].size
    for key, values in columns.items():
        words, dtype, dimensions = _COLUMNS[key]
        right = values.dtype.kind in dtype and values.ndim == dimensions and len(values) == count
        if key == "images":
            right = right and values.dtype == np.uint8
        if key == "votes":
            right = right and values.shape[1] == len(FERPLUS_VOTES)
        if not right:
            raise DataError(
                source,
                expected=f"{key}: {words}, N as in split ({count})",
                found=f"{values.dtype} {list(values.shape)}",
            )
    return _Faces(
        columns["images"],
        columns["split"],
        Votes(columns["votes"], columns["fer2013_label"].astype(np.int64)),
        columns.get("copy_of", np.zeros(count, np.uint8)),
        columns.get("label_certain", np.ones(count, bool)),
    )


def _read_csv(folder: Path) -> _Faces:
    """The original csv pair, joined by row order; rows without an image name are no faces."""
    images, splits, votes, labels = [], [], [], []
    try:
        with (
            (folder / CSV_NAMES[0]).open(newline="") as first,
            (folder / CSV_NAMES[1]).open(newline="") as second,
        ):
            rows = zip(csv.DictReader(first), csv.DictReader(second), strict=True)
            for face, crowd in rows:
                if not crowd["Image name"]:
                    continue
                pixels = np.array(face["pixels"].split(), np.uint8)
                images.append(pixels.reshape(_SIDE, _SIDE))
                splits.append(_USAGE[face["Usage"]])
                labels.append(int(face["emotion"]))
                votes.append([int(vote) for vote in list(crowd.values())[2:12]])
    except (csv.Error, OSError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise DataError(
            folder,
            expected=f"{CSV_NAMES[0]} (emotion, pixels, Usage) and {CSV_NAMES[1]} "
            "(Usage, Image name, ten votes) with as many rows",
            found=f"{error!r} after {len(images)} faces",
        ) from error
    if not images:
        raise DataError(folder, expected="faces in the csv pair", found="none")
    pixels, split = np.stack(images), np.array(splits, np.uint8)
    copy_of, certain = _find_copies(pixels, split, np.array(labels))
    return _checked(
        folder,
        {
            "images": pixels,
            "split": split,
            "votes": np.array(votes),
            "fer2013_label": np.array(labels),
            "copy_of": copy_of,
            "label_certain": certain,
        },
    )


def _find_copies(
    images: np.ndarray, split: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """`copy_of` and `label_certain` as the npz has them, from the pixels themselves."""
    groups: dict[bytes, list[int]] = {}
    for row, image in enumerate(images):
        groups.setdefault(image.tobytes(), []).append(row)
    copy_of, certain = np.zeros(len(images), np.uint8), np.ones(len(images), bool)
    for rows in groups.values():
        train = [row for row in rows if split[row] == 0]
        if not train or len(rows) == 1:
            continue
        elsewhere = sum({1: 1, 2: _TEST_COPY}[s] for s in {int(split[r]) for r in rows} - {0})
        copy_of[train] = elsewhere
        certain[train] = len({int(labels[row]) for row in train}) == 1
    return copy_of, certain


def _read_folders(source: Path, protocol: str, split: str, side: int) -> Dataset:
    names = vocabulary(protocol)
    has_splits = any((source / name).is_dir() for name in SPLITS[:3])
    root = source / split if has_splits and split != "all" else source
    if not root.is_dir():
        raise DataError(source, expected=f"a folder {split!r} in it", found="none")
    images, labels, files = [], [], []
    for path in find_photos(root):
        name = canonical(path.parent.name)
        if name not in names:
            continue
        if not has_splits and split != "all" and hashed_split(path.relative_to(source)) != split:
            continue
        try:
            images.append(load_face(path, None, side))
        except PhotoError:
            continue
        labels.append(names.index(name))
        files.append(str(path))
    if not images:
        raise DataError(
            root,
            expected=f"{NPZ_NAME}, {' + '.join(CSV_NAMES)}, or images in folders named after "
            f"expressions ({', '.join(names)})",
            found="none of them",
        )
    numbers = np.array(labels, np.int64)
    targets = np.eye(len(names), dtype=np.float32)[numbers]
    return Dataset(np.stack(images), numbers, targets, names, protocol, split, tuple(files))
