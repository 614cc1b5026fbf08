"""Contracts of formats 1 and 2, brought to format 3: what they do not say stays unknown."""

from __future__ import annotations

from typing import Any

from fer_mobile.contract.provenance import UNKNOWN


def to_format_3(old: dict[str, Any]) -> tuple[dict[str, Any], dict[str, list[float]]]:
    """The fields of a contract of format 1 or 2 in format 3, and its reference outputs by label.

    Expects labels and reference outputs as those formats had them; what is malformed is passed
    on as it is, for the check of format 3 to refuse.
    """
    new = {key: value for key, value in old.items() if key not in _GONE}
    new["format_version"] = 3
    if "adjustment" in old:
        new["output_calibration"] = old["adjustment"]
    if "calibration" in old:
        new["ranges"] = old["calibration"]
    training = old.get("training")
    if training is None:
        new["provenance"] = {}
    elif isinstance(training, dict):
        new["provenance"] = {
            "dataset": {"name": training.get("data", UNKNOWN)},
            "protocol": training.get("protocol", UNKNOWN),
            "recipe": training.get("recipe", UNKNOWN),
            "epochs": training.get("epochs", UNKNOWN),
            "seeds": [training["seed"]] if "seed" in training else UNKNOWN,
        }
    return new, _by_label(old.get("labels"), old.get("reference"))


_GONE = frozenset({"adjustment", "calibration", "training", "reference"})


def _by_label(labels: Any, rows: Any) -> dict[str, list[float]]:
    """Reference outputs, which were a row for each face, by label."""
    if not isinstance(labels, list) or not isinstance(rows, list):
        return {}
    if any(not isinstance(row, list) or len(row) != len(labels) for row in rows):
        return {}
    return {str(label): [row[i] for row in rows] for i, label in enumerate(labels)} if rows else {}
