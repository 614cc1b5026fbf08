"""What a suite's folder shows: its rows as CSV, as JSON and as a page."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from fer_mobile.environment import describe_hardware, describe_software
from fer_mobile.errors import InputError
from fer_mobile.files import write_text
from fer_mobile.studies.page import write_page
from fer_mobile.studies.suite import COLUMNS, Suite

SCHEMA: Final = "fer-mobile/compare"
SCHEMA_VERSION: Final = 1

_FACTS: Final = ("run", "row", "size", "epochs", "protocol", "split", "train_s", "error")
"""Columns of the CSV besides those of `COLUMNS` and the numbers of faces."""


def read_rows(file: Path) -> list[dict[str, Any]]:
    """The rows of a SUITE.json; InputError for a file that cannot be read or has another schema."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        found = f"{document['schema']} version {document['schema_version']}"
        if found == f"{SCHEMA} version {SCHEMA_VERSION}":
            rows: list[dict[str, Any]] = document["rows"]
            return rows
    except OSError as error:
        found = error.strerror or str(error)
    except (ValueError, KeyError, TypeError):
        found = "something else"
    raise InputError(file, expected=f"{SCHEMA} version {SCHEMA_VERSION}", found=found)


def write_tables(suite: Suite, rows: Sequence[dict[str, Any]], out: Path) -> None:
    """Write SUITE.json, SUITE.csv and SUITE.html into `out`, rows in the order of the runs."""
    document = {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "suite": suite.name,
        "source": suite.source,
        "setup": dict(suite.setup),
        "rows": rows,
        "hardware": describe_hardware(),
        "software": describe_software(),
    }
    write_text(out / f"{suite.name}.json", json.dumps(document, indent=1, ensure_ascii=False))
    write_text(out / f"{suite.name}.csv", _csv(rows))
    write_page(suite, rows, out)


def _csv(rows: Sequence[dict[str, Any]]) -> str:
    splits = sorted({f"faces_{split}" for row in rows for split in row.get("faces", {})})
    printed = [f"printed_{key}" for key in COLUMNS]
    text = io.StringIO()
    table = csv.DictWriter(
        text, [*_FACTS, *splits, *COLUMNS, *printed], extrasaction="ignore", lineterminator="\n"
    )
    table.writeheader()
    for row in rows:
        flat = {f"faces_{split}": count for split, count in row.get("faces", {}).items()}
        flat |= {f"printed_{key}": value for key, value in row["printed"].items()}
        table.writerow(row | flat)
    return text.getvalue()
