"""Committed results of `fer-mobile compare`: rows, their tables, and the verdicts on the claims.

    python -m benchmarks.study_results [DIR]

Result: benchmarks/results/compare_SUITE.json and compare.md; docs/replication.md and its picture.

Reads every SUITE.json of a folder that `fer-mobile compare SUITE --out DIR` filled.  Without DIR
the pages are made anew from the committed rows.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.replication import write_page
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
    parser.add_argument("folder", type=Path, nargs="?", metavar="DIR")
    folder = parser.parse_args().folder
    for suite in SUITES.values():
        if folder and (folder / f"{suite.name}.json").is_file():
            _take_over(suite, read_rows(folder / f"{suite.name}.json"))
    write_text(RESULTS / "compare.md", tables())
    write_page()


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
