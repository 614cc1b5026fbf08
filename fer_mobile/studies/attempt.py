"""One run of a suite: trained, measured, and a row in its folder whatever happens."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fer_mobile.environment import describe_hardware
from fer_mobile.files import write_text
from fer_mobile.training.recipe import Recipe

ROW_JSON: Final = "row.json"
_UNFINISHED: Final = "begun and not finished: it was stopped, or ended the whole process"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is to be trained and measured."""

    name: str
    recipe: Recipe
    folder: Path
    """Its run folder, which also gets its row."""
    data: str | Path | None


def read_row(folder: Path) -> dict[str, Any]:
    """The row that lies in a run folder: figures, or why there are none as `error`."""
    file = folder / ROW_JSON
    if not file.is_file():
        return {"error": "not run yet"}
    row: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return row


def make(attempt: Attempt, report: Callable[[str], None]) -> dict[str, Any]:
    """The row of a run that is trained (gone on with) and measured now, or of its failure."""
    from fer_mobile.checkpoint import import_keras

    keras = import_keras()
    from fer_mobile.studies.measure import measure_run, time_prediction
    from fer_mobile.training.fit import train

    folder = attempt.folder
    # What is to be read of a run that takes the whole process down with it.
    write_text(folder / ROW_JSON, json.dumps({"error": _UNFINISHED}))
    try:
        train(
            attempt.recipe,
            folder,
            data=attempt.data,
            resume=True,
            parameter_cap=False,
            throughput=False,
            report=report,
        )
        row = measure_run(attempt.recipe, folder, attempt.data)
        row["ms"] = time_prediction(folder)
    except Exception as error:  # whatever it is: the other runs are not to be lost for it
        reason = " ".join(str(error).split()) or type(error).__name__
        report(f"{attempt.name} failed: {reason}")
        row = {"error": reason}
    else:
        row["cpu"] = describe_hardware()["cpu"]
        row["cores"] = describe_hardware()["cores_usable"]
        (folder / "last.keras").unlink(missing_ok=True)  # its optimizer is for going on, no more
    finally:
        keras.utils.clear_session()
    write_text(folder / ROW_JSON, json.dumps(row, indent=1))
    return row
