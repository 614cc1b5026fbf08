"""The rows of a run, in a file while it lasts."""

from __future__ import annotations

import copy
import json
from array import array
from collections.abc import Iterable, Sequence
from tempfile import TemporaryFile
from typing import overload

from fer_mobile.types import PhotoResult


class _OwnFile:
    """A temporary file, closed with the last rows that are read from it."""

    def __init__(self) -> None:
        self.file = TemporaryFile()  # noqa: SIM115

    def __del__(self) -> None:
        self.file.close()


class Rows(Sequence[PhotoResult]):
    """Rows in a temporary file, so that memory holds 8 bytes for each, however many there are.

    A row comes back as `PhotoResult.as_dict` prints it, its figures rounded.
    """

    def __init__(self, results: Iterable[PhotoResult] = ()) -> None:
        self._own = _OwnFile()
        self._starts = array("Q")
        for result in results:
            self._starts.append(self._own.file.tell())
            self._own.file.write(json.dumps(result.as_dict()).encode("ascii") + b"\n")

    def pick(self, numbers: Iterable[int]) -> Rows:
        """Some of the rows, in the order of `numbers`."""
        picked = copy.copy(self)
        picked._starts = array("Q", (self._starts[number] for number in numbers))
        return picked

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, index: int) -> PhotoResult: ...
    @overload
    def __getitem__(self, index: slice) -> Rows: ...
    def __getitem__(self, index: int | slice) -> PhotoResult | Rows:
        if isinstance(index, slice):
            return self.pick(range(len(self))[index])
        self._own.file.seek(self._starts[index])
        return PhotoResult.from_dict(json.loads(self._own.file.readline()))
