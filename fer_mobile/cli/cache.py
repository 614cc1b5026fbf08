"""`fer-mobile cache`: what is kept between runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fer_mobile.cli.commands import Command, new_group
from fer_mobile.cli.options import AsJson
from fer_mobile.files import display_name
from fer_mobile.wording import counted

if TYPE_CHECKING:
    from fer_mobile.doctor.caches import CacheInfo

cache_app = new_group("Show, clear and forget what is kept between runs.")


@cache_app.callback()
def _group() -> None:
    """Show, clear and forget what is kept between runs."""


@cache_app.command("info", cls=Command)
def info_command(as_json: AsJson = False) -> None:
    """Say what is kept, where, and how large it is.

    Examples:
        fer-mobile cache info
    """
    from fer_mobile.doctor.caches import cache_info

    info = cache_info()
    if as_json:
        typer.echo(json.dumps(info, indent=2))
        return
    _print("kept", info)


@cache_app.command("clear", cls=Command)
def clear_command() -> None:
    """Delete all of it; the next runs compute it again.

    Examples:
        fer-mobile cache clear
    """
    from fer_mobile.doctor.caches import clear_cache

    _print("deleted", clear_cache())


@cache_app.command("forget", cls=Command)
def forget_command(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A photo or a folder of photos.")],
) -> None:
    """Forget the results of a photo, or of all photos below a folder; the photos stay.

    Examples:
        fer-mobile cache forget photos/
    """
    from fer_mobile.doctor.caches import forget

    typer.echo(f"{display_name(path)}: {counted(forget(path), 'photo')} forgotten")


def _print(done: str, info: CacheInfo) -> None:
    for part in info["parts"]:
        photos = "" if part["photos"] is None else f", {counted(part['photos'], 'photo')}"
        typer.echo(f"{done}: {part['what']}: {part['bytes'] / 1e6:.1f} MB{photos}, {part['path']}")
    if not info["parts"]:
        typer.echo(f"{info['folder']}: nothing is kept")
