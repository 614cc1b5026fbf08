"""Writes the card of a shipped model, models/<name>/card.md, and its pictures.

    python -m tools.model_card compact

The figures are those of `tools/measure_model.py`, `tools/ship_model.py` and of
`benchmarks/face_time.py`, `robustness.py`, `quality.py` and `groups.py`, where they name the
shipped graphs by their checksums; the text is `card.md.jinja`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Final

import jinja2

from benchmarks.result_files import RESULTS
from fer_mobile.files import write_text
from fer_mobile.model_file import read_contract
from fer_mobile.models import shipped_models
from fer_mobile.training import find_recipe
from tools.card_photos import photo_context, shares
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
        "initial": _initial,
        "shares": shares,
    }
    return environment.get_template("card.md.jinja").render(_context(name))


def _context(name: str) -> dict[str, Any]:
    """What the template speaks of."""
    figures = _read(RESULTS / f"model_{name}.json")
    facts, rows = figures["model"], figures["rows"]
    model = shipped_models(copies=True)[name]
    contracts = {precision: read_contract(path) for precision, path in model.files.items()}
    graphs = {precision: contract.model_sha256 for precision, contract in contracts.items()}
    if figures["graphs"] != graphs:
        raise ValueError(f"measured were {figures['graphs']}, not the shipped {graphs}")
    sizes = {precision: path.stat().st_size for precision, path in model.files.items()}
    shipped = model.facts()
    plain = [row for row in rows if "corruption" not in row]
    by_file: dict[str, dict[str, Any]] = {precision: {} for precision in figures["bytes"]}
    for row in plain:
        by_file[row["format"]][row["protocol"]] = row
    main = main_row(figures)
    return {
        "facts": facts,
        "options": json.dumps(facts["options"]),
        "macs": figures["macs"],
        "bytes": figures["bytes"] | sizes,
        "graphs": graphs,
        "objectives": contracts["int8"].objectives,
        "provenance": shipped["provenance"],
        "licence": shipped["licence"],
        "protocols": protocols(facts),
        "by_file": by_file,
        "main": main,
        "fewest": min(main["counts"].values()),
        "copy": len(figures["bytes"]) == 1,
        "as_trained": next(row for row in facts["figures"] if row["precision"] == "float32"),
        "corrupted": [row for row in rows if "corruption" in row],
        "face_time": _face_time(name, graphs["int8"]),
        "recipe_file": find_recipe(name).name,
        "training_time": _training_time(name, graphs["int8"]),
        **photo_context(name, graphs["int8"]),
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


def _face_time(name: str, graph: str) -> dict[str, Any] | None:
    lines = (RESULTS / "face_time.jsonl").read_text(encoding="utf-8").splitlines()
    rows = (row for row in map(json.loads, lines) if row["model"] == name)
    return next((row for row in rows if row["model_sha256"] == graph), None)


def _training_time(name: str, graph: str) -> dict[str, Any] | None:
    row = _read(RESULTS / f"training_{name}.json")
    return {"trained_on": None} | row if row.get("model_sha256") == graph else None


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


def _initial(weights: dict[str, str]) -> str:
    """First weights with all that is known of them."""
    return (
        f"{weights['name']} ({weights['origin']}; {weights['licence']}; "
        f"trained on: {weights['trained_on']})"
    )


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
