"""The rows of a run: in a file while it lasts, and as JSON Lines or CSV for others."""

from __future__ import annotations

import copy
import csv
import json
from array import array
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final, overload

from fer_mobile.files import replace_file
from fer_mobile.types import PhotoResult

CSV_COLUMNS: Final = (
    "path", "label", "confidence", "faces", "expressions", "width", "height", "error",
)  # fmt: skip
"""One line a photo: `faces` counts them, `expressions` are their labels, separated by blanks."""


class Rows(Sequence[PhotoResult]):
    """Rows in a temporary file, so that memory holds 8 bytes for each, however many there are.

    A row comes back as `PhotoResult.as_dict` prints it, its figures rounded.
    """

    def __init__(self, results: Iterable[PhotoResult] = ()) -> None:
        self._file = TemporaryFile()  # noqa: SIM115  (closed with the last that reads it)
        self._starts = array("Q")
        for result in results:
            self._starts.append(self._file.tell())
            self._file.write(_json_line(result).encode("ascii"))

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
        self._file.seek(self._starts[index])
        return PhotoResult.from_dict(json.loads(self._file.readline()))


def write_jsonl(results: Iterable[PhotoResult], path: str | Path) -> None:
    """Write one line a result, all of them or no file.

    The text is ASCII (other characters as JSON escapes), because a file name need not be
    valid Unicode.  Raises InputError when `path` cannot be written.
    """

    def write(part: Path) -> None:
        with part.open("w", encoding="ascii", newline="\n") as file:
            file.writelines(map(_json_line, results))

    replace_file(path, write)


def write_csv(results: Iterable[PhotoResult], path: str | Path) -> None:
    """Write a table of `CSV_COLUMNS`, whole or not at all.

    The text is UTF-8, but for file names that are not: their bytes stand as they are.
    Raises InputError when `path` cannot be written.
    """

    def write(part: Path) -> None:
        with part.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(CSV_COLUMNS)
            table.writerows(map(_csv_line, results))

    replace_file(path, write)


def _json_line(result: PhotoResult) -> str:
    return json.dumps(result.as_dict()) + "\n"


def _csv_line(result: PhotoResult) -> list[object]:
    row = result.as_dict()
    expressions = " ".join(face.label for face in result.faces)
    width, height = result.size or (None, None)
    return [
        row["path"], row["label"], row["confidence"], len(result.faces), expressions,
        width, height, row["error"],
    ]  # fmt: skip
