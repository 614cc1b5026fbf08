"""`load_dataset`: one split of a dataset of any layout, under one protocol."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_mobile.data import layouts
from fer_mobile.data.copies import find_copies, near_copies
from fer_mobile.data.dataset import SPLITS, Dataset, DataWarning, Skipped
from fer_mobile.data.face_files import FaceFiles, TooSmallError
from fer_mobile.data.layouts.raw import RawFaces
from fer_mobile.data.protocols import OWN, Votes, as_protocol, find_protocol
from fer_mobile.data.splits import UNKNOWN, assign, inherit
from fer_mobile.data.vocabulary import EXAMPLES, check_labels_go_with, check_no_labels, name_labels
from fer_mobile.errors import DataError, PhotoError, choose
from fer_mobile.types import ProtocolName, SplitName
from fer_mobile.wording import counted

ENVIRONMENT: Final = "FER_MOBILE_DATA"
"""Environment variable that names the data when no path is given."""

MOST_DECODED: Final = 40_000
"""Up to so many faces in files are decoded at once; those of larger splits when they are used."""

MOST_COMPARED: Final = 5_000
"""Up to so many faces in files are compared pairwise, so that near copies share a split."""


def data_path(path: str | Path | None = None) -> Path:
    """`path`, or what the environment variable names; DataError when there is neither."""
    chosen = path or os.environ.get(ENVIRONMENT)
    if not chosen:
        raise DataError(
            "data",
            expected="a dataset",
            found="no path",
            hint=f"Give its path, or set {ENVIRONMENT}.",
        )
    place = Path(chosen)
    try:
        found = "" if place.exists() else "nothing there"
        if place.is_dir() and not os.access(place, os.R_OK | os.X_OK):
            found = "one that cannot be opened"
    except OSError as error:  # a name too long, a folder above that is closed
        found = error.strerror or str(error)
    if found:
        raise DataError(place, expected="a file or folder", found=found)
    return place


def load_dataset(
    path: str | Path | None = None,
    *,
    protocol: ProtocolName = "ferplus-strict",
    split: SplitName = "valid",
    training: bool = False,
    side: int = 112,
    labels: Sequence[str] | None = None,
) -> Dataset:
    """Load the faces of one split under one protocol.

    The layout is recognised by looking (docs/data.md): FER2013 as npz or csv, with or without
    FER+'s votes; a folder for each class, with or without splits; a csv that lists images;
    AffectNet.  What is left out is counted and named in `Dataset.skipped`, and where files
    are left out, in a DataWarning.

    Args:
        path: a file or folder; by default what the environment variable FER_MOBILE_DATA names.
        protocol: how labels follow from what the source says (see `protocols`).  Classes that
            a source names are mapped onto the protocol's labels by name and alias, and the
            dataset's protocol is then "expressions"; "own" takes them as they are.
        split: "train", "valid", "test" or "all".  Where the source names no splits, or no
            valid, one face in ten validates; which ones depends on names alone, and pictures
            of one subject or nearly the same ones stay together.
        training: rows to learn from: those of train whose picture is also in valid or test
            are left out, and under FER2013's own labels those that occur under several.
        side: size in px of faces that lie in photos; others have their own.
        labels: protocol "own" only: the vocabulary in the order of a model's outputs, 2 to
            100 names; by default the classes in the order of the alphabet.

    Raises DataError when the source, protocol, labels or split cannot be used.
    """
    as_protocol(protocol)
    choose("split", split, dict.fromkeys(SPLITS), DataError)
    if side < 1:
        raise DataError("side", expected="1 px or more", found=str(side))
    check_labels_go_with(labels, protocol)
    source = data_path(path)
    raw = layouts.read(source, side)
    if raw.votes is not None:
        check_no_labels(labels, source)
        dataset = _by_votes(raw, raw.votes, protocol, split, training, source)
    else:
        dataset = _by_classes(raw, protocol, split, training, labels, source)
    dataset = replace(dataset, source=source.name)
    if not len(dataset):
        reasons = "; ".join(map(str, dataset.skipped))
        raise DataError(
            source,
            expected=f"faces in split {split!r}",
            found=f"none ({reasons})" if reasons else "none",
        )
    return dataset


def _by_votes(
    raw: RawFaces, votes: Votes, protocol: str, split: str, training: bool, source: Path
) -> Dataset:
    """Rows of FER2013, by its labels and FER+'s votes."""
    if protocol == OWN:
        protocol = "fer2013"
    if votes.votes is None and protocol.startswith("ferplus"):
        raise DataError(
            source,
            expected=f"FER+'s votes for protocol {protocol!r} (fer2013new.csv)",
            found="FER2013's labels alone",
            hint="Use `protocol=fer2013`.",
        )
    labelled = find_protocol(protocol)(votes)
    number = assign_splits(raw)
    rows = np.ones(len(raw), bool) if split == "all" else number == SPLITS.index(split)
    skipped = list(raw.skipped)
    without = rows & ~labelled.keep
    if without.any():
        skipped.append(Skipped(f"without a label under {protocol}", int(without.sum())))
    rows &= labelled.keep
    if training:
        train = number == 0
        copy_of, certain = _copies(raw, votes, number)
        if protocol.startswith("ferplus"):  # votes settle what FER2013's single labels do not
            certain = np.ones(len(raw), bool)
        for what, left_out in (
            ("of train whose picture is in valid or test", train & (copy_of != 0)),
            ("of train whose picture has several labels", train & ~certain),
        ):
            if (rows & left_out).any():
                skipped.append(Skipped(what, int((rows & left_out).sum())))
            rows &= ~left_out
    return Dataset(
        raw.images[rows],
        labelled.labels[rows].astype(np.int64),
        labelled.targets[rows],
        labelled.names,
        protocol,
        split,
        kind=raw.kind,
        skipped=tuple(skipped),
    )


