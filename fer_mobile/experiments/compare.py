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
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, Final

from fer_mobile.bench.hardware import describe_hardware, describe_software
from fer_mobile.data import data_path
from fer_mobile.errors import InputError, RecipeError, nearest
from fer_mobile.experiments.page import write_page
from fer_mobile.experiments.suite import COLUMNS, Run, Suite
from fer_mobile.files import write_text
from fer_mobile.train.recipe import Recipe, override

ROW_JSON: Final = "row.json"
_FACTS: Final = ("run", "row", "size", "epochs", "protocol", "split", "train_s", "error")
"""Columns of the CSV beside those of `COLUMNS` and the numbers of faces."""

_UNFINISHED: Final = "begun and not finished: it was stopped, or ended the whole process"


def compare(
    suite: Suite,
    out: Path,
    *,
    data: str | Path | None = None,
    overrides: Sequence[str] = (),
    only: Collection[str] = (),
    report: Callable[[str], None] = print,
) -> list[dict[str, Any]]:
    """Train and measure a suite's runs in `out`; returns a row for each, in the suite's order.

    `overrides` are ``section.key=value`` for every recipe.  With `only`, the other runs keep
    the rows that they have.  Finished runs are not repeated and a run in progress goes on after
    its last epoch.  One that fails has a row with the reason, and is tried again next time.
    The tables and the page are written after every run.

    Raises InputError for an unknown name in `only`, RecipeError for an override that fits no
    recipe or a run in `out` that has other values, DataError for data that is not there.
    """
    _check_names(suite, only)
    data_path(data)
    recipes = {run.name: override(run.recipe, overrides) for run in suite.runs}
    chosen = [run for run in suite.runs if not only or run.name in only]
    for run in chosen:
        _check_same(recipes[run.name], out / "runs" / run.name)
    rows = {run.name: _stored(run, out) for run in suite.runs}
    for number, run in enumerate(chosen, 1):
        row = rows[run.name]
        if row is None or "error" in row:
            report(f"{suite.name}: {run.name} ({number} of {len(chosen)})")
            rows[run.name] = _attempt(run, recipes[run.name], out, data, report)
        _write(suite, out, [_with_source(run, rows[run.name]) for run in suite.runs])
    return [_with_source(run, rows[run.name]) for run in suite.runs]


def _check_names(suite: Suite, only: Collection[str]) -> None:
    known = [run.name for run in suite.runs]
    for name in only:
        if name not in known:
            raise InputError(
                "--only",
                expected=f"a run of {suite.name}",
                found=repr(name),
                todo=nearest(name, known),
            )


def _check_same(recipe: Recipe, folder: Path) -> None:
    file = folder / "recipe.json"
    if file.exists() and Recipe.model_validate_json(file.read_bytes()) != recipe:
        raise RecipeError(
            folder,
            expected="no run, or one of the same recipe",
            found="one with other values",
            todo="Give the same options as before, another --out, or remove the folder.",
        )


def _stored(run: Run, out: Path) -> dict[str, Any] | None:
    file = out / "runs" / run.name / ROW_JSON
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None


def _attempt(
    run: Run,
    recipe: Recipe,
    out: Path,
    data: str | Path | None,
    report: Callable[[str], None],
) -> dict[str, Any]:
    """The row of a run that is trained and measured now, or of its failure."""
    from fer_mobile.convert.source import import_keras

    keras = import_keras()
    from fer_mobile.experiments.measure import measure_run, time_prediction
    from fer_mobile.train.fit import train

    folder = out / "runs" / run.name
    # What is to be read of a run that takes the whole process down with it.
    write_text(folder / ROW_JSON, json.dumps({"error": _UNFINISHED}))
    try:
        train(
            recipe,
            folder,
            data=data,
            resume=True,
            parameter_cap=False,
            throughput=False,
            report=report,
        )
        row = measure_run(recipe, folder, data)
        row["ms"] = time_prediction(folder)
    except Exception as error:  # whatever it is: the other runs are not to be lost for it
        reason = " ".join(str(error).split()) or type(error).__name__
        report(f"{run.name} failed: {reason}")
        row = {"error": reason}
    else:
        row["cpu"] = describe_hardware()["cpu"]
        row["cores"] = describe_hardware()["cores_usable"]
        (folder / "last.keras").unlink(missing_ok=True)  # its optimizer is for going on, no more
    finally:
        keras.utils.clear_session()
    write_text(folder / ROW_JSON, json.dumps(row, indent=1))
    return row


def _with_source(run: Run, row: dict[str, Any] | None) -> dict[str, Any]:
    """A row with the names and the printed figures that it stands beside."""
    found = dict(row or {"error": "not run yet"})
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
