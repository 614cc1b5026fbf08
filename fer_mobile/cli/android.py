"""`fer-mobile android`: what an Android app takes from here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fer_mobile.cli.commands import Command, new_group

android_app = new_group("Feed an Android app.")


@android_app.callback()
def _group() -> None:
    """Feed an Android app."""


@android_app.command("bundle", cls=Command)
def bundle_command(
    assets: Annotated[Path, typer.Argument(metavar="ASSETS", help="The app's folder of assets.")],
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail unless everything is up to date.")
    ] = False,
) -> None:
    """Copy models, contracts, detector and benchmark photos into an app's assets."""
    from fer_mobile.android import bundle, outdated
    from fer_mobile.errors import InputError

    if check:
        late = outdated(assets)
        if late:
            more = f", and {len(late) - 1} more" if len(late) > 1 else ""
            raise InputError(
                assets,
                expected="the shipped models, detector and photos",
                found=f"{late[0].relative_to(assets)} missing or different{more}",
                hint=f"Run: fer-mobile android bundle {assets}",
            )
        typer.echo(f"{assets}: up to date")
        return
    written = bundle(assets)
    typer.echo(f"{assets}: {len(written)} files written" if written else f"{assets}: up to date")
