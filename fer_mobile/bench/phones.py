"""Phones as their users timed them: results that the app has shared, checked and tabulated."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fer_mobile.bench.photos import load_photo_set
from fer_mobile.bench.result import BenchResult, read_results
from fer_mobile.errors import InputError
from fer_mobile.files import write_text

_HEAD: Final = """# Phones, as reported by users

Each row is the result of the app's benchmark screen on one phone, as its user sent it; we could not
measure these phones ourselves. Times are in ms for the 25 bundled photos: half of them take at most
p50, nine in ten at most p90.

To add yours, run *Benchmark* in the app, share the result, and `fer-mobile bench import FILE`.

"""
_COLUMNS: Final = (
    "phone", "processor", "system", "model", "threads", "p50", "p90", "within budget", "app",
    "date",
)  # fmt: skip
_NUMBERS: Final = ("threads", "p50", "p90")


def import_phone(file: str | Path, rows: str | Path = "phones.jsonl") -> BenchResult:
    """Check a result that the app has shared, and add it to `rows` and to the table beside it.

    Args:
        file: the shared JSON.
        rows: the results so far, a JSONL file; the table has its name with ``.md``.

    Returns:
        The result.

    Raises:
        InputError: if it is no result of the app on a phone, if other photos were timed than the
            bundled ones, or if it is there already.
    """
    rows = Path(rows)
    results = read_results(Path(file))
    if len(results) != 1:
        raise InputError(file, expected="one result", found=str(len(results)))
    (result,) = results
    _check(result, file)
    known = read_results(rows) if rows.is_file() else []
    if any(_key(row) == _key(result) for row in known):
        raise InputError(file, expected="a result that is new", found=f"the same one in {rows}")
    result.append_to(rows)
    write_text(rows.with_suffix(".md"), phones_page([*known, result]))
    return result


def phones_page(results: Sequence[BenchResult]) -> str:
    """The page with the table, in Markdown; the fastest phone first."""
    lines = [
        f"| {' | '.join(_COLUMNS)} |",
        f"|{'|'.join('---:' if name in _NUMBERS else '---' for name in _COLUMNS)}|",
        *(_line(result) for result in sorted(results, key=_p90)),
    ]
    return _HEAD + ("\n".join(lines) if results else "No phone has been reported yet.") + "\n"


def _check(result: BenchResult, file: str | Path) -> None:
    if result.device != "android" or not result.hardware.phone:
        raise InputError(
            file, expected="a result of the app on a phone", found=f"one of {result.device}"
        )
    bundled = load_photo_set("affective-25")
    if result.photos is None or result.photos.sha256 != bundled.sha256:
        found = result.photos.name if result.photos else "none"
        raise InputError(file, expected=f"the photos {bundled.name}", found=f"others ({found!r})")


def _key(result: BenchResult) -> tuple[object, ...]:
    return result.hardware.phone, result.date, result.model.sha256


def _p90(result: BenchResult) -> float:
    return result.stages["total"].p90_ms


def _line(result: BenchResult) -> str:
    total, hardware, software = result.stages["total"], result.hardware, result.software
    budget = f"{result.settings.budget_s:g} s: {'yes' if result.verdict == 'pass' else 'no'}"
    cells = (
        hardware.phone, hardware.cpu, software.os, f"{result.model.name} {result.model.precision}",
        result.settings.threads, f"{total.p50_ms:.0f}", f"{total.p90_ms:.0f}", budget,
        software.fer_mobile, result.date[:10],
    )  # fmt: skip
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(value: object) -> str:
    """A cell's text, which a stranger wrote: it stays in its cell, and is no markup."""
    text = " ".join(str("unknown" if value is None else value).split())[:60]
    return "".join(f"\\{letter}" if letter in r"\|<>[]`*_" else letter for letter in text)
