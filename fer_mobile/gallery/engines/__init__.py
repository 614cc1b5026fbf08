"""What does the work: this process, others of this machine, or a Ray cluster.

An engine takes jobs and gives their rows in the same order.  What it does for a photo is
`photo_row`, whatever machine it runs on.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fer_mobile.errors import PhotoError
from fer_mobile.gallery.store import Fingerprint, fingerprint
from fer_mobile.types import PhotoResult

PhotoPipeline = Callable[[Path], PhotoResult]
PipelineFactory = Callable[[], PhotoPipeline]
"""Makes the pipeline in a process that has none; other processes must be able to unpickle it."""

Job = tuple[Path, PhotoResult | None]
"""A photo, and its row if that is known already."""
Row = tuple[Fingerprint | None, PhotoResult]
"""The photo's fingerprint (None: nothing to keep) and the result."""


def photo_row(pipeline: PhotoPipeline, path: Path, keyed: bool) -> Row:
    """The row of one photo, whatever happens; with `keyed` also the fingerprint to keep it under.

    A photo that cannot be read is a row with its error.
    """
    try:
        photo = fingerprint(path) if keyed else None
    except (OSError, ValueError):
        photo = None  # The pipeline cannot read it either, and says why.
    try:
        return photo, pipeline(path)
    except PhotoError as error:
        return photo, PhotoResult(path=str(path), error=str(error))
    except Exception as error:
        return None, PhotoResult(path=str(path), error=f"{path}: {type(error).__name__}: {error}")


def crash_row(path: Path) -> Row:
    """The row of a photo that crashes whichever process reads it."""
    error = f"{path}: the process that read it crashed (damaged, or very large)"
    return None, PhotoResult(path=str(path), error=error)


def slow_row(path: Path, timeout_s: float) -> Row:
    """The row of a photo that took longer than it may."""
    error = f"{path}: reading it took longer than {timeout_s:g} s"
    return None, PhotoResult(path=str(path), error=error)
