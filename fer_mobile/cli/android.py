"""`fer-mobile android`: what an Android app takes from here."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from fer_mobile.cli.commands import Command, new_group
from fer_mobile.cli.options import shipped_names
from fer_mobile.wording import counted

android_app = new_group("Feed an Android app.")


@android_app.callback()
def _group() -> None:
    """Feed an Android app."""


@android_app.command("bundle", cls=Command)
def bundle_command(
    assets: Annotated[Path, typer.Argument(metavar="ASSETS", help="The app's folder of assets.")],
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|FILE",
            help="A shipped model or a .tflite file, more than once for several. [all]",
        ),
    ] = None,
    photos: Annotated[
        bool,
        typer.Option(
            "--photos", help="Also what the gallery app shows: photos and reference faces."
        ),
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail unless everything is up to date.")
    ] = False,
) -> None:
    """Copy models, contracts, detector and licences into an app's assets.

    Files of other names stay there; models among them are named.

    Examples:
        fer-mobile android bundle app/src/main/assets
        fer-mobile android bundle app/src/main/assets --check   # for a build server
    """
    from fer_mobile.android import bundle, other_models, outdated
    from fer_mobile.cli.next_step import next_step
    from fer_mobile.errors import InputError

    models = model or []
    if check:
        late = outdated(assets, models=models, photos=photos)
        if late:
            more = f", and {len(late) - 1} more" if len(late) > 1 else ""
            command = ["fer-mobile", "android", "bundle", str(assets)]
            command += [*(f"--model={name}" for name in models), *["--photos"] * photos]
            raise InputError(
                assets,
                expected="the shipped files",
                found=f"{late[0].relative_to(assets)} missing or different{more}",
                hint=f"Run: {shlex.join(command)}",
            )
    written = [] if check else bundle(assets, models=models, photos=photos)
    size = sum(file.stat().st_size for file in written)
    done = f"{counted(len(written), 'file')} written, {size / 1e6:.1f} MB"
    typer.echo(f"{assets}: {done if written else 'up to date'}")
    for file in other_models(assets, models=models):
        typer.echo(f"note: {file.relative_to(assets)} is another model, and stays")
    if classifiers := [
        file for file in written if file.parent.name == "models" and file.suffix == ".tflite"
    ]:
        typer.echo(f"next: {next_step(classifiers)}")


@android_app.command("snippet", cls=Command)
def snippet_command(
    language: Annotated[
        str, typer.Argument(metavar="kotlin|java|mediapipe-python", help="In which language.")
    ],
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="The model that the code is for: its labels and its crop. [xcao_two_stream]",
            autocompletion=shipped_names,
        ),
    ] = None,
) -> None:
    """Print code that runs an exported file, to be copied into an app.

    `mediapipe-python` is Python code for MediaPipe Tasks.

    Examples:
        fer-mobile android snippet kotlin > ExpressionClassifier.kt
        fer-mobile android snippet java --model mine_int8.tflite > ExpressionClassifier.java
    """
    from fer_mobile.snippet import snippet

    typer.echo(snippet(language, model), nl=False)
