"""`fer-mobile train`: recipes become run folders."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from fer_mobile.cli.commands import name_commands, refuse_others
from fer_mobile.cli.options import EXECUTION, Data
from fer_mobile.cli.verbosity import note
from fer_mobile.errors import InputError


def train_command(
    ctx: typer.Context,
    recipes: Annotated[
        list[str],
        typer.Argument(
            metavar="RECIPE ...", help="A recipe file or a shipped recipe's name, or several."
        ),
    ],
    data: Data = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The run folder (of several recipes: the folder for theirs); default: "
            "runs/<recipe>.",
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on after the last finished epoch.")
    ] = False,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="key=value", help="Change a value of the recipes."),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(metavar="MODEL|none", help="Weights to begin with, in place of the recipes'."),
    ] = None,
    backend: Annotated[
        str,
        typer.Option(
            metavar="keras|device",
            help="device: on JAX, batches made on the accelerator, several recipes side by side.",
            rich_help_panel=EXECUTION,
        ),
    ] = "keras",
    parallel: Annotated[
        str | None,
        typer.Option(
            metavar="data|model",
            help="Over all devices, by the rows of a batch or by the weights; needs JAX.",
            rich_help_panel=EXECUTION,
        ),
    ] = None,
    no_parameter_cap: Annotated[
        bool, typer.Option("--no-parameter-cap", help="Allow more than 10,000,000 parameters.")
    ] = False,
    teacher_targets: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Train nothing: ask the recipe's teachers, and keep what they predict for all "
            "its views, for distillation.cache.",
        ),
    ] = None,
) -> None:
    """Train recipes into run folders, with a checkpoint after every epoch.

    Examples:
        fer-mobile train finetune --data faces/ --out runs/my   # your faces, your labels
        fer-mobile train finetune --data faces/ --out runs/my --resume
        fer-mobile train my.toml --set training.epochs=5
    """
    from fer_mobile.data import data_path
    from fer_mobile.training import (
        find_recipe,
        load_recipe,
        train_side_by_side,
        write_teacher_targets,
    )

    changes = [*(overrides or []), *([f"model.start={base}"] if base else [])]
    loaded = [load_recipe(find_recipe(name), changes) for name in recipes]
    if teacher_targets is not None:
        if len(loaded) != 1:
            raise InputError("recipes", expected="one, with teachers", found=str(len(loaded)))
        refuse_others(ctx, "teacher_targets", "recipes", "data", "overrides")
        write_teacher_targets(loaded[0], teacher_targets, data=data_path(data), report=note)
        return
    runs = out or Path("runs")
    single = out is not None and len(loaded) == 1
    folders = [runs] if single else [runs / recipe.name for recipe in loaded]
    data_path(data)  # a missing dataset should be reported before Keras takes its seconds
    if backend == "device":  # which needs it; what the user has set stays, and is then refused
        os.environ.setdefault("KERAS_BACKEND", "jax")
    chosen: dict[str, Any] = {"backend": backend, "parallel": parallel}  # checked there
    results = train_side_by_side(
        loaded,
        folders,
        data=data,
        resume=resume,
        parameter_cap=not no_parameter_cap,
        throughput=True,
        report=lambda line: note(name_commands(line)),
        **chosen,
    )
    for result in results:
        scores = result.scores
        typer.echo(
            f"best epoch: accuracy {scores.accuracy:.4f}, balanced "
            f"{scores.balanced_accuracy:.4f} ({result.measured_on}, n={scores.n:,}); "
            f"run folder: {result.folder}"
        )
