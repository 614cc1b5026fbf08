"""Which files below a folder are photos, and what is skipped, each with its reason."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Literal, NamedTuple

from fer_mobile.files import is_ours, open_regular

PHOTO_SUFFIXES: Final = frozenset(
    {
        ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".bmp", ".gif",
        ".tif", ".tiff", ".heic", ".heif", ".hif", ".avif",
    }
)  # fmt: skip
"""Suffixes, in lower case, of the files that are taken for photos."""

RAW_SUFFIXES: Final = frozenset(
    {
        ".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".iiq", ".kdc",
        ".mef", ".mos", ".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl",
        ".sr2", ".srf", ".srw", ".x3f",
    }
)  # fmt: skip
VIDEO_SUFFIXES: Final = frozenset(
    {
        ".3gp", ".avi", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".webm",
        ".wmv",
    }
)  # fmt: skip
OTHER_SUFFIXES: Final = frozenset({".jp2", ".jxl", ".ppm", ".psd", ".svg", ".tga", ".xcf"})
"""Pictures of formats that are not read."""

_FIRST_BYTES: Final = re.compile(
    rb"\xff\xd8\xff|\x89PNG|GIF8|II\*\0|MM\0\*|RIFF.{4}WEBP|.{4}ftyp(?:hei|mif1|msf1|avi)",
    re.DOTALL,
)
"""Of JPEG, PNG, GIF, TIFF, WebP, HEIC and AVIF."""

TABLE_SUFFIXES: Final = frozenset({".csv", ".npz"})
"""Of files in which a dataset is told or kept."""

NO_PHOTOS: Final = ".nomedia"
"""A file of this name says that its folder holds pictures which are no photos, as on Android."""

SYSTEM_FOLDERS: Final = frozenset(
    {
        "@eadir", "@recycle", "@recently-snapshot", "@tmp", "#recycle", "#snapshot",
        "$recycle.bin", "recycler", "recycled", "system volume information", "lost+found",
    }
)  # fmt: skip
"""Folders, in lower case, in which a NAS keeps thumbnails and a system what was deleted."""

Reason = Literal[
    "hidden",
    "folder with .nomedia",
    "folder of a NAS or a recycle bin",
    "folder that cannot be opened",
    "link to a folder",
    "folder made by fer-mobile",
    "output folder of this run",
    "RAW photo",
    "video",
    "picture of another format",
    "photo without a photo's suffix",
    "photo without a date",
    "photo of another time",
]


class Skipped(NamedTuple):
    """A file or folder that is not read."""

    path: Path
    reason: Reason


class Walk(NamedTuple):
    """What lies below a folder."""

    photos: list[Path]
    """Sorted."""
    skipped: list[Skipped]
    """In the order of the walk: a folder stands for all that is in it."""


def walk_photos(folder: str | Path, *, outputs: Iterable[Path] = ()) -> Walk:
    """The photos below `folder`, by their suffixes, and what is skipped.

    Skipped are hidden files and folders; folders with a file `NO_PHOTOS`, those of
    `SYSTEM_FOLDERS`, those that fer-mobile made, `outputs`, and those that cannot be opened;
    links to folders; RAW photos, videos and pictures of other formats.  `folder` itself is
    searched whatever it is.  Photos under other suffixes, or none, are skipped too, known by their
    first bytes.  Files that are no pictures are not mentioned.
    """
    photos: list[Path] = []
    skipped: list[Skipped] = []
    targets = {output.resolve() for output in outputs}

    def closed(error: OSError) -> None:
        skipped.append(Skipped(Path(error.filename), "folder that cannot be opened"))

    for parent, folders, files in os.walk(folder, onerror=closed):
        here = Path(parent)
        reasons = {name: _folder_reason(here / name, targets) for name in sorted(folders)}
        skipped += [Skipped(here / name, reason) for name, reason in reasons.items() if reason]
        folders[:] = [name for name, reason in reasons.items() if reason is None]
        for name in sorted(files):
            kind = _file_reason(here / name)
            if kind == "photo":
                photos.append(here / name)
            elif kind is not None:
                skipped.append(Skipped(here / name, kind))
    return Walk(sorted(photos), skipped)


def find_photos(folder: str | Path) -> list[Path]:
    """The photos below `folder`, sorted (see `walk_photos`)."""
    return walk_photos(folder).photos


def find_files(folder: str | Path, suffix: str) -> Iterator[Path]:
    """The files below `folder` whose names end in `suffix`, in folders that a walk enters."""
    for parent, folders, files in os.walk(folder):
        here = Path(parent)
        folders[:] = [name for name in folders if _folder_reason(here / name, set()) is None]
        yield from (here / name for name in sorted(files) if name.lower().endswith(suffix))


def files_read(path: str | Path) -> list[Path]:
    """What is read where `path` is read, and no output may replace: the file itself, or the
    photos and tables in a folder.
    """
    path = Path(path)
    if not path.is_dir():
        return [path]
    wanted = PHOTO_SUFFIXES | TABLE_SUFFIXES
    return [
        Path(parent, name)
        for parent, _, files in os.walk(path)
        for name in files
        if Path(name).suffix.lower() in wanted
    ]


def _folder_reason(folder: Path, targets: set[Path]) -> Reason | None:
    """Why a folder is skipped; None where it is searched."""
    if folder.name.startswith("."):
        return "hidden"
    if folder.name.lower() in SYSTEM_FOLDERS:
        return "folder of a NAS or a recycle bin"
    if folder.is_symlink():
        return "link to a folder"
    if targets and folder.resolve() in targets:
        return "output folder of this run"
    try:
        if is_ours(folder):
            return "folder made by fer-mobile"
        if (folder / NO_PHOTOS).exists():
            return "folder with .nomedia"
    except OSError:
        return None  # Opening it will say why it cannot be.
    return None


def _file_reason(file: Path) -> Reason | Literal["photo"] | None:
    """Whether a file is a photo, or why it is skipped; None for what is no picture."""
    suffix = file.suffix.lower()
    if suffix in PHOTO_SUFFIXES:
        return "hidden" if file.name.startswith(".") else "photo"
    if file.name.startswith("."):
        return None
    if suffix in RAW_SUFFIXES:
        return "RAW photo"
    if suffix in VIDEO_SUFFIXES:
        return "video"
    if suffix in OTHER_SUFFIXES:
        return "picture of another format"
    return "photo without a photo's suffix" if _begins_as_a_photo(file) else None


def _begins_as_a_photo(file: Path) -> bool:
    try:
        with open_regular(file) as opened:
            first = opened.read(16)
    except OSError:
        return False
    return _FIRST_BYTES.match(first) is not None
