"""The tables of README.md, made from committed rows.

python -m tools.readme_tables
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from fer_mobile.models import shipped_models

RESULTS: Final = Path(__file__).resolve().parent.parent / "benchmarks" / "results"
_OPEN_MODEL: Final = RESULTS / "open_model.json"


def peers_table() -> str:
    """Packages and models on the same faces; those without a classifier are left out."""
    lines = [
        "| | accuracy | balanced | weights, MB | ms a face | ms a photo | photos right |",
        "|---|---|---|---|---|---|---|",
    ]
    rows = [json.loads(line) for line in (RESULTS / "peers.jsonl").read_text("utf-8").splitlines()]
    for row in rows:
        if "accuracy" in row:
            lines.append(
                f"| {row['peer']} {row['version']} | {row['accuracy']:.1%} "
                f"| {row['balanced_accuracy']:.1%} | {row['weight_bytes'] / 1e6:.2f} "
                f"| {row['face_ms_median']:.2f} | {row['photo_ms_mean']:.0f} "
                f"| {row['photos_right']} of {row['photos_labelled']} |"
            )
    lines += _open_model()
    return "\n".join(lines)


def _open_model() -> Iterator[str]:
    row = json.loads(_OPEN_MODEL.read_text("utf-8"))["models"][0]
    yield (
        f"| {row['name']}, a model of an Android app | {row['accuracy']:.1%} "
        f"| {row['balanced_accuracy']:.1%} | {row['bytes'] / 1e6:.2f} | – | – | – |"
    )


def shipped_table() -> str:
    """The shipped files with their figures."""
    lines = ["| shipped | file | size | accuracy | balanced | n |", "|---|---|---|---|---|---|"]
    for name, model in shipped_models().items():
        figures: list[dict[str, Any]] = model.facts()["figures"]
        for row in (row for row in figures if row["precision"] in model.files):
            size = model.files[row["precision"]].stat().st_size
            lines.append(
                f"| `{name}` | {row['precision']} | {size / 1e6:.2f} MB | {row['accuracy']:.1%} "
                f"| {row['balanced_accuracy']:.1%} | {row['n']:,} |"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    print(peers_table(), shipped_table(), sep="\n\n")
