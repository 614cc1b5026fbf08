"""`fer-mobile models`: the zoo and the shipped models."""

from __future__ import annotations

import json

import typer

from fer_mobile.cli.options import AsJson


def models_command(
    as_json: AsJson = False,
) -> None:
    """List architectures and shipped models: parameters, size, input, figures."""
    from fer_mobile.models import list_models

    rows = list_models()
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    table = Table("name", "kind", "parameters", "input", "files and figures", box=SIMPLE)
    table.columns[2].justify = table.columns[3].justify = "right"
    for row in rows:
        figures = {f["precision"]: f for f in row.get("figures", [])}
        lines = [row["source"]]
        for precision in row["files"]:
            line = f"{precision}: {row['bytes'][precision] / 1e6:.2f} MB"
            if precision in figures:
                f = figures[precision]
                line += (
                    f", accuracy {f['accuracy']:.1%}, balanced {f['balanced_accuracy']:.1%} "
                    f"({f['protocol']} {f['split']}, n={f['n']:,})"
                )
            lines.append(line)
        table.add_row(
            row["name"],
            row["kind"],
            f"{row['parameters']:,}",
            f"{row['input']} px",
            "\n".join(lines),
        )
    Console().print(table)
