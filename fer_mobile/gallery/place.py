"""Photos that match, put into a folder: as copies or as links, never over another file."""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from fer_mobile.errors import InputError
from fer_mobile.types import PhotoResult

Placing = Callable[[Path, Path], bool]
"""Puts a photo at a path if it is free; False: another file has the name, and is left alone.

True too where this photo lies there already.  Two runs at once cannot both take a name.
"""


def copy(source: Path, target: Path) -> bool:
    """A copy with the photo's times."""
    try:
        target.open("xb").close()
    except FileExistsError:
        return target.is_file() and filecmp.cmp(source, target, shallow=False)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        shutil.copy2(source, part)
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        target.unlink()
        raise
    return True


def symbolic_link(source: Path, target: Path) -> bool:
    """A symbolic link to the photo's absolute path."""
    try:
        target.symlink_to(source.resolve())
    except FileExistsError:
        return target.is_symlink() and target.resolve() == source.resolve()
    return True


def hard_link(source: Path, target: Path) -> bool:
    """A second name of the same file, on the same file system."""
    try:
        target.hardlink_to(source.resolve())
    except FileExistsError:
        return target.exists() and target.samefile(source)
    return True


LINKS: Final[dict[str, Placing]] = {"symbolic": symbolic_link, "hard": hard_link}
"""Kinds of links by name."""


def place(
    results: Iterable[PhotoResult], folder: str | Path, placing: Placing, *, root: str | Path
) -> list[Path]:
    """Put photos below `root` into `folder`, with their subfolders; return where they lie.

    Nothing is ever overwritten: where another file has the name, the photo gets a number; where
    it lies already, it is left.  A photo that is gone by now is passed over.
    Raises InputError when `folder` cannot be written to.
    """
    placed: list[Path] = []
    for result in results:
        source = Path(result.path)
        if not source.is_file():
            continue
        target = Path(folder) / source.relative_to(root)
        stem, number = target.stem, 1
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            while not placing(source, target):
                target = target.with_name(f"{stem}-{number}{target.suffix}")
                number += 1
        except OSError as error:
            raise InputError(
                target,
                expected="a place that photos can be put into",
                found=error.strerror or str(error),
                hint=f"{len(placed)} photos were put before.",
            ) from error
        placed.append(target)
    return placed
