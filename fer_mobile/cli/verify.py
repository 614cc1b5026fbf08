"""`fer-mobile verify`: proof of an exported file."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def verify_command(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A shipped model's name or a .tflite file.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
) -> None:
    """Check checksum, contract, graph and parity; exit code 1 when a check fails."""
    from fer_mobile.convert.verification import verify

    found = verify(model)
    if as_json:
        typer.echo(json.dumps(found.as_dict(), indent=2))
    else:
        for check in found.checks:
            typer.echo(f"{'pass' if check.passed else 'FAIL'}  {check.name}: {check.detail}")
        operations = ", ".join(f"{n}× {name}" for name, n in found.operations.items())
        typer.echo(f"operations: {operations}")
        typer.echo(f"{found.path.name}: {'pass' if found.passed else 'FAIL'}")
    if not found.passed:
        raise typer.Exit(1)
