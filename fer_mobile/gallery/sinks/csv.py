"""Rows as a table."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TextIO

from fer_mobile.files import replacing
from fer_mobile.gallery.filter import labels_of
from fer_mobile.gallery.sinks import FileSink, RunInfo, TakeRow
from fer_mobile.types import PhotoResult

COLUMNS: Final = (
    "path", "label", "confidence", "faces", "expressions", "width", "height", "error",
)  # fmt: skip
"""One line a photo: `faces` counts them, `expressions` are their labels, separated by blanks,
and unsure for one without."""

_FORMULA: Final = tuple("=+-@＝＋－＠\t\r\n")
"""What spreadsheets take for the start of a formula, or skip to come to one."""


class CsvSink(FileSink):
    """The rows that match or failed, as a table of `COLUMNS`.

    The text is UTF-8, but for file names that are not: their bytes stand as they are.  An
    apostrophe precedes text that a spreadsheet would run as a formula.
    """

    what = "table"

    @contextmanager
    def open(self, run: RunInfo) -> Iterator[TakeRow]:
        """See `Sink.open`."""
        with (
            replacing(self.path) as part,
            part.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file,
        ):
            table = csv.writer(_Lines(file))
            table.writerow(COLUMNS)

            def take(result: PhotoResult, matches: bool) -> None:
                if matches or result.error:
                    table.writerow(map(_harmless, _cells(result)))

            yield take


class _Lines:
    """Ends lines as Unix does.  The writer itself would then leave a carriage return unquoted."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, line: str) -> None:
        self._file.write(line.removesuffix("\r\n") + "\n")


def _cells(result: PhotoResult) -> list[object]:
    row = result.as_dict()
    expressions = " ".join(label for label, _ in labels_of(result, every_face=True))
    width, height = result.size or (None, None)
    return [
        row["path"], row["label"], row["confidence"], len(result.faces), expressions,
        width, height, row["error"],
    ]  # fmt: skip


def _harmless(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
