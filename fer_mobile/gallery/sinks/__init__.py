"""Where the rows of a run go: each output is a sink, and all are given the same rows.

A sink is checked before a run begins, opened once when all rows are known, given each row with
whether it matches, and closed.  What was written stays only if all went well.
"""

from __future__ import annotations

import errno
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final

from fer_mobile.errors import InputError
from fer_mobile.files import check_output
from fer_mobile.gallery.filter import ALL, Filter
from fer_mobile.labels import EMOJI, LABELS
from fer_mobile.types import FacesMode, PhotoResult
from fer_mobile.walk import PHOTO_SUFFIXES

FATAL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EXDEV}
"""Errors of the file system that the next row would meet too."""

TakeRow = Callable[[PhotoResult, bool], None]
"""Takes a row, and whether it matches the filter."""


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What a sink is told of a run before its rows come."""

    results: Sequence[PhotoResult]
    """All rows, in their order."""
    folder: Path | None = None
    """The library; file names are shown relative to it."""
    query: Filter = ALL
    faces: FacesMode = "multiple"
    """What a photo with several faces is filed under."""
    labels: tuple[str, ...] = LABELS
    """Those of the model, in its order."""
    emoji: Mapping[str, str] = field(default_factory=lambda: EMOJI)
    """Of those labels that have one."""
    model: str = ""
    """A line about the model."""
    timing: str = ""
    """A line about how the times were taken."""


class Sink(ABC):
    """An output of a run."""

    what: ClassVar[str]
    """What it writes, in a word."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.written: list[Path] = []
        """Files that are right when the sink is closed, where there are several."""
        self.unwritten: list[str] = []
        """What was not written, and why, a line each."""
        self.notes: list[str] = []
        """What else there is to know, a line each."""

    @property
    def folders(self) -> tuple[Path, ...]:
        """Folders that it fills, which a scan skips."""
        return ()

    @abstractmethod
    def check(self, folder: Path, inputs: Iterable[Path]) -> None:
        """Raise InputError where it would write over `inputs` or into `folder` itself."""

    @abstractmethod
    def open(self, run: RunInfo) -> AbstractContextManager[TakeRow]:
        """What takes the rows, in a context that closes the sink.

        If the context is left by an exception, an output that is not complete is removed.
        Raises InputError when the output cannot be written.
        """


class FileSink(Sink):
    """An output that is one file; `files.STDOUT` is standard output."""

    def check(self, folder: Path, inputs: Iterable[Path]) -> None:
        """Raise InputError where `path` is one of `inputs`, any photo or sidecar, or a folder."""
        check_output(self.path, inputs)
        suffix = self.path.suffix.lower()
        kind = "photo" if suffix in PHOTO_SUFFIXES else "sidecar" if suffix == ".xmp" else None
        if kind is not None:
            raise InputError(
                self.path, expected=f"a file name for the {self.what}", found=f"one of a {kind}"
            )


def write_rows(
    sink: Sink, run: RunInfo, progress: Callable[[int, int], None] = lambda done, total: None
) -> None:
    """Give all rows of a run to a sink."""
    with sink.open(run) as take:
        for done, result in enumerate(run.results, start=1):
            take(result, run.query.matches(result))
            progress(done, len(run.results))
