"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from fer_mobile.errors import InputError


def cache_dir() -> Path:
    """Where what can be made again may be kept: ``$FER_MOBILE_CACHE``, else the cache folder of
    the XDG standard.  It need not be there yet.
    """
    own = os.environ.get("FER_MOBILE_CACHE")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fer-mobile"


def replace_file(path: str | Path, write: Callable[[Path], object]) -> None:
    """Let `write` make a file beside `path`, then give it the name `path`.

    Missing parent folders are made, and stay only if the file does.  Whoever reads `path`
    meanwhile, or after a crash, finds the old file or none, never half a one.  The name that
    `write` gets ends in the suffix of `path`, which many writers go by.  Raises InputError
    when `path` cannot be written.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(path, expected="a file to write", found="a folder")
    part = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    made = [folder for folder in path.parents if not folder.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            write(part)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        with contextlib.suppress(OSError):
            for folder in made:
                folder.rmdir()
        raise InputError(
            path,
            expected="a place that can be written to",
            found=error.strerror or str(error),
            hint="Check the folder, its rights and the space left.",
        ) from error


def write_text(path: str | Path, text: str) -> None:
    """Write `text` as UTF-8 to `path`, all of it or nothing."""
    replace_file(path, lambda part: part.write_text(text, encoding="utf-8", newline="\n"))


def write_bytes(path: str | Path, data: bytes) -> None:
    """Write a whole binary file, or nothing; InputError when the place cannot be written to."""
    replace_file(path, lambda part: part.write_bytes(data))
