"""`fer-mobile filter`: a folder of photos by expression."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from fer_mobile.cli.options import AsJson, Boxes, DetectionSize, Detector, DetectorModel, PhotoModel
from fer_mobile.models import DEFAULT
from fer_mobile.types import FacesMode


def filter_command(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder of photos; subfolders are searched too.")
    ],
    show: Annotated[
        str,
        typer.Option(
            metavar="LIST",
            help="Expressions to show, comma-separated; 'multiple' is photos with several faces;"
            " group:positive, group:negative and group:neutral are several expressions."
            " Without it, every photo is shown.",
        ),
    ] = "",
    min_confidence: Annotated[
        float, typer.Option(metavar="0..1", help="What an expression must have to count.")
    ] = 0.0,
    faces: Annotated[
        FacesMode,
        typer.Option(
            parser=str,
            metavar="multiple|each|largest",
            help="What a photo with several faces is filed under: 'multiple', each face's"
            " expression, or the largest face's.",
        ),
    ] = "multiple",
    match: Annotated[
        str,
        typer.Option(metavar="any|all", help="With --faces each: which of the faces must match."),
    ] = "any",
    since: Annotated[
        str | None,
        typer.Option(
            metavar="DATE", help="Photos taken (EXIF) in or after 2024, 2024-05 or 2024-05-31."
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="Photos taken (EXIF) in or before.")
    ] = None,
    sort: Annotated[
        str,
        typer.Option(
            metavar="name|confidence|date", help="Order: by name, surest first, oldest first."
        ),
    ] = "name",
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write a gallery report; above 100 photos a folder of pictures lies beside it.",
        ),
    ] = None,
    jsonl: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the rows that match or failed, one JSON a line."),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the same rows as a table.")
    ] = None,
    copy_to: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Copy the photos that match; nothing is overwritten."),
    ] = None,
    link_to: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Link to the photos that match; nothing is overwritten."),
    ] = None,
    link: Annotated[str, typer.Option(metavar="symbolic|hard", help="Kind of links.")] = "symbolic",
    write_xmp: Annotated[
        bool,
        typer.Option(
            "--write-xmp",
            help="Write the expressions of the photos that match as keywords into XMP sidecars"
            " (photo.jpg.xmp); the photos stay as they are.",
        ),
    ] = False,
    workers: Annotated[int, typer.Option(metavar="N", min=1, help="Processes.")] = 1,
    engine: Annotated[
        str,
        typer.Option(
            metavar="processes|ray",
            help="What does the work: processes here, or the Ray cluster at RAY_ADDRESS.",
        ),
    ] = "processes",
    resume: Annotated[
        bool,
        typer.Option(
            "--resume/--no-resume", help="Take the rows of earlier runs, or compute all again."
        ),
    ] = True,
    model: PhotoModel = DEFAULT,
    detector: Detector = "yunet",
    detection_size: DetectionSize = 640,
    detector_model: DetectorModel = None,
    boxes: Boxes = None,
    as_json: AsJson = False,
) -> None:
    """Filter a folder of photos by facial expression."""
    from fer_mobile.cli.progress import photo_progress
    from fer_mobile.gallery.run import run_filter

    console = Console(stderr=True)
    try:
        with photo_progress(console) as progress:
            run = run_filter(
                folder,
                show=show,
                min_confidence=min_confidence,
                faces=faces,
                match=match,
                since=since,
                until=until,
                sort=sort,
                model=model,
                workers=workers,
                engine=engine,
                resume=resume,
                html=html,
                jsonl=jsonl,
                csv=csv,
                copy_to=copy_to,
                link_to=link_to,
                link=link,
                write_xmp=write_xmp,
                progress=progress,
                detector=detector,
                detection_size=detection_size,
                detector_model=detector_model,
                boxes=boxes,
            )
    except KeyboardInterrupt:
        console.print("Stopped. What was done is kept: the same command with --resume goes on.")
        raise typer.Exit(130) from None

    table = Table("filed under", "photos", box=None)
    table.columns[1].justify = "right"
    for key, n in run.counts.items():
        if n:
            table.add_row(key, str(n), style="bold" if key in run.query.show else None)
    console.print(table)
    n = len(run.results)
    console.print(
        f"{len(run.matched)} of {n} photos match; {run.seconds:.1f} s,"
        f" {1000 * run.seconds / n:.0f} ms a photo."
    )
    failures = (f"failed: {result.error}" for result in run.rows if result.error)
    for line in (*run.notes, *failures):
        console.print(line, style="yellow", markup=False, soft_wrap=True)
    outputs = {
        "report": html, "rows": jsonl, "table": csv, "copies": copy_to, "links": link_to,
        "sidecars": folder if write_xmp else None,
    }  # fmt: skip
    for what, path in outputs.items():
        if path is not None:
            console.print(f"{what}: {path}", markup=False, highlight=False, soft_wrap=True)
    if as_json:
        typer.echo(json.dumps(run.as_dict()))
    elif not any(outputs.values()):
        for result in run.matched:
            typer.echo(os.fsencode(result.path))  # As bytes: not every name is Unicode.
