"""`fer-mobile compare`: a study's comparison is run again, beside its printed figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fer_mobile.cli.options import Data


def compare_command(
    suite: Annotated[
        str,
        typer.Argument(metavar="SUITE", help="thesis-table5, emotion-11 …; see docs/studies.md."),
    ],
    data: Data = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where runs, tables and pages go.")
    ] = Path("comparisons"),
    fraction: Annotated[
        float | None, typer.Option(metavar="SHARE", help="Share of the training rows used.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(metavar="N", help="Epochs of every run; default: the recipes'.")
    ] = None,
    set_values: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="key=value", help="Change a value of every recipe."),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="RUN", help="Train only this run; repeatable.")
    ] = None,
    engine: Annotated[
        str,
        typer.Option(metavar="sequential|ray", help="One run after another, or side by side."),
    ] = "sequential",
    cores: Annotated[
        int, typer.Option(metavar="N", min=1, help="With --engine ray: cores of each run.")
    ] = 1,
) -> None:
    """Train a study's networks and put its figures beside ours; goes on where it was stopped."""
    from fer_mobile.studies.compare import compare
    from fer_mobile.studies.suites import find_suite

    chosen = find_suite(suite)
    overrides = list(set_values or [])
    if fraction is not None:
        overrides.append(f"training.fraction={fraction}")
    if epochs is not None:
        overrides.append(f"training.epochs={epochs}")
    rows = compare(
        chosen,
        out,
        data=data,
        overrides=overrides,
        only=only or (),
        engine=engine,
        cores=cores,
        report=lambda line: typer.echo(line, err=True),
    )
    failed = [row for row in rows if "error" in row]
    typer.echo(
        f"{chosen.name}: {len(rows) - len(failed)} of {len(rows)} runs have figures; "
        f"page: {out / f'{chosen.name}.html'}"
    )
    if len(failed) == len(rows):
        raise typer.Exit(1)
