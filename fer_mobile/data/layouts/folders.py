"""Images in a folder for each class: ``[split/] class / [subject/] photo.jpg``.

Kaggle's FER2013 and most datasets that people make are kept like this.  Folders whose names
are those of splits, in any case (`Train`, `validation`, `val`, `PublicTest`), are splits,
above or below the classes.  Folders below a class are subjects, whose pictures stay together.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from fer_mobile.data.dataset import Skipped
from fer_mobile.data.face_files import FaceFiles
from fer_mobile.data.layouts.raw import RawFaces
from fer_mobile.data.splits import UNKNOWN, split_number
from fer_mobile.errors import DataError
from fer_mobile.images import PHOTO_SUFFIXES

DESCRIPTION: Final = "a folder of images for each class, in split folders or not"

_EXAMPLES: Final = 3
_LINK: Final = "a link to a folder, which is not followed"
_CLOSED: Final = "a folder that cannot be opened"


def recognise(path: Path) -> bool:
    """A folder with an image below one of its folders, or with links to folders."""
    return path.is_dir() and (
        any(len(parts) > 1 for parts in image_paths(path))
        or any(folder.is_dir() and folder.is_symlink() for folder in path.iterdir())
    )


def read(path: Path, side: int) -> RawFaces:
    """Every image that lies in a class; nothing is decoded yet."""
    root = _root(path)
    images = sorted(image_paths(root))
    loose = [parts for parts in images if len(parts) < 2]
    images = [parts for parts in images if len(parts) > 1]
    level = _split_level(root, images)
    _refuse_empty_classes(root, images, level)
    split, classes, groups, files = [], [], [], []
    without_class = list(loose)
    for parts in images:
        folders = [*parts[:-1]]
        number = UNKNOWN if level is None else split_number(folders.pop(level)) or 0
        if not folders:
            without_class.append(parts)
            continue
        split.append(number)
        classes.append(folders[0])
        groups.append("/".join(folders[1:]) or "/".join(parts))
        files.append(str(root.joinpath(*parts)))
    return RawFaces(
        "a folder for each class" + (" and split" if level is not None else ""),
        FaceFiles([Path(file) for file in files], [None] * len(files), side),
        np.array(split, np.int8),
        classes=tuple(classes),
        files=tuple(files),
        groups=tuple(groups),
        skipped=tuple(_skipped(root, without_class)),
    )


def _root(path: Path) -> Path:
    """The folder with the splits or classes: archives wrap it in folders of their own."""
    while True:
        parts = list(image_paths(path))
        tops = {p[0] for p in parts if len(p) > 1}
        deep = all(len(p) > 2 for p in parts)
        if len(tops) != 1 or not deep or split_number(next(iter(tops))) is not None:
            return path
        if any(map(_is_not_read, path.iterdir())):  # which may be a class, too
            return path
        path = path / next(iter(tops))


def _is_not_read(path: Path) -> bool:
    return _is_closed(path) or (path.is_dir() and path.is_symlink())


def _is_closed(path: Path) -> bool:
    return path.is_dir() and not os.access(path, os.R_OK | os.X_OK)


def image_paths(root: Path) -> Iterator[tuple[str, ...]]:
    """The parts of each image's path below `root`; hidden files and folders are left out."""
    for parent, folders, files in os.walk(root, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        above = Path(parent).relative_to(root).parts
        for name in files:
            if not name.startswith(".") and Path(name).suffix.lower() in PHOTO_SUFFIXES:
                yield (*above, name)


def _split_level(root: Path, images: list[tuple[str, ...]]) -> int | None:
    """The level of the folders that are splits, 0 above the classes, or None for none.

    Raises DataError where some of a level are splits and others are not, where two levels have
    splits, or where folders lie both above and below them: what teaches, and which folders are
    the classes, cannot be guessed.
    """
    levels: dict[int, set[str]] = {}
    for parts in images:
        for level, name in enumerate(parts[:-1]):
            if split_number(name) is not None:
                levels.setdefault(level, set()).add(name)
    if not levels:
        return None
    level = min(levels)
    below = sorted(name for deeper in levels if deeper > level for name in levels[deeper])
    beside = sorted(
        {"/".join(parts[: level + 1]) for parts in images if not _is_split(parts, level)}
    )
    if beside or below:
        found = beside or [f"{name} below them" for name in below]
        splits = ", ".join(sorted(levels[level]))
        raise DataError(
            root,
            expected=f"only splits beside {splits}" if beside else f"no splits but {splits}",
            found=", ".join(found[:5]) + (" …" if len(found) > 5 else ""),
            hint="Move each class into its split, or rename the folder.",
        )
    around = [parts[: level + 2] for parts in images if len(parts) > level + 2]
    if level > 0 and around:
        raise DataError(
            root,
            expected="classes either above or below the splits",
            found=f"folders on both sides, as in {'/'.join(around[0])}",
            hint="Give the folder that has the splits, or move subjects into the files' names.",
        )
    return level


def _is_split(parts: tuple[str, ...], level: int) -> bool:
    return len(parts) > level + 1 and split_number(parts[level]) is not None


def _refuse_empty_classes(root: Path, images: list[tuple[str, ...]], level: int | None) -> None:
    """DataError for a class folder without images in any split."""
    parents = [root]
    if level == 0:
        parents = [root / name for name in {parts[0] for parts in images}]
    full = {parts[1 if level == 0 else 0] for parts in images if len(parts) > 1}
    for parent in sorted(parents):
        for folder in sorted(parent.iterdir()):
            name = folder.name
            if folder.is_dir() and name not in full and not name.startswith((".", "__")):
                raise DataError(
                    folder,
                    expected="images in every class folder",
                    found=_LINK
                    if folder.is_symlink()
                    else _CLOSED
                    if _is_closed(folder)
                    else "none",
                    hint="Remove the folder, or put images into it.",
                )


def _skipped(root: Path, without_class: list[tuple[str, ...]]) -> Iterator[Skipped]:
    if without_class:
        names = tuple("/".join(parts) for parts in without_class[:_EXAMPLES])
        yield Skipped("in no class folder", len(without_class), names)
    links, others = [], []
    closed: list[Path] = []
    for parent, folders, files in os.walk(root, onerror=lambda e: closed.append(Path(e.filename))):
        paths = [Path(parent, name) for name in folders]
        links += [path for path in paths if path.is_symlink()]
        if Path(parent) != root:  # above the classes lie a README or a report, and no faces
            others += [
                Path(parent, name)
                for name in files
                if Path(name).suffix.lower() not in PHOTO_SUFFIXES and not name.startswith(".")
            ]
    for reason, paths in (
        ("folder that cannot be opened", closed),
        ("linked folder, not followed", links),
        ("without an image's suffix", others),
    ):
        if paths:
            names = tuple(str(path.relative_to(root)) for path in paths[:_EXAMPLES])
            yield Skipped(reason, len(paths), names)
