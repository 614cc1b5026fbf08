"""docs/replication.md and its picture: each claim of the studies, the verdict, what it rests on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import matplotlib
from jinja2 import Environment, StrictUndefined
from matplotlib.figure import Figure

from benchmarks.claims import (
    CLAIMS,
    FEWEST_FACES,
    LEAST_SIZE,
    PATIENCE,
    RUNS,
    Finding,
    Ordering,
    seeds,
    too_small,
)
from benchmarks.claims import Rows as ClaimRows
from benchmarks.result_files import RESULTS
from fer_mobile.files import replace_file, write_text

DOCS: Final = RESULTS.parents[1] / "docs"
PAGE: Final = DOCS / "replication.md"
PICTURE: Final = DOCS / "images" / "replication.svg"
VERDICTS: Final = ("reproduced", "tie", "contradicted", "cannot have trained", "not run yet")

_COLORS: Final = {"reproduced": "#009E73", "tie": "#999999", "contradicted": "#D55E00"}

_TEMPLATE: Final = Path(__file__).with_name("replication.md.jinja")


def load_rows() -> dict[str, dict[str, Any]]:
    """The committed row of each run; of several, one that is large enough for a verdict."""
    rows: dict[str, dict[str, Any]] = {}
    for file in sorted(RESULTS.glob("compare_*.json")):
        for row in json.loads(file.read_text(encoding="utf-8"))["rows"]:
            name = row["run"]
            if name in RUNS and worth(row) > worth(rows.get(name)):
                rows[name] = row
    return rows


def worth(row: Mapping[str, Any] | None) -> int:
    """How much a row says of its run: 0 nothing, 1 a reason, 2 figures, 3 enough for a verdict."""
    if row is None:
        return 0
    if "error" in row:
        return 1
    return 2 if too_small(row, RUNS[row["run"]]) else 3


def findings(rows: ClaimRows) -> dict[str, list[tuple[Any, Finding]]]:
    """Each claim with its finding, by source."""
    return {
        source: [(claim, claim.judge(rows)) for claim in claims]
        for source, claims in CLAIMS.items()
    }


def replication_page(rows: ClaimRows) -> str:
    """The text of docs/replication.md."""
    found = findings(rows)
    counts = Counter(finding.verdict for pairs in found.values() for _, finding in pairs)
    done = [row for row in rows.values() if "error" not in row]
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True, autoescape=False
    )
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        counts=[(verdict, counts[verdict]) for verdict in VERDICTS],
        found=found,
        rows=sorted(done, key=lambda row: (-row["faces"]["train"], row["run"])),
        seeds=seeds,
        precision=_precision,
        too_small=lambda row: too_small(row, RUNS[row["run"]]),
        fewest_faces=FEWEST_FACES,
        least_size=LEAST_SIZE,
        patience=PATIENCE,
    )


def _precision(row: Mapping[str, Any]) -> str:
    """The precision of the training; the first rows came without their recipe."""
    return str(row["recipe"]["training"]["precision"]) if "recipe" in row else "unknown"


def draw(rows: ClaimRows, picture: Path) -> None:
    """Draw the orderings: the printed difference, and ours with its 95% interval."""
    shown = [
        (source.partition(":")[0], claim, finding)
        for source, pairs in findings(rows).items()
        for claim, finding in pairs
        if isinstance(claim, Ordering) and not claim.per_parameter
        if finding.points or _printed_points(claim) is not None
    ]
    figure = Figure(figsize=(9, 1.4 + 0.34 * len(shown)), layout="constrained")
    axes = figure.subplots()
    for place, (_, claim, finding) in enumerate(shown):
        printed = _printed_points(claim)
        if printed is not None:
            axes.plot(printed, place, "D", mfc="none", color="#0072B2")
        if finding.points:
            mean, half = finding.points
            axes.errorbar(mean, place, xerr=half, fmt="o", color=_COLORS[finding.verdict])
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_yticks(range(len(shown)), [f"{source}: {claim.text}" for source, claim, _ in shown])
    axes.invert_yaxis()
    axes.grid(axis="x", alpha=0.3)
    axes.set_xlabel("points of accuracy that one is better than the other")
    axes.plot([], [], "D", mfc="none", color="#0072B2", label="printed")
    measured = {finding.verdict for _, _, finding in shown if finding.points}
    for verdict, color in _COLORS.items():
        if verdict in measured:
            axes.errorbar([], [], xerr=[], fmt="o", color=color, label=f"ours: {verdict}")
    figure.legend(loc="outside lower center", ncols=4)
    with matplotlib.rc_context({"svg.hashsalt": "fer-mobile", "svg.fonttype": "none"}):
        replace_file(picture, lambda part: figure.savefig(part, metadata={"Date": None}))


def _printed_points(claim: Ordering) -> float | None:
    """The printed difference in points; None where one of the two figures is not printed."""
    better, worse = (RUNS[name].printed.get("accuracy") for name in (claim.better, claim.worse))
    return None if better is None or worse is None else 100 * (better - worse)


def write_page() -> None:
    """Write the page and its picture from the committed rows."""
    rows = load_rows()
    draw(rows, PICTURE)
    write_text(PAGE, replication_page(rows))
