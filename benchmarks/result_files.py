"""The result files of these scripts: figures with the machine and software they were taken on."""

from __future__ import annotations

import json
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fer_mobile.environment import describe_hardware, describe_software
from fer_mobile.files import write_text

RESULTS = Path(__file__).parent / "results"


def write_row(name: str, figures: dict[str, Any]) -> None:
    """Write `results/NAME.json` and print the figures."""
    row = _stamped(name, figures)
    write_text(RESULTS / f"{name}.json", json.dumps(row, indent=1, ensure_ascii=False) + "\n")
    print(json.dumps(figures, indent=1, ensure_ascii=False))


def write_rows(name: str, rows: list[dict[str, Any]], *, of: str | None = None) -> None:
    """Write `results/NAME.jsonl`, or NAME_OF.jsonl if there are several, a line for each row."""
    lines = [json.dumps(_stamped(name, row), ensure_ascii=False) + "\n" for row in rows]
    write_text(RESULTS / f"{name}{f'_{of}' if of else ''}.jsonl", "".join(lines))


def read_rows(name: str, *, of: str | None = None) -> list[dict[str, Any]]:
    """The rows that `write_rows` wrote."""
    path = RESULTS / f"{name}{f'_{of}' if of else ''}.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def vector_unit() -> str:
    """The widest of this processor's units that 8-bit kernels use, by Linux's name for it.

    The gain of int8 over float32 is a matter of it, so that such rows are kept by unit.
    """
    vectors = [v for v in (describe_hardware()["vectors"] or "").split() if v != "fma"]
    return vectors[-1] if vectors else platform.machine()


def _stamped(name: str, figures: dict[str, Any]) -> dict[str, Any]:
    return {
        "schema": f"fer-mobile/{name}",
        "schema_version": 1,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        **figures,
        "hardware": describe_hardware(),
        "software": describe_software(),
    }