def _copies(
    raw: RawFaces, votes: Votes, number: NDArray[np.int8]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """`copy_of` and `label_certain` as the source states them, else by comparing pixels."""
    copy_of, certain = raw.copy_of, raw.label_certain
    if copy_of is None or certain is None:
        found = find_copies(_pixels(raw), number, votes.fer2013.tolist())
        copy_of = found[0] if copy_of is None else copy_of
        certain = found[1] if certain is None else certain
    return copy_of, certain


def _pixels(raw: RawFaces) -> list[bytes]:
    """A key for every face, equal for equal pixels."""
    return [image.tobytes() for image in raw.images]


def _by_classes(
    raw: RawFaces,
    protocol: str,
    split: str,
    training: bool,
    own: Sequence[str] | None,
    source: Path,
) -> Dataset:
    """Rows whose source names a class for each."""
    named = name_labels(raw, protocol, own, source)
    keep = named.labels >= 0
    number, groups = _split_and_groups(raw)
    if split != "all":
        here = number == SPLITS.index(split)
        if not here.any():
            present = ", ".join(SPLITS[n] for n in sorted(set(number.tolist())))
            raise DataError(
                source,
                expected=f"a split {split!r}",
                found=present,
                hint="One face in ten validates: add faces." if split == "valid" else "",
            )
        keep &= here
    skipped = [*raw.skipped, *named.skipped]
    if training and isinstance(raw.images, FaceFiles):
        copies, _ = find_copies(raw.images.keys(), number, raw.classes)
        left_out = keep & (number == 0) & (copies != 0)
        if left_out.any():
            skipped.append(
                _files("of train whose file is in valid or test", np.flatnonzero(left_out), raw)
            )
        keep &= ~left_out
    rows = np.flatnonzero(keep)
    images = raw.images.rows(rows) if isinstance(raw.images, FaceFiles) else raw.images[rows]
    if isinstance(images, FaceFiles) and len(images) <= MOST_DECODED:
        decoded, failed = images.decode()
        skipped += _unreadable(failed, rows, raw)
        readable = np.array([row not in failed for row in range(len(rows))], bool)
        images, rows = decoded[readable], rows[readable]
    labels = named.labels[rows]
    if skipped and len(labels):
        told = (str(s) if s in named.skipped else _with_names(s, source) for s in skipped)
        text = f"{source}: {counted(len(labels), 'face')}; left out: " + "; ".join(told)
        warnings.warn(text, DataWarning, stacklevel=4)
    return Dataset(
        images,
        labels,
        np.eye(len(named.names), dtype=np.float32)[labels],
        named.names,
        named.protocol,
        split,
        files=tuple(raw.files[row] for row in rows),
        kind=raw.kind,
        skipped=tuple(skipped),
        groups=_of_several(groups, rows),
    )


def _of_several(groups: Sequence[str], rows: NDArray[np.int64]) -> tuple[str, ...]:
    """The groups of some rows, "" for one that is a group by itself; none where all are."""
    counts = Counter(groups)
    if len(counts) == len(groups):
        return ()
    return tuple(groups[row] if counts[groups[row]] > 1 else "" for row in rows)


def assign_splits(raw: RawFaces) -> NDArray[np.int8]:
    """The split of every row; where the source names none, subjects and near copies share one.

    So do equal pictures of a source without groups.  Raises DataError where a source names
    several splits for a subject or for near copies, and none for some of these rows.
    """
    return _split_and_groups(raw)[0]


def _split_and_groups(raw: RawFaces) -> tuple[NDArray[np.int8], Sequence[str]]:
    """The split of every row, and the groups that share one."""
    unnamed = (raw.split == UNKNOWN).any() or not (raw.split == 1).any()
    if not unnamed:
        return raw.split, raw.groups
    groups = list(raw.groups) or _equal(raw)
    split = inherit(raw.split, groups)  # before near copies join them: an error names the subject
    if isinstance(raw.images, FaceFiles) and len(raw) <= MOST_COMPARED:
        images, failed = raw.images.decode()
        pairs = [
            (groups[row], groups[first])
            for row, first in enumerate(near_copies(images).tolist())
            if not {row, first} & failed.keys()
        ]
        groups = _joined(groups, pairs)
    return assign(split, groups, raw.classes), groups


def _equal(raw: RawFaces) -> list[str]:
    """A group for every row, which rows of equal pixels share: that of the first of them."""
    first: dict[bytes, int] = {}
    return [f"row {first.setdefault(key, row)}" for row, key in enumerate(_pixels(raw))]


def _joined(groups: Sequence[str], pairs: Iterable[tuple[str, str]]) -> list[str]:
    """The group of every row once those of each pair are one, under the least of their names."""
    parents = {group: group for group in groups}

    def root(group: str) -> str:
        while parents[group] != group:
            group = parents[group]
        return group

    for pair in pairs:
        one, other = sorted(map(root, pair))
        parents[other] = one
    return [root(group) for group in groups]


def _unreadable(
    failed: dict[int, PhotoError], rows: NDArray[np.int64], raw: RawFaces
) -> list[Skipped]:
    small = [row for row, error in failed.items() if isinstance(error, TooSmallError)]
    others = [row for row in failed if row not in set(small)]
    return [
        replace(_files(reason, rows[which], raw), unread=unread)
        for reason, which, unread in (
            ("that cannot be read", others, True),
            ("too small", small, False),
        )
        if which
    ]


def _with_names(skipped: Skipped, source: Path) -> str:
    """What was left out, with some of the files, named from the dataset's folder."""
    folder = source if source.is_dir() else source.parent
    paths = map(Path, skipped.examples)
    names = [str(p.relative_to(folder) if p.is_relative_to(folder) else p) for p in paths]
    more = " …" if skipped.count > len(names) else ""
    return f"{skipped} ({', '.join(names)}{more})" if names else str(skipped)


def _files(reason: str, rows: NDArray[np.int64], raw: RawFaces) -> Skipped:
    return Skipped(reason, len(rows), tuple(raw.files[row] for row in rows[:EXAMPLES]))
