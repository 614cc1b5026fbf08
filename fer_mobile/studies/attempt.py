"""One run of a suite: trained, measured, and a row in its folder whatever happens."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fer_mobile.environment import describe_hardware
from fer_mobile.errors import InputError
from fer_mobile.files import write_text
from fer_mobile.training.recipe import Recipe

ROW_JSON: Final = "row.json"
SCHEMA: Final = "fer-mobile/compare-row"
SCHEMA_VERSION: Final = 1
_HEAD: Final = {"schema": SCHEMA, "schema_version": SCHEMA_VERSION}
_UNFINISHED: Final = "begun and not finished: it was stopped, or ended the whole process"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A run to train and to measure."""

    name: str
    recipe: Recipe
    folder: Path
    """Its run folder, which also gets its row."""
    data: str | Path | None


def read_row(folder: Path) -> dict[str, Any]:
    """The row in a run folder: figures, or why there are none as `error`.

    Raises InputError for a file that is no row, or one of another schema.
    """
    file = folder / ROW_JSON
    if not file.is_file():
        return {"error": "not run yet"}
    try:
        row = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        row = None
    schema = tuple(row.get(key) for key in _HEAD) if isinstance(row, dict) else ()
    # Rows that were written before they named their schema are of its first version.
    if not isinstance(row, dict) or schema not in ((SCHEMA, SCHEMA_VERSION), (None, None)):
        raise InputError(
            file,
            expected=f"a row of {SCHEMA}, version {SCHEMA_VERSION}",
            found=" ".join(map(str, schema)) or "something else",
            hint="Remove it: the run is measured again.",
        )
    return {key: value for key, value in row.items() if key not in _HEAD}


def _write_row(folder: Path, row: dict[str, Any]) -> None:
    write_text(folder / ROW_JSON, json.dumps(_HEAD | row, indent=1))


def train_and_measure(attempt: Attempt, report: Callable[[str], None]) -> dict[str, Any]:
    """Train a run (or go on with it) and measure it; returns its row, or that of its failure."""
    from fer_mobile.checkpoint import import_keras

    keras = import_keras()
    from fer_mobile.studies.measure import measure_run, time_prediction
    from fer_mobile.training import train

    folder = attempt.folder
    # The row of a run that takes the whole process down with it.
    _write_row(folder, {"error": _UNFINISHED})
    try:
        train(
            attempt.recipe,
            folder,
            data=attempt.data,
            resume=True,
            parameter_cap=False,
            finish=False,  # nothing is exported
            report=report,
        )
        row = measure_run(attempt.recipe, folder, attempt.data)
        row["ms"] = time_prediction(folder)
    except Exception as error:  # whatever it is, the other runs go on
        reason = " ".join(str(error).split()) or type(error).__name__
        report(f"{attempt.name} failed: {reason}")
        row = {"error": reason}
    else:
        row["cpu"] = describe_hardware()["cpu"]
        row["cores"] = describe_hardware()["cores_usable"]
        row["recipe"] = attempt.recipe.model_dump(mode="json")
        (folder / "last.keras").unlink(missing_ok=True)  # its optimizer is for going on, no more
    finally:
        keras.utils.clear_session()
    _write_row(folder, row)
    return row
