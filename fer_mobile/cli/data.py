"""`fer-mobile data`: your own photos and datasets, made ready for training."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from fer_mobile.cli.commands import Command, new_group
from fer_mobile.cli.options import AsJson, DetectionSize, names
from fer_mobile.cli.streams import is_stdout_taken, open_console
from fer_mobile.cli.verbosity import notes_console
from fer_mobile.wording import counted

if TYPE_CHECKING:
    from rich.console import Console

    from fer_mobile.prepare import Inspection
    from fer_mobile.prepare.crop import Several

data_app = new_group("Make your own photos and datasets ready for training.")


@data_app.callback()
def _group() -> None:
    """Make your own photos and datasets ready for training."""


@data_app.command("inspect", cls=Command)
def inspect_command(
    path: Annotated[
        Path | None,
        typer.Argument(metavar="PATH", help="The dataset; default: FER_MOBILE_DATA."),
    ] = None,
    protocol: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which labels; own: the classes as they are.")
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(metavar="A,B,C", help="The classes of protocol own, in the model's order."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page with samples of each label.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what a dataset is, what is left out of it, and what would spoil a training.

    Examples:
        fer-mobile data inspect faces/
        fer-mobile data inspect faces/ --labels calm,happy,tired --html faces.html
    """
    from fer_mobile.prepare import inspect_dataset

    err = is_stdout_taken(html, as_json=as_json)
    own = names(labels)
    inspection = inspect_dataset(
        path, protocol=protocol or ("own" if own else None), labels=own, html=html
    )
    if as_json:
        typer.echo(json.dumps(inspection.as_dict(), indent=2))
        return
    _print_inspection(inspection, html, partial(typer.echo, err=err), open_console(stderr=err))


def _print_inspection(
    inspection: Inspection, html: Path | None, echo: Callable[[str], None], console: Console
) -> None:
    from rich.box import SIMPLE
    from rich.table import Table

    echo(f"{inspection.path}: {inspection.kind}, {counted(inspection.faces, 'face')}")
    splits = list(next(iter(inspection.counts.values())))
    table = Table("label", *splits, box=SIMPLE)
    for column in table.columns[1:]:
        column.justify = "right"
    for label, counts in inspection.counts.items():
        table.add_row(label, *(f"{counts[split]:,}" for split in splits))
    console.print(table)
    if inspection.shorter_side:
        low, middle, high = inspection.shorter_side
        echo(f"shorter side: {low} to {high} px, median {middle}")
    echo(
        f"copies: {inspection.copies:,} exact, {inspection.near_copies:,} with nearly equal ones; "
        f"in train and in valid or test: {inspection.leaks:,}; "
        f"with different labels: {inspection.contradictions:,}"
    )
    framing = inspection.framing
    echo(f"framed faces: {framing.framed} of {framing.looked_at} looked at")
    for reason, count, files in inspection.skipped:
        echo(f"left out: {count:,} {reason}" + (f" ({', '.join(files)})" if files else ""))
    for line in inspection.advice():
        echo(f"! {line}")
    if not inspection.framing.is_framed:
        echo("  fer-mobile data crop PHOTOS OUT does it.")
    if html:
        echo(f"written: {html}")


@data_app.command("crop", cls=Command)
def crop_command(
    photos: Annotated[Path, typer.Argument(metavar="PHOTOS", help="A folder of photos.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="An empty folder for the faces.")],
    several: Annotated[
        str,
        typer.Option(metavar="largest|all|skip", help="Which faces of a photo with several."),
    ] = "largest",
    detection_size: DetectionSize = 640,
    as_json: AsJson = False,
) -> None:
    """Cut the faces out of photos, framed as the models expect them; the folders stay.

    Examples:
        fer-mobile data crop photos/ faces/
        fer-mobile data crop photos/ faces/ --several all
    """
    from fer_mobile.cli.progress import photo_progress
    from fer_mobile.prepare import crop_faces

    with photo_progress(notes_console()) as tell:
        report = crop_faces(
            photos,
            out,
            several=cast("Several", several),
            detection_size=detection_size,
            progress=partial(tell, "crop"),
        )
    if as_json:
        typer.echo(json.dumps(report.as_dict(), indent=2))
        return
    for line in report.lines():
        typer.echo(line)
