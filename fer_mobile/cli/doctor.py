"""`fer-mobile doctor`: what is installed here, and whether it fits together."""

from __future__ import annotations

import json

import typer

from fer_mobile.cli.options import AsJson


def doctor_command(as_json: AsJson = False) -> None:
    """Show what is installed and what is wrong with it; exit code 1 if anything is.

    The output is ready to paste into an issue.

    Examples:
        fer-mobile doctor          # lines to read and to paste
        fer-mobile doctor --json   # the same for a program
    """
    from fer_mobile.doctor import diagnose, pasteable

    diagnosis = diagnose()
    if as_json:
        typer.echo(json.dumps(diagnosis, indent=2))
    else:
        typer.echo("\n".join(pasteable(diagnosis)))
    if diagnosis["problems"]:
        raise typer.Exit(1)
