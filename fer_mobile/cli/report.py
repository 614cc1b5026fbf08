"""`fer-mobile report`: pages about a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

report_app = typer.Typer(
    help="Pages about a model.", no_args_is_help=True, rich_markup_mode=None, add_completion=False
)


@report_app.callback()
def _group() -> None:
    """Pages about a model."""


@report_app.command("errors")
def errors_command(
    model: Annotated[
        str,
        typer.Argument(metavar="MODEL", help="A shipped name, .tflite, .keras or run folder."),
    ] = "xcao_two_stream",
    data: Annotated[
        Path | None, typer.Option(metavar="PATH", help="The dataset; default: FER_MOBILE_DATA.")
    ] = None,
    protocol: Annotated[
        str, typer.Option(metavar="ferplus-strict|ferplus-argmax|fer2013", help="Which labels.")
    ] = "ferplus-strict",
    split: Annotated[
        str, typer.Option(metavar="train|valid|test|all", help="Which rows.")
    ] = "valid",
    most: Annotated[int, typer.Option(metavar="N", min=1, help="Mistakes of each label.")] = 20,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The page.")] = Path("errors.html"),
    threads: Annotated[int, typer.Option(metavar="N", min=1, help="Threads.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
) -> None:
    """Show the most confident mistakes of each label, with the faces, in one page."""
    from fer_mobile.explain.mistakes import find_mistakes, write_mistakes

    found = find_mistakes(model, data, protocol=protocol, split=split, most=most, threads=threads)
    write_mistakes(found, out)
    if as_json:
        typer.echo(json.dumps({"page": str(out)} | found.as_dict()))
        return
    for label, mistakes in found.by_label.items():
        first = mistakes[0]
        typer.echo(
            f"{label}: named {first.answer} at {first.confidence:.0%} and {len(mistakes) - 1} more"
        )
    typer.echo(f"written: {out}")
