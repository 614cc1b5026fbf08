"""`fer-mobile models`: the zoo and the shipped models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer

from fer_mobile.cli.options import AsJson
from fer_mobile.cli.streams import open_console

if TYPE_CHECKING:
    from rich.table import Table

    from fer_mobile.models import ModelRow


def models_command(
    as_json: AsJson = False,
) -> None:
    """List architectures and shipped models: parameters, size, input, figures.

    Examples:
        fer-mobile models          # a table
        fer-mobile models --json   # with the paths of the files
    """
    from fer_mobile.models import list_models

    rows = list_models()
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    console = open_console()
    console.print(_shipped_table(rows))
    console.print("accuracy: on the valid faces of the protocol\n", highlight=False)
    console.print(_architecture_table(rows))


def _shipped_table(rows: list[ModelRow]) -> Table:
    """The shipped files, a row each, with their figures in columns."""
    table = _table("shipped", "file", "MB", "parameters", "accuracy", "balanced", "faces")
    table.add_column("protocol")
    for row in rows:
        figures = {each["precision"]: each for each in row.get("figures", [])}
        for precision in row["files"]:
            size = f"{row['bytes'][precision] / 1e6:.2f}"
            table.add_row(
                row["name"],
                precision,
                size,
                f"{row['parameters']:,}",
                *_measured(figures.get(precision)),
            )
    return table


def _measured(figures: Mapping[str, Any] | None) -> tuple[str, str, str, str]:
    if figures is None:
        return "unknown", "unknown", "–", "–"
    return (
        f"{figures['accuracy']:.1%}",
        f"{figures['balanced_accuracy']:.1%}",
        f"{figures['n']:,}",
        str(figures["protocol"]),
    )


def _architecture_table(rows: list[ModelRow]) -> Table:
    """What can be trained."""
    table = _table("architecture", "parameters", "input")
    table.add_column("from")
    for row in rows:
        if row["kind"] == "architecture":
            table.add_row(
                row["name"], f"{row['parameters']:,}", f"{row['input']} px", row["source"]
            )
    return table


def _table(first: str, *figures: str) -> Table:
    from rich.table import Table

    table = Table(first, box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for name in figures:
        table.add_column(name, justify="right", no_wrap=True)
    return table
