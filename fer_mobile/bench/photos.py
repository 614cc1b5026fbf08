"""Photo sets: by name, or any folder."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fer_mobile.bench.large_photos import large_photos
from fer_mobile.errors import InputError, nearest
from fer_mobile.files import display_name, open_regular
from fer_mobile.images import find_photos
from fer_mobile.resources import photos_dir

PHOTO_SETS: Final[dict[str, Callable[[], Path]]] = {
    "affective-25": photos_dir,
    "12mp": large_photos,
}
"""The folders of the photo sets that have a name."""


@dataclass(frozen=True, slots=True)
class PhotoSet:
    """Photos to time, in the order of their paths."""

    name: str
    """The set's name, or the folder's."""
    paths: tuple[Path, ...]
    sha256: str
    """Over the path inside the folder and the bytes of every photo, in order."""


def load_photo_set(source: str | Path) -> PhotoSet:
    """The set or the folder that `source` names; a set's name wins over a folder.

    Raises InputError when there is neither, or no photo in the folder.
    """
    name = str(source)
    folder = PHOTO_SETS[name]() if name in PHOTO_SETS else Path(source)
    if not folder.is_dir():
        raise InputError(
            f"photos {name!r}",
            expected="the name of a photo set or a folder",
            found="neither",
            hint=nearest(name, PHOTO_SETS),
        )
    paths = tuple(find_photos(folder))
    if not paths:
        raise InputError(f"photos {name!r}", expected="at least one photo", found="none")
    return PhotoSet(
        name if name in PHOTO_SETS else display_name(folder.resolve().name),
        paths,
        _sum(folder, paths),
    )


def _sum(folder: Path, paths: tuple[Path, ...]) -> str:
    whole = hashlib.sha256()
    for path in paths:
        whole.update(os.fsencode(path.relative_to(folder).as_posix()))
        with suppress(OSError), open_regular(path) as file:  # what is none is skipped and counted
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()
