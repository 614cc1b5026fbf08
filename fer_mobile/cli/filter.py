"""`fer-mobile filter`: a folder of photos by expression."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table


def filter_command(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder of photos; subfolders are searched too.")
    ],
    show: Annotated[
        str,
        typer.Option(
            metavar="LIST",
            help="Expressions to show, comma-separated; 'multiple' is photos with several faces."
            " Without it, every photo is shown.",
        ),
    ] = "",
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a gallery report: one page that holds it all."),
    ] = None,
    jsonl: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the rows that match or failed, one JSON a line."),
    ] = None,
    copy_to: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Copy the photos that match; nothing is overwritten."),
    ] = None,
    workers: Annotated[int, typer.Option(metavar="N", min=1, help="Processes.")] = 1,
    resume: Annotated[
        bool, typer.Option("--resume", help="Keep the rows of photos seen by an earlier run.")
    ] = False,
    faces: Annotated[
        str,
        typer.Option(
            metavar="largest|each|multiple", help="What a photo with several faces is filed under."
        ),
    ] = "multiple",
    model: Annotated[
        str, typer.Option(metavar="MODEL", help="A shipped model's name or a .tflite file.")
    ] = "xcao_two_stream",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document on stdout.")
    ] = False,
) -> None:
    """Filter a folder of photos by facial expression."""
    from fer_mobile.gallery.run import run_filter

    console = Console(stderr=True)
    with Progress(
        "reading photos",
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,  # else an empty line goes to the log
    ) as bar:
        task = bar.add_task("scan", total=None)
        try:
            run = run_filter(
                folder,
                show=show,
                model=model,
                faces=faces,
                workers=workers,
                resume=resume,
                html=html,
                jsonl=jsonl,
                copy_to=copy_to,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
        except KeyboardInterrupt:
            bar.stop()
            console.print("Stopped. What was done is kept: the same command with --resume goes on.")
            raise typer.Exit(130) from None

    table = Table("filed under", "photos", box=None)
    table.columns[1].justify = "right"
    for key, n in run.counts.items():
        if n:
            table.add_row(key, str(n), style="bold" if key in run.show else None)
    console.print(table)
    n = len(run.results)
    console.print(
        f"{len(run.matched)} of {n} photos match; {run.seconds:.1f} s,"
        f" {1000 * run.seconds / n:.0f} ms a photo."
    )
    for result in run.results:
        if result.error:
            console.print(f"failed: {result.error}", style="yellow", markup=False, soft_wrap=True)
    for what, path in (("report", html), ("rows", jsonl), ("copies", copy_to)):
        if path is not None:
            console.print(f"{what}: {path}", markup=False, highlight=False, soft_wrap=True)
    if as_json:
        typer.echo(json.dumps(run.as_dict()))
    elif not (html or jsonl or copy_to):
        for result in run.matched:
            typer.echo(os.fsencode(result.path))  # As bytes: not every name is Unicode.
