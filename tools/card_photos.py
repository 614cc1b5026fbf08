"""What a card says of photos that are turned, dark or blurred, and of groups of people."""

from __future__ import annotations

import json
from typing import Any, Final

from benchmarks.result_files import RESULTS

BEFORE: Final = "preprocessing_1"
AFTER: Final = "levelled"
"""Names of the results of `benchmarks.robustness` that are compared, and drawn."""

_LEAST: Final = (0.0, 0.3, 0.5, 0.7)
_KINDS: Final = ("all", "age", "sex", "group")


def photo_context(name: str, graph: str) -> dict[str, Any]:
    """What the template says of photos; nothing where this graph of the model was not measured."""
    before, after, quality = (
        [row for row in _rows(result) if row["model"] == name and row["graph"] == graph]
        for result in (f"robustness_{BEFORE}", f"robustness_{AFTER}", f"quality_{name}")
    )
    return {
        "robustness": _by_change(before, after),
        "has_chart": name == "compact",
        "quality": {row["set"]: row for row in quality},
        "least_qualities": [[_by_quality(row, least) for row in quality] for least in _LEAST],
        "groups": [
            row
            for row in _rows("groups")
            if row["kind"] in _KINDS and row["graphs"].get(name) == graph
        ],
    }


def _by_quality(row: dict[str, Any], least: float) -> dict[str, Any]:
    """What a least quality leaves, its share taken from the counts: the row's is rounded."""
    at = row["by_min_quality"][round(10 * least)]
    labelled = round(at["coverage"] * row["faces"])
    return {**at, "surely_wrong_share": at["surely_wrong"] / labelled}


def shares(row: dict[str, Any]) -> str:
    """A share with its interval."""
    low, high = row["interval"]
    return f"{row['share']:.1%} ({100 * low:.1f} to {100 * high:.1f})"


def _by_change(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For every change, what of the faces of all sets was kept and surely changed, then and now."""
    changes = dict.fromkeys((row["change"], row["strength"]) for row in after)
    return [
        {"change": " ".join(change), "before": _sum(before, change), "after": _sum(after, change)}
        for change in changes
    ]


def _sum(rows: list[dict[str, Any]], change: tuple[str, str]) -> dict[str, Any]:
    chosen = [row for row in rows if (row["change"], row["strength"]) == change]
    faces = sum(row["faces"] for row in chosen)
    kept, changed = (sum(row[name] for row in chosen) for name in ("kept", "surely_changed"))
    return {"faces": faces, "kept": kept / faces, "surely_changed": changed / faces}


def _rows(result: str) -> list[dict[str, Any]]:
    path = RESULTS / f"{result}.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [json.loads(line) for line in lines]
