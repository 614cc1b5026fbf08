"""`fer-mobile filter`: a folder of photos by expression."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fer_mobile.cli.commands import refuse_others
from fer_mobile.cli.options import (
    EXECUTION,
    OUTPUT,
    SELECTION,
    AsJson,
    Boxes,
    DetectionSize,
    Detector,
    DetectorModel,
    MaxBytes,
    MinQuality,
    Orientation,
    PhotoModel,
)
from fer_mobile.cli.streams import echo_names, is_stdout_taken
from fer_mobile.cli.verbosity import notes_console, verbose
from fer_mobile.files import display_name
from fer_mobile.gallery.choices import Engine, LinkKind, Match, Order
from fer_mobile.models import DEFAULT
from fer_mobile.types import FacesMode
from fer_mobile.wording import counted

if TYPE_CHECKING:
    from rich.console import Console

    from fer_mobile.gallery.run import FilterRun
    from fer_mobile.gallery.sinks import Sink


def filter_command(
    ctx: typer.Context,
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder of photos; subfolders are searched too.")
    ],
    show: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LIST",
            help="Expressions to show, comma-separated; 'multiple' is photos with several faces,"
            " 'unsure' those below --min-quality;"
            " group:positive, group:negative and group:neutral are several expressions."
            " Without it, every photo is shown.",
            rich_help_panel=SELECTION,
        ),
    ] = None,
    min_confidence: Annotated[
        float,
        typer.Option(
            metavar="0..1", help="Least confidence of an expression.", rich_help_panel=SELECTION
        ),
    ] = 0.0,
    faces: Annotated[
        FacesMode,
        typer.Option(
            parser=str,
            metavar="multiple|each|largest",
            help="What a photo with several faces is filed under: 'multiple', each face's"
            " expression, or the largest face's.",
            rich_help_panel=SELECTION,
        ),
    ] = "multiple",
    match: Annotated[
        Match,
        typer.Option(
            parser=str,
            metavar="any|all",
            help="With --faces each: which of the faces must match.",
            rich_help_panel=SELECTION,
        ),
    ] = "any",
    since: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="Photos taken (EXIF) in or after 2024, 2024-05 or 2024-05-31.",
            rich_help_panel=SELECTION,
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="DATE", help="Photos taken (EXIF) in or before.", rich_help_panel=SELECTION
        ),
    ] = None,
    sort: Annotated[
        Order,
        typer.Option(
            parser=str,
            metavar="name|confidence|date",
            help="Order: by name, surest first, oldest first.",
            rich_help_panel=SELECTION,
        ),
    ] = "name",
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write a gallery report; above 100 photos a folder of pictures lies next to it.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    jsonl: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the rows that match or failed, one JSON a line.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write the same rows as a table.", rich_help_panel=OUTPUT
        ),
    ] = None,
    copy_to: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Copy the photos that match; nothing is overwritten.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    link_to: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Link to the photos that match; nothing is overwritten.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    link: Annotated[
        LinkKind,
        typer.Option(
            parser=str, metavar="symbolic|hard", help="Kind of links.", rich_help_panel=OUTPUT
        ),
    ] = "symbolic",
    write_xmp: Annotated[
        bool,
        typer.Option(
            "--write-xmp",
            help="Write the expressions of the photos that match as keywords into XMP sidecars"
            " (photo.jpg.xmp), and take those of earlier runs out; the photos stay as they are.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    remove: Annotated[
        bool,
        typer.Option(
            "--remove",
            help="With --write-xmp: only take all our keywords out of the sidecars.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    workers: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            help="Processes that read photos; 0: this program reads them. A Ray cluster has "
            "its own number.",
            rich_help_panel=EXECUTION,
        ),
    ] = 1,
    engine: Annotated[
        Engine,
        typer.Option(
            parser=str,
            metavar="processes|ray",
            help="What does the work: processes here, or the Ray cluster at RAY_ADDRESS.",
            rich_help_panel=EXECUTION,
        ),
    ] = "processes",
    resume: Annotated[
        bool,
        typer.Option(
            "--resume/--no-resume",
            help="Take the rows of earlier runs, or compute all again.",
            rich_help_panel=EXECUTION,
        ),
    ] = True,
    model: PhotoModel = DEFAULT,
    detector: Detector = "yunet",
    detection_size: DetectionSize = 640,
    detector_model: DetectorModel = None,
    boxes: Boxes = None,
    orient: Orientation = "auto",
    max_bytes: MaxBytes = 1_500_000_000,
    min_quality: MinQuality = 0.0,
    as_json: AsJson = False,
) -> None:
    """Filter a folder of photos by facial expression.

    Examples:
        fer-mobile filter photos/ --show happiness,surprise --html report.html
        fer-mobile filter photos/ --show happiness --min-confidence 0.8 --copy-to picked
        fer-mobile filter photos/ --csv rows.csv --workers 4    # a table of every photo
        fer-mobile filter photos/ --show multiple --since 2024  # photos of several people
    """
    from fer_mobile.cli.progress import photo_progress
    from fer_mobile.gallery.filter import Filter, parse_show
    from fer_mobile.gallery.options import ScanOptions
    from fer_mobile.gallery.run import filter_library

    console = notes_console()
    if remove:
        refuse_others(ctx, "remove", "folder", "write_xmp")
        _remove_keywords(console, folder, write_xmp)
        return
    sinks = _sinks(folder, html, jsonl, csv, copy_to, link_to, link, write_xmp, as_json)
    query = Filter(
        parse_show(",".join(show) if show else None, _labels(model)),
        min_confidence,
        every_face=faces == "each",
        match=match,
    )
    options = ScanOptions(
        model=model,
        faces=faces,
        detector=detector,
        detection_size=detection_size,
        detector_model=detector_model,
        boxes=boxes,
        orient=orient,
        max_bytes=max_bytes,
        min_quality=min_quality,
        since=since,
        until=until,
        workers=workers,
        engine=engine,
        resume=resume,
    )
    try:
        with photo_progress(console) as progress:
            run = filter_library(folder, query, options, sinks, sort=sort, progress=progress)
    except KeyboardInterrupt:
        console.print("Stopped. What was done is kept: the same command with --resume goes on.")
        raise typer.Exit(130) from None
    _print_run(console, run, sinks)
    if as_json:
        typer.echo(json.dumps(run.as_dict()))
    elif not sinks:
        for result in run.matched:
            echo_names(result.path, as_bytes=True)
    _name_unwritten(run.unwritten)


def _labels(model: str) -> tuple[str, ...]:
    """The labels that a filter may ask for."""
    from fer_mobile.labels import LABELS
    from fer_mobile.runtime.classifier import load_classifier

    return LABELS if model == DEFAULT else tuple(load_classifier(model).labels)


def _sinks(
    folder: Path,
    html: Path | None,
    jsonl: Path | None,
    csv: Path | None,
    copy_to: Path | None,
    link_to: Path | None,
    link: LinkKind,
    write_xmp: bool,
    as_json: bool,
) -> list[Sink]:
    """What was asked for, in the order in which it is written."""
    from fer_mobile.errors import InputError
    from fer_mobile.gallery.sinks.copies import CopySink, LinkSink
    from fer_mobile.gallery.sinks.csv import CsvSink
    from fer_mobile.gallery.sinks.html import HtmlSink
    from fer_mobile.gallery.sinks.jsonl import JsonlSink
    from fer_mobile.gallery.sinks.xmp import XmpSink

    is_stdout_taken(html, jsonl, csv, as_json=as_json)
    if link != "symbolic" and link_to is None:
        raise InputError("link", expected="`link_to` with it", found="none")
    sinks: list[Sink] = []
    if jsonl is not None:
        sinks.append(JsonlSink(jsonl))
    if csv is not None:
        sinks.append(CsvSink(csv))
    if copy_to is not None:
        sinks.append(CopySink(copy_to))
    if link_to is not None:
        sinks.append(LinkSink(link_to, link))
    if write_xmp:
        sinks.append(XmpSink(folder))
    if html is not None:
        sinks.append(HtmlSink(html))
    return sinks


def _print_run(console: Console, run: FilterRun, sinks: list[Sink]) -> None:
    """What was done, the summary last, so that a long list of failures does not hide it."""
    from rich.table import Table

    table = Table("filed under", "photos", box=None)
    table.columns[1].justify = "right"
    for key, n in run.counts.items():
        if n:
            table.add_row(
                display_name(key), str(n), style="bold" if key in run.query.show else None
            )
    console.print(table)
    if run.query.every_face:
        console.print("A photo counts under the expression of each of its faces.")
    lines = [f"{each.reason}: {each.path}" for each in run.skipped] if verbose() else []
    lines += run.notes
    lines += [f"failed: {result.error}" for result in run.rows if result.error]
    for line in lines:
        console.print(display_name(line), style="yellow", markup=False, soft_wrap=True)
    for sink in sinks:
        tried = len(sink.written) + len(sink.unwritten)
        done = f", {len(sink.written):,} of {tried:,}" if tried else ""
        line = f"{sink.what}: {display_name(sink.path)}{done}"
        console.print(line, markup=False, soft_wrap=True)
    n = len(run.results)
    console.print(
        f"{len(run.matched)} of {n} photos match; {run.seconds:.1f} s,"
        f" {1000 * run.seconds / n:.0f} ms a photo."
    )


def _name_unwritten(lines: list[str]) -> None:
    """Say, with -q too, what could not be written, and leave with 1 if there was any."""
    for line in lines:
        typer.echo(display_name(line), err=True)
    if lines:
        raise typer.Exit(1)


def _remove_keywords(console: Console, folder: Path, write_xmp: bool) -> None:
    """Undo what --write-xmp wrote below a folder."""
    from fer_mobile.errors import InputError
    from fer_mobile.gallery.scan import check_folder
    from fer_mobile.gallery.sinks.xmp import remove_keywords

    if not write_xmp:
        raise InputError("remove", expected="`write_xmp` with it", found="none")
    check_folder(folder)
    changed, unwritten = remove_keywords(folder)
    console.print(f"Keywords were taken out of {counted(len(changed), 'sidecar')}.")
    _name_unwritten(unwritten)
