"""Writes the card of a shipped model, models/<name>/card.md, and its pictures.

    python -m tools.model_card compact

The figures are those of `tools/measure_model.py`, `tools/ship_model.py`,
`benchmarks/face_time.py` and `benchmarks/operating_point.py`; the text is `card.md.jinja`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Final

import jinja2

from benchmarks.operating_point import MOST_LOST
from benchmarks.result_files import RESULTS
from fer_mobile.files import write_text
from fer_mobile.models import shipped_models
from fer_mobile.training import find_recipe, load_recipe
from tools.card_pictures import draw_confusion, draw_reliability
from tools.measure_model import main_protocol, protocols

_TEMPLATES: Final = Path(__file__).resolve().parent


def render_card(name: str) -> str:
    """The card of a shipped model, from the figures that are there."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # it is Markdown
    )
    environment.filters |= {
        "count": "{:,}".format,
        "percent": _percent,
        "accuracies": _accuracies,
        "interval": _interval,
    }
    return environment.get_template("card.md.jinja").render(_context(name))


def _context(name: str) -> dict[str, Any]:
    """What the template speaks of."""
    figures = _read(RESULTS / f"model_{name}.json")
    facts, rows = figures["model"], figures["rows"]
    plain = [row for row in rows if "corruption" not in row]
    by_file: dict[str, dict[str, Any]] = {precision: {} for precision in figures["bytes"]}
    for row in plain:
        by_file[row["format"]][row["protocol"]] = row
    main = main_row(figures)
    recipe = find_recipe(facts["training"]["recipe"])
    return {
        "facts": facts,
        "options": json.dumps(facts["options"]),
        "macs": figures["macs"],
        "bytes": figures["bytes"],
        "protocols": protocols(facts),
        "by_file": by_file,
        "main": main,
        "fewest": min(main["counts"].values()),
        "copy": len(figures["bytes"]) == 1,
        "as_trained": next(row for row in facts["figures"] if row["precision"] == "float32"),
        "corrupted": [row for row in rows if "corruption" in row],
        "face_time": _face_time(name),
        "training": facts["training"],
        "recipe_file": recipe.name,
        "recipe": load_recipe(recipe),
        "training_time": {"trained_on": None} | row
        if (row := _read(RESULTS / f"training_{name}.json"))
        else None,
        **_operating_point(name),
    }


def main_row(figures: dict[str, Any]) -> dict[str, Any]:
    """The int8 file's figures under the protocol that the model was made for."""
    key = ("int8", main_protocol(figures["model"]))
    (row,) = [
        row
        for row in figures["rows"]
        if (row["format"], row["protocol"]) == key and "corruption" not in row
    ]
    return dict(row)


def _face_time(name: str) -> dict[str, Any] | None:
    lines = (RESULTS / "face_time.jsonl").read_text(encoding="utf-8").splitlines()
    return next((row for row in map(json.loads, lines) if row["model"] == name), None)


def _operating_point(name: str) -> dict[str, Any]:
    """The rare labels' recall by networks that never saw the faces, where it was measured."""
    measured = _read(RESULTS / f"operating_point_{name}.json")
    if not measured:
        return {"operating_point": None}
    strengths = {row["prior"]: row for row in measured["strengths"]}
    return {
        "operating_point": measured,
        "most_lost_points": 100 * MOST_LOST,
        "no_offsets": strengths[0.0],
        "offsets": strengths[measured["chosen_prior"]],
    }


def _read(path: Path) -> dict[str, Any]:
    """A result file; an empty one where nothing was measured."""
    if not path.is_file():
        return {}
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _accuracies(row: dict[str, Any]) -> str:
    return f"{_percent(row['accuracy'])} ({_percent(row['balanced_accuracy'])})"


def _interval(row: dict[str, Any]) -> str:
    low, high = row["interval"]
    return f"{_percent(row['recall'])} ({low:.1%} to {high:.1%})"


def main() -> None:
    """Write the card that the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model")
    model = shipped_models(copies=True)[parser.parse_args().model]
    row = main_row(_read(RESULTS / f"model_{model.name}.json"))
    draw_confusion(row, model.folder / "confusion.png")
    draw_reliability(row, model.folder / "reliability.png")
    write_text(model.folder / "card.md", render_card(model.name))
    print(model.folder / "card.md")


if __name__ == "__main__":
    main()
