"""Committed results of `fer-mobile compare`: rows, their tables, and the verdicts on the claims.

    python -m benchmarks.study_results [DIR ...]

Result: benchmarks/results/compare_SUITE.json and compare.md; docs/replication.md and its picture.

Reads every SUITE.json of folders that `fer-mobile compare SUITE --out DIR` filled.  A committed row
stays where the new one says less.  Rows of further folders that differ from one in the seed alone
are its further seeds.  Without DIR the pages are made anew from the committed rows.
"""

from __future__ import annotations

import argparse
import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.replication import worth, write_page
from benchmarks.result_files import RESULTS, write_row
from fer_mobile.files import write_text
from fer_mobile.studies.page import show
from fer_mobile.studies.suite import COLUMNS, Run, Suite
from fer_mobile.studies.suites import SUITES
from fer_mobile.studies.tables import SCHEMA, SCHEMA_VERSION, read_rows


def main() -> None:
    """Take over the rows of DIR, and write the pages."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folders", type=Path, nargs="*", metavar="DIR")
    folders = parser.parse_args().folders
    for suite in SUITES.values():
        files = [folder / f"{suite.name}.json" for folder in folders]
        new = [read_rows(file) for file in files if file.is_file()]
        if new:
            rows = {row["run"]: row for row in merge(_committed(suite), *new)}
            _take_over(suite, [rows[run.name] for run in suite.runs if run.name in rows])
    write_text(RESULTS / "compare.md", tables())
    write_page()


def _committed(suite: Suite) -> list[dict[str, Any]]:
    file = RESULTS / f"compare_{suite.name}.json"
    return json.loads(file.read_text(encoding="utf-8"))["rows"] if file.is_file() else []


def merge(*sources: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row a run: that which says most, the latest of equals, with all its seeds."""
    merged: dict[str, dict[str, Any]] = {}
    for row in (row for rows in sources for row in rows):
        before = merged.get(row["run"])
        if before and _differ_in_seed_alone(before, row):
            further = {"seed": row["recipe"]["training"]["seed"], "accuracy": row["accuracy"]}
            others = [each for each in before.get("seeds", ()) if each["seed"] != further["seed"]]
            before["seeds"] = sorted([*others, further], key=lambda each: each["seed"])
        elif before is None or worth(row) >= worth(before):
            kept = {"seeds": before["seeds"]} if before and _same_recipe(before, row) else {}
            merged[row["run"]] = {**row, **kept}
    return list(merged.values())


def _same_recipe(before: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    return "seeds" in before and bool(before["recipe"] == row.get("recipe"))


def _differ_in_seed_alone(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    if "recipe" not in one or "recipe" not in other:
        return False
    recipes = [copy.deepcopy(row["recipe"]) for row in (one, other)]
    seeds = [recipe["training"].pop("seed") for recipe in recipes]
    return seeds[0] != seeds[1] and bool(recipes[0] == recipes[1])


def _take_over(suite: Suite, rows: list[dict[str, Any]]) -> None:
    seconds = sum(row.get("train_s", 0) for row in rows)
    write_row(
        f"compare_{suite.name}",
        {
            "schema": SCHEMA,
            "schema_version": SCHEMA_VERSION,
            "suite": suite.name,
            "source": suite.source,
            "setup": dict(suite.setup),
            "train_hours": round(seconds / 3600, 3),
            "rows": rows,
        },
    )


def tables() -> str:
    """The text of compare.md, from the committed rows."""
    lines = ["# The studies' comparisons, printed and run again", ""]
    for suite in SUITES.values():
        rows = {row["run"]: row for row in read_rows(RESULTS / f"compare_{suite.name}.json")}
        missing = {"error": "not run yet"}
        lines += [*_section(suite, [rows.get(run.name, missing) for run in suite.runs]), ""]
    return "\n".join(lines)


def _section(suite: Suite, rows: list[dict[str, Any]]) -> Iterator[str]:
    seconds = sum(row.get("train_s", 0) for row in rows)
    yield f"## {suite.name}: {suite.title}"
    yield ""
    setup = "; ".join(f"{key}: {stated}" for key, stated in suite.setup.items())
    yield f"Source: {suite.source} ({setup}). {suite.note}".rstrip()
    yield ""
    yield f"Ours: {seconds / 60:.0f} minutes of training. Each cell: printed / ours."
    yield ""
    titles = [COLUMNS[key] for key in suite.columns]
    yield "| run | " + " | ".join(titles) + " | faces, epochs, size | measured on |"
    yield "|---|" + "--:|" * len(titles) + "---|---|"
    for run, row in zip(suite.runs, rows, strict=True):
        cells = [
            f"{show(run.printed.get(key), key)} / {show(row.get(key), key)}"
            for key in suite.columns
        ]
        if "error" in row:
            done = row["error"].partition(". ")[0]
            yield f"| {run.row} | " + " | ".join(cells) + f" | {done} | – |"
            continue
        split = row["split"]
        done = f"{row['faces']['train']:,}, {row['epochs']}, {row['size']} px"
        yield (
            f"| {run.row} | " + " | ".join(cells)
            + f" | {done} | {row['protocol']} {split}, n={row['faces'][split]:,} |"
        )  # fmt: skip
    for run, row in zip(suite.runs, rows, strict=True):
        if run.printed_epochs and "error" not in row:
            yield from _by_epoch_and_label(run, row)


def _by_epoch_and_label(run: Run, row: dict[str, Any]) -> Iterator[str]:
    yield ""
    yield "| epoch | accuracy | loss |"
    yield "|---|--:|--:|"
    for i, ((accuracy, loss), ours) in enumerate(
        zip(run.printed_epochs, row["history"], strict=False), 1
    ):
        yield (
            f"| {i} | {show(accuracy, 'accuracy')} / {show(ours['accuracy'], 'accuracy')} "
            f"| {show(loss, 'loss')} / {show(ours['valid_loss'], 'loss')} |"
        )
    yield ""
    yield "| label | recall |"
    yield "|---|--:|"
    for label, share in run.printed_recall.items():
        ours = row["label_recall"][label]
        yield f"| {label} | {show(share, 'recall')} / {show(ours, 'recall')} |"


if __name__ == "__main__":
    main()
