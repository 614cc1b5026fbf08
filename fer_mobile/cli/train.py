"""`fer-mobile train`: a recipe becomes a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fer_mobile.cli.options import Data


def train_command(
    recipe: Annotated[
        str, typer.Argument(metavar="RECIPE.toml", help="A recipe file or a shipped recipe's name.")
    ],
    data: Data = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The run folder; default: runs/<recipe>.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on after the last finished epoch.")
    ] = False,
    set_values: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="key=value", help="Change a value of the recipe."),
    ] = None,
    parallel: Annotated[
        str | None,
        typer.Option(
            metavar="data|model",
            help="Over all devices, by the rows of a batch or by the weights; needs JAX.",
        ),
    ] = None,
    no_parameter_cap: Annotated[
        bool, typer.Option("--no-parameter-cap", help="Allow more than 10,000,000 parameters.")
    ] = False,
) -> None:
    """Train a recipe; checkpoints every epoch, writes history and curves."""
    from fer_mobile.training import find_recipe, load_recipe

    loaded = load_recipe(find_recipe(recipe), set_values or [])
    folder = out or Path("runs") / loaded.name
    from fer_mobile.data import data_path

    data_path(data)  # a missing dataset should be said before TensorFlow takes its seconds
    from fer_mobile.checkpoint import import_keras

    import_keras()
    from fer_mobile.convert.training_ranges import keep_ranges
    from fer_mobile.training.fit import train
    from fer_mobile.training.split import training_rows

    def report(line: str) -> None:
        typer.echo(line, err=True)

    best = train(
        loaded,
        folder,
        data=data,
        resume=resume,
        parameter_cap=not no_parameter_cap,
        parallel=parallel,
        report=report,
    )
    keep_ranges(folder, training_rows(loaded, data)[0].images, report)
    typer.echo(
        f"best epoch: accuracy {best.accuracy:.4f}, balanced {best.balanced_accuracy:.4f} "
        f"({loaded.data.protocol} valid, n={best.n:,}); run folder: {folder}"
    )
