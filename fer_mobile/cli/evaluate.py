"""`fer-mobile evaluate`: figures of a model on a dataset."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from fer_mobile.cli.options import (
    AnyModel,
    AsJson,
    Data,
    KerasRange,
    Labels,
    Protocol,
    Split,
    Threads,
    names,
)
from fer_mobile.cli.streams import open_console
from fer_mobile.errors import InputError
from fer_mobile.models import DEFAULT


def evaluate_command(
    model: AnyModel = DEFAULT,
    data: Data = None,
    protocol: Protocol = "ferplus-strict",
    split: Split = "valid",
    corruption: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Make the faces worse first: blur, noise, jpeg-20 …"),
    ] = None,
    labels: Labels = None,
    value_range: KerasRange = None,
    require: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METRIC=SHARE",
            help="Exit with 1 if missed: accuracy, balanced_accuracy, recall (of every label), "
            "calibration_error.",
            rich_help_panel="Verdict",
        ),
    ] = None,
    record: Annotated[
        bool,
        typer.Option(
            "--record",
            help="Write the verdict into the .tflite's contract.",
            rich_help_panel="Verdict",
        ),
    ] = False,
    threads: Threads = 1,
    as_json: AsJson = False,
) -> None:
    """Measure accuracy, balanced accuracy, F1 and recall under a protocol.

    Examples:
        fer-mobile evaluate compact --data faces.npz
        fer-mobile evaluate my_int8.tflite --data faces/ --protocol own
        fer-mobile evaluate compact --data faces.npz --corruption blur
        fer-mobile evaluate compact --data faces.npz --require recall=0.5   # exit code 1 if missed
    """
    from fer_mobile.evaluation import evaluate
    from fer_mobile.objectives import check_objectives, check_required, record_objectives

    wanted = dict(map(_requirement, require or []))
    check_required(wanted)  # before minutes of work
    if record:
        _check_record(str(model), corruption, wanted)
    evaluation = evaluate(
        model,
        data,
        protocol=protocol,
        split=split,
        corruption=corruption,
        threads=threads,
        labels=names(labels),
        value_range=value_range,
    )
    objectives = check_objectives(evaluation, wanted)
    if record:
        record_objectives(model, objectives)
    code = 0 if all(objective.met for objective in objectives) else 1
    if as_json:
        rows = [objective.model_dump() for objective in objectives]
        added = {"objectives": rows} if require else {}
        typer.echo(json.dumps(evaluation.as_dict() | added, indent=2))
        raise typer.Exit(code)
    from rich.box import SIMPLE
    from rich.table import Table

    from fer_mobile.metrics import classification_report

    scores = evaluation.scores
    report = classification_report(scores)
    typer.echo(
        f"{model} on {evaluation.protocol} {split}, n={scores.n:,}: "
        f"accuracy {scores.accuracy:.2%}, "
        f"balanced {scores.balanced_accuracy:.2%}, mean F1 {report['macro avg']['f1']:.2%}, "
        f"calibration error {scores.calibration_error:.2%}"
    )
    table = Table("label", "faces", "recall", "precision", "F1", box=SIMPLE)
    for column in table.columns[1:]:
        column.justify = "right"
    for name, count in scores.counts.items():
        f1 = report[name]["f1"] if name in report else None
        shares = (scores.recall[name], scores.precision[name], f1)
        table.add_row(name, str(count), *("–" if s is None else f"{s:.1%}" for s in shares))
    open_console().print(table)
    for objective in objectives:
        most = objective.metric == "calibration_error"
        typer.echo(
            f"{'met' if objective.met else 'MISSED'}: {objective.metric} "
            f"{objective.measured:.2%} ({'at most' if most else 'at least'} "
            f"{objective.required:.2%})"
            + (f", by {', '.join(objective.missed_by)}" if objective.missed_by else "")
        )
    raise typer.Exit(code)


def _check_record(model: str, corruption: str | None, wanted: dict[str, float]) -> None:
    """InputError where there is nothing to record, or nowhere."""
    for fits, expected, found in (
        (bool(wanted), "`require` with it", "none"),
        (model.endswith(".tflite"), "a .tflite file", repr(model)),
        (corruption is None, "faces as they are", f"`corruption={corruption}`"),
    ):
        if not fits:
            raise InputError("record", expected=expected, found=found)


def _requirement(text: str) -> tuple[str, float]:
    metric, _, value = text.partition("=")
    try:
        return metric.strip(), float(value)
    except ValueError as error:
        raise InputError("require", expected="METRIC=SHARE", found=repr(text)) from error
