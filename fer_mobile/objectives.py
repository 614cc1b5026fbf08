"""Figures that are asked of a model, such as the thesis's two objectives, and their verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, cast, get_args

from fer_mobile.contract import Figures, Metric, Objective
from fer_mobile.errors import InputError, ModelError, check_choice
from fer_mobile.evaluation import Evaluation
from fer_mobile.metrics import Scores
from fer_mobile.model_file import attach, read_model, split, write_model

METRICS: Final[tuple[Metric, ...]] = get_args(Metric)
"""What can be required.  "recall" is the least one of all labels that occur."""


THESIS: Final[Mapping[str, float]] = {"accuracy": 0.70, "recall": 0.50}
"""The two objectives of the thesis that this project carries on."""


def check_objectives(
    evaluation: Evaluation | Figures, required: Mapping[str, float]
) -> tuple[Objective, ...]:
    """The verdict on an evaluation, or on figures of a contract, for each metric of `required`.

    `required` maps a metric of `METRICS` to a share from 0 to 1: the least that is allowed, of
    "calibration_error" the most, which figures do not have.  Raises InputError for another
    metric or value.
    """
    scores = evaluation if isinstance(evaluation, Figures) else evaluation.scores
    check_required(required, METRICS[:-1] if isinstance(scores, Figures) else METRICS)
    return tuple(
        _objective(evaluation, scores, cast("Metric", name), value)
        for name, value in required.items()
    )


def check_required(required: Mapping[str, float], metrics: Sequence[Metric] = METRICS) -> None:
    """InputError for another metric than these, or a value that is no share of 1."""
    for name, value in required.items():
        check_choice("require", cast("Metric", name), metrics)
        if not 0 <= value <= 1:
            raise InputError(
                "require", expected=f"a share from 0 to 1 for {name}", found=str(value)
            )


def record_objectives(file: str | Path, objectives: tuple[Objective, ...]) -> None:
    """Write objectives into the contract of a ``.tflite`` file, and of the ``.json`` next to it.

    They take the place of those of the same metric, protocol and split.  Raises ModelError
    where there is no such file.
    """
    path = Path(file)
    if path.suffix != ".tflite":
        raise ModelError(path, expected="a .tflite file", found=path.suffix or "none")
    bare, contract = split(read_model(path), path)
    keys = {(o.metric, o.protocol, o.split) for o in objectives}
    kept = (o for o in contract.objectives if (o.metric, o.protocol, o.split) not in keys)
    contract = contract.model_copy(update={"objectives": (*kept, *objectives)})
    write_model(path, attach(bare, contract), contract.to_json().encode())


def _objective(
    evaluation: Evaluation | Figures, scores: Scores | Figures, metric: Metric, value: float
) -> Objective:
    measured = _measured(scores, metric)
    met = measured <= value if metric == "calibration_error" else measured >= value
    shares = scores.recall if metric == "recall" else {}
    return Objective(
        metric=metric,
        required=value,
        measured=round(measured, 5),
        met=met,
        missed_by=tuple(
            label for label, share in shares.items() if share is not None and share < value
        ),
        protocol=evaluation.protocol,
        split=evaluation.split,
        n=scores.n,
    )


def _measured(scores: Scores | Figures, metric: Metric) -> float:
    if metric == "recall":
        return min(share for share in scores.recall.values() if share is not None)
    return float(getattr(scores, metric))
