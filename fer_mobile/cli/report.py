"""`fer-mobile report`: pages about a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from fer_mobile.cli.commands import Command, new_group
from fer_mobile.cli.options import (
    OUTPUT,
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
from fer_mobile.cli.streams import is_stdout_taken
from fer_mobile.models import DEFAULT
from fer_mobile.wording import percent

report_app = new_group("Pages about a model.")


@report_app.callback()
def _group() -> None:
    """Pages about a model."""


@report_app.command("errors", cls=Command)
def errors_command(
    model: AnyModel = DEFAULT,
    data: Data = None,
    protocol: Protocol = "ferplus-strict",
    split: Split = "valid",
    most: Annotated[
        int,
        typer.Option(metavar="N", min=1, help="Mistakes of each label.", rich_help_panel=OUTPUT),
    ] = 20,
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="The page.", rich_help_panel=OUTPUT)
    ] = Path("errors.html"),
    threads: Threads = 1,
    labels: Labels = None,
    value_range: KerasRange = None,
    as_json: AsJson = False,
) -> None:
    """Show the most confident mistakes of each label, with the faces, in one page.

    Examples:
        fer-mobile report errors compact --data faces.npz --out errors.html
    """
    from fer_mobile.data.loading import data_path
    from fer_mobile.explain.mistakes import find_mistakes, write_mistakes
    from fer_mobile.files import check_output
    from fer_mobile.walk import files_read

    err = is_stdout_taken(out, as_json=as_json)
    check_output(out, [*files_read(data_path(data)), model])
    report = find_mistakes(
        model,
        data,
        protocol=protocol,
        split=split,
        most=most,
        threads=threads,
        labels=names(labels),
        value_range=value_range,
    )
    write_mistakes(report, out)
    if as_json:
        typer.echo(json.dumps({"page": str(out)} | report.as_dict()))
        return
    for label, mistakes in report.by_label.items():
        first = mistakes[0]
        typer.echo(
            f"{label}: predicted as {first.prediction} with {percent(first.confidence)},"
            f" and {len(mistakes) - 1} more",
            err=err,
        )
    typer.echo(f"written: {out}", err=err)
