"""Rows as JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from fer_mobile.files import replacing
from fer_mobile.gallery.sinks import FileSink, RunInfo, TakeRow
from fer_mobile.types import PhotoResult


class JsonlSink(FileSink):
    """The rows that match or failed, one JSON document a line.

    The text is ASCII (other characters as JSON escapes), because a file name need not be
    valid Unicode.
    """

    what = "rows"

    @contextmanager
    def open(self, run: RunInfo) -> Iterator[TakeRow]:
        """See `Sink.open`."""
        with replacing(self.path) as part, part.open("w", encoding="ascii", newline="\n") as file:

            def take(result: PhotoResult, matches: bool) -> None:
                if matches or result.error:
                    file.write(json.dumps(result.as_dict()) + "\n")

            yield take
