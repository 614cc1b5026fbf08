"""Csv files as people's programs write them: three delimiters, two encodings, a byte order mark."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

DELIMITERS: Final = ",;\t"
_LONGEST_HEADER: Final = 1 << 16

csv.field_size_limit(1 << 20)  # a face of 48×48 px is 9 kB of digits, one of 200×200 160 kB


def read_lines(file: Path) -> Iterator[list[str]]:
    """The cells of every line, the header's among them; empty lines are empty lists.

    The delimiter is the one of `DELIMITERS` that the first line has most of.  Text is UTF-8, or
    UTF-16 with a byte order mark.  Raises OSError, UnicodeError and csv.Error.
    """
    with file.open("rb") as content:
        marked = content.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    with file.open(newline="", encoding="utf-16" if marked else "utf-8-sig") as lines:
        first = lines.readline(_LONGEST_HEADER)
        lines.seek(0)
        yield from csv.reader(lines, delimiter=max(DELIMITERS, key=first.count))


def header(file: Path) -> list[str]:
    """The names of the columns, in lower case; none where the file is no table."""
    try:
        return [name.strip().lower() for name in next(read_lines(file), [])]
    except (OSError, UnicodeError, csv.Error):
        return []


def describe_error(error: Exception) -> str:
    """Why a table could not be read, for an error message."""
    if isinstance(error, UnicodeError):
        return "bytes that are no UTF-8"
    if isinstance(error, KeyError):
        return f"no column {error}"
    return str(error) or type(error).__name__
