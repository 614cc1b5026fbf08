"""What is kept between runs: how much it is, and how it is deleted."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from typing_extensions import TypedDict

from fer_mobile.errors import InputError
from fer_mobile.files import cache_dir, is_ours
from fer_mobile.gallery.store import default_path

_LARGE_PHOTOS: Final = "*-12mp"
"""Folders of the photo set `12mp`, which `bench` makes."""
_STORE_SUFFIX: Final = re.compile(r"(\.damaged-\d+)?(-wal|-shm|-journal)?")
"""What SQLite, or a store that finds its file damaged, adds to the file's name."""


class CacheRow(TypedDict):
    """One part of the cache in JSON."""

    what: str
    path: str
    bytes: int
    photos: int | None
    """Photos whose results are kept; None where there are none to be kept."""


class CacheInfo(TypedDict):
    """The cache in JSON."""

    folder: str
    parts: list[CacheRow]


@dataclass(frozen=True, slots=True)
class _Part:
    what: str
    path: Path

    @property
    def files(self) -> list[Path]:
        if self.path.is_dir():
            return [path for path in self.path.rglob("*") if path.is_file()]
        return [self.path]


def cache_info() -> CacheInfo:
    """What the user's cache holds.  Raises InputError for a user without a home folder."""
    return {
        "folder": str(cache_dir()),
        "parts": [
            {
                "what": part.what,
                "path": str(part.path),
                "bytes": sum(file.stat().st_size for file in part.files),
                "photos": _photos(part.path) if part.path == default_path() else None,
            }
            for part in _parts()
        ],
    }


def clear_cache() -> CacheInfo:
    """Take everything out of the user's cache and return what it was.

    Files that are not ours are left, and so is the folder while they are in it.
    """
    before = cache_info()
    for part in _parts():
        if part.path.is_dir():
            shutil.rmtree(part.path)
        else:
            part.path.unlink(missing_ok=True)
    return before


def forget(path: str | Path) -> int:
    """Forget the results of the photo at `path`, or of all photos below it, and count them.

    The photo need not be there any more.  A result stays while another photo has the same
    content.  Raises InputError when the results cannot be changed.
    """
    store = default_path()
    if not store.is_file():
        return 0
    key = os.fsencode(Path(path).absolute())
    below = key.rstrip(b"/") + b"/"
    try:
        with closing(sqlite3.connect(store, timeout=10)) as db, db:
            found = db.execute(
                "DELETE FROM photo WHERE path = ? OR substr(path, 1, ?) = ?",
                (key, len(below), below),
            ).rowcount
            db.execute("DELETE FROM result WHERE content NOT IN (SELECT content FROM photo)")
    except sqlite3.Error as error:
        raise InputError(
            store,
            expected="a results file that can be changed",
            found=str(error),
            hint="`clear_cache()` takes it away.",
        ) from error
    return found


def _parts() -> list[_Part]:
    folder, store = cache_dir(), default_path()
    files = [
        file
        for file in sorted(folder.glob(f"{store.name}*"))
        if file.is_file() and _STORE_SUFFIX.fullmatch(file.name.removeprefix(store.name))
    ]
    parts = [
        _Part("results of photos" if file == store else "results, files next to them", file)
        for file in files
    ]
    return parts + [
        _Part("enlarged photos of bench", path)
        for path in sorted(folder.glob(_LARGE_PHOTOS))
        if path.is_dir() and is_ours(path)
    ]


def _photos(store: Path) -> int | None:
    """Photos that the results are of; None for a file that cannot be read."""
    try:
        with closing(sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True)) as db:
            return int(db.execute("SELECT count(*) FROM photo").fetchone()[0])
    except sqlite3.Error:
        return None
