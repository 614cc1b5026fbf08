"""`fer-mobile compare`: a study's comparison run again, or a sweep of a recipe's values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from fer_mobile.cli.options import EXECUTION, OUTPUT, Data
from fer_mobile.cli.verbosity import note
from fer_mobile.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fer_mobile.studies.run_suite import Engine
    from fer_mobile.studies.suite import Suite
    from fer_mobile.training.recipe import Recipe

SWEEP = "sweep"


def compare_command(
    suite: Annotated[
        str,
        typer.Argument(
            metavar="SUITE",
            help="thesis-table3 to -table7, thesis-fig26, emotion-11, four-class-cnn, transfer-6, "
            "two-conv; or sweep.",
        ),
    ],
    recipe: Annotated[
        str | None, typer.Argument(metavar="RECIPE", help="With sweep: a recipe's file or name.")
    ] = None,
    grid: Annotated[
        list[str] | None,
        typer.Option(
            metavar="key=a,b,c",
            help="With sweep: values of a key of the recipe; repeatable.",
            rich_help_panel="What is trained",
        ),
    ] = None,
    data: Data = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where runs, tables and pages go; default: comparisons, or comparisons/quick.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    rows: Annotated[
        Path | None,
        typer.Option(
            metavar="SUITE.json",
            help="Take over the rows of an earlier run, here or on another machine.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick",
            help="A few minutes: 2% of the faces, 2 epochs, inputs of at most 112 px.",
            rich_help_panel="What is trained",
        ),
    ] = False,
    fraction: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Share of the training rows used.",
            rich_help_panel="What is trained",
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Epochs of every run; default: the recipes'.",
            rich_help_panel="What is trained",
        ),
    ] = None,
    set_values: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="key=value",
            help="Change a value of every recipe.",
            rich_help_panel="What is trained",
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RUN",
            help="Train only this run; repeatable.",
            rich_help_panel="What is trained",
        ),
    ] = None,
    engine: Annotated[
        str,
        typer.Option(
            metavar="sequential|ray",
            help="One run after another, or several at once.",
            rich_help_panel=EXECUTION,
        ),
    ] = "sequential",
    cores: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="With --engine ray: cores of each run; default: 1.",
            rich_help_panel=EXECUTION,
        ),
    ] = None,
) -> None:
    """Train a study's networks and show its figures next to ours; goes on where it was stopped.

    Examples:
        fer-mobile compare thesis-table5 --quick          # a few minutes
        fer-mobile compare four-class-cnn --data faces.npz
        fer-mobile compare sweep my.toml --grid optimizer.learning_rate=1e-3,1e-4
    """
    from fer_mobile.studies.run_suite import SuiteOptions, run_suite

    overrides = list(set_values or [])
    if fraction is not None:
        overrides.append(f"training.fraction={fraction}")
    if epochs is not None:
        overrides.append(f"training.epochs={epochs}")
    out = out or Path("comparisons") / ("quick" if quick else "")
    if engine != "ray" and cores is not None:
        raise InputError("cores", expected="`engine='ray'` with it", found=repr(engine))
    options = SuiteOptions(
        overrides=overrides,
        only=only or (),
        rows=rows,
        quick=quick,
        engine=cast("Engine", engine),
        cores=cores or 1,
    )
    chosen = _find_suite(suite, recipe, grid or [], options.change)
    results = run_suite(chosen, out, options, data=data, report=note)
    failed = [row for row in results if "error" in row]
    typer.echo(
        f"{chosen.name}: {len(results) - len(failed)} of {len(results)} runs have figures; "
        f"page: {out / f'{chosen.name}.html'}"
    )
    if len(failed) == len(results):
        raise typer.Exit(1)


def _find_suite(
    name: str, recipe: str | None, grid: list[str], change: Callable[[Recipe], Recipe]
) -> Suite:
    if name != SWEEP:
        for subject, given in (("recipe", recipe), ("grid", grid)):
            if given:
                raise InputError(subject, expected=f"the suite {SWEEP}", found=repr(name))
        from fer_mobile.studies.suites import find_suite

        return find_suite(name)
    if recipe is None:
        raise InputError("recipe", expected="a recipe's file or name", found="none")
    from fer_mobile.studies.sweep import make_sweep
    from fer_mobile.training import find_recipe, load_recipe

    return make_sweep(load_recipe(find_recipe(recipe)), grid, change)
