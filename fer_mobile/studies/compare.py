"""Running a suite: one run after another, past those that fail, and again from where it was.

The folder that is written holds::

    runs/NAME/    a run folder (see `train.fit`) for each, with test.json,
                  classification_report.json, confusion.png and row.json
    SUITE.csv     a row a run
    SUITE.json    the same with the printed figures, histories and recalls
    SUITE.html    the printed figures beside ours

Suites in one folder share the runs that they have in common.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from fer_mobile.data import data_path
from fer_mobile.environment import describe_hardware, describe_software
from fer_mobile.errors import InputError, RecipeError, nearest
from fer_mobile.files import write_text
from fer_mobile.studies.attempt import Attempt, make, read_row
from fer_mobile.studies.page import write_page
from fer_mobile.studies.suite import COLUMNS, Run, Suite
from fer_mobile.training.recipe import Recipe, override

ENGINES: Final = ("sequential", "ray")
"""How runs are done: one after another in this process, or side by side by Ray."""

_FACTS: Final = ("run", "row", "size", "epochs", "protocol", "split", "train_s", "error")
"""Columns of the CSV beside those of `COLUMNS` and the numbers of faces."""


def compare(
    suite: Suite,
    out: Path,
    *,
    data: str | Path | None = None,
    overrides: Sequence[str] = (),
    only: Collection[str] = (),
    engine: str = "sequential",
    cores: int = 1,
    report: Callable[[str], None] = print,
) -> list[dict[str, Any]]:
    """Train and measure a suite's runs in `out`; returns a row for each, in the suite's order.

    `overrides` are ``section.key=value`` for every recipe.  With `only`, the other runs keep
    the rows that they have.  With the engine "ray" each run has `cores` of the cluster's (see
    `studies.ray_engine`).  Finished runs are not repeated and a run in progress goes on after
    its last epoch.  One that fails has a row with the reason, and is tried again next time.
    The tables and the page are written after every run.

    Raises InputError for an unknown name in `only`, an unknown engine or a cluster that cannot
    be reached, MissingPackageError for an engine that is not installed, RecipeError for an
    override that fits no recipe or a run in `out` that has other values, DataError for data
    that is not there.
    """
    _check_names(suite, only)
    if engine not in ENGINES:
        raise InputError("--engine", expected=" or ".join(ENGINES), found=repr(engine))
    data_path(data)
    recipes = {run.name: override(run.recipe, overrides) for run in suite.runs}
    chosen = [run.name for run in suite.runs if not only or run.name in only]
    for name in chosen:
        _check_same(recipes[name], out / "runs" / name)
    rows = {run.name: read_row(out / "runs" / run.name) for run in suite.runs}
    attempts = [
        Attempt(name, recipes[name], out / "runs" / name, data)
        for name in chosen
        if "error" in rows[name]
    ]

    def write() -> list[dict[str, Any]]:
        found = [_with_source(run, rows[run.name]) for run in suite.runs]
        _write(suite, out, found)
        return found

    for name, row in _done(attempts, engine, cores, lambda line: report(f"{suite.name}: {line}")):
        rows[name] = row
        write()
    return write()


def _done(
    attempts: Sequence[Attempt], engine: str, cores: int, report: Callable[[str], None]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and row of every attempt, as they come."""
    if engine == "ray" and attempts:
        from fer_mobile.studies.ray_engine import in_ray

        yield from in_ray(attempts, cores, report)
        return
    for number, attempt in enumerate(attempts, 1):
        report(f"{attempt.name} ({number} of {len(attempts)})")
        yield attempt.name, make(attempt, report)


def _check_names(suite: Suite, only: Collection[str]) -> None:
    known = [run.name for run in suite.runs]
    for name in only:
        if name not in known:
            raise InputError(
                "--only",
                expected=f"a run of {suite.name}",
                found=repr(name),
                hint=nearest(name, known),
            )


def _check_same(recipe: Recipe, folder: Path) -> None:
    file = folder / "recipe.json"
    if file.exists() and Recipe.model_validate_json(file.read_bytes()) != recipe:
        raise RecipeError(
            folder,
            expected="no run, or one of the same recipe",
            found="one with other values",
            hint="Give the same options as before, another --out, or remove the folder.",
        )


def _with_source(run: Run, row: dict[str, Any]) -> dict[str, Any]:
    """A row with the names and the printed figures that it stands beside."""
    found = dict(row)
    if run.epoch_faces and "step_ms" in found:
        batch = run.recipe.training.batch_size
        found["epoch_s"] = round(found["step_ms"] / 1000 * run.epoch_faces / batch, 1)
    return {"run": run.name, "row": run.row, **found, "printed": dict(run.printed)}


def _write(suite: Suite, out: Path, rows: list[dict[str, Any]]) -> None:
    document = {
        "schema": "fer-mobile/compare",
        "schema_version": 1,
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


def _csv(rows: list[dict[str, Any]]) -> str:
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
