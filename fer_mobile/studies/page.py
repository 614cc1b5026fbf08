"""The page of a comparison: the printed figures next to ours, in one file that loads nothing."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader

from fer_mobile.files import write_text
from fer_mobile.studies.suite import COLUMNS, Run, Suite
from fer_mobile.wording import counted


def write_page(suite: Suite, rows: Sequence[dict[str, Any]], out: Path) -> None:
    """Write `out`/SUITE.html for the rows of `run_suite`, in the order of the suite's runs."""
    environment = Environment(
        loader=PackageLoader("fer_mobile.studies", "page"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figure"] = show
    template = environment.get_template("compare.html")
    done = [row for row in rows if "error" not in row]
    text = template.render(
        suite=suite,
        titles=COLUMNS,
        pairs=list(zip(suite.runs, rows, strict=True)),
        setup=_setup(suite, done),
        curves=_curves(done),
        details=[
            _details(run, row, out / "runs" / run.name)
            for run, row in zip(suite.runs, rows, strict=True)
            # The row of another machine comes without its run folder.
            if "error" not in row and (out / "runs" / run.name / "best.keras").is_file()
        ],
    )
    write_text(out / f"{suite.name}.html", text)


def show(value: float | None, column: str) -> str:
    """A figure as text: shares in per cent."""
    if value is None:
        return "–"
    if column == "parameters":
        return f"{value:,.0f}"
    if column in ("ms", "step_ms", "epoch_s"):
        return f"{value:,.1f}"
    return f"{value:.3f}" if column == "loss" else f"{value:.1%}"


def _setup(suite: Suite, rows: Sequence[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """What the source trained with, and what was done here."""
    here = {
        "data": "; ".join(_different(_faces(row) for row in rows)),
        "size": ", ".join(_different(f"{row['size']} px" for row in rows)),
        "epochs": ", ".join(_different(str(row["epochs"]) for row in rows)),
        "processor": "; ".join(
            _different(f"{row['cpu']}, {counted(row['cores'], 'core')}" for row in rows)
        ),
    }
    return [(key, stated, here[key] or "–") for key, stated in suite.setup.items()]


def _faces(row: dict[str, Any]) -> str:
    counts = ", ".join(f"{count:,} {split}" for split, count in row["faces"].items())
    return f"{row['protocol']}: {counts}"


def _different(texts: Any) -> list[str]:
    return list(dict.fromkeys(texts))


def _details(run: Run, row: dict[str, Any], folder: Path) -> dict[str, Any]:
    report = json.loads((folder / "classification_report.json").read_text(encoding="utf-8"))
    return {
        "run": run,
        "row": row,
        "recipe": json.dumps(
            json.loads((folder / "recipe.json").read_text(encoding="utf-8")), indent=2
        ),
        "curves": _embedded((folder / "curves.png").read_bytes()),
        "confusion": _embedded((folder / "confusion.png").read_bytes()),
        "report": report,
    }


def _curves(rows: Sequence[dict[str, Any]]) -> str | None:
    """Accuracy and loss on valid by epoch, a line a run."""
    if not rows:
        return None
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for axis, column in ((left, "accuracy"), (right, "valid_loss")):
        for row in rows:
            epochs = [epoch["epoch"] for epoch in row["history"]]
            values = [epoch[column] for epoch in row["history"]]
            axis.plot(epochs, values, marker=".", label=row["row"])
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.set_xlabel("epoch")
        axis.grid(alpha=0.3)
    left.set_title("accuracy on valid")
    right.set_title("cross-entropy on valid")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    picture = io.BytesIO()
    figure.savefig(picture, dpi=110, format="png")
    return _embedded(picture.getvalue())


def _embedded(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()
