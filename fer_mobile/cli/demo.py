"""`fer-mobile demo`: the main job on the bundled photos."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fer_mobile.cli.streams import open_console

BUDGET_S = 0.5


def demo_command(
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder that the report is written to.")
    ] = Path("demo-report"),
) -> None:
    """Filter the bundled photos by expression, write a gallery report and time the stages.

    Examples:
        fer-mobile demo
        fer-mobile demo --out my-report
    """
    from rich.box import SIMPLE
    from rich.table import Table

    from fer_mobile.bench.stats import stage_stats
    from fer_mobile.bench.table import stage_table, verdict_line
    from fer_mobile.gallery.options import ScanOptions
    from fer_mobile.gallery.run import filter_library
    from fer_mobile.gallery.sinks.html import HtmlSink
    from fer_mobile.resources import photos_dir

    report = HtmlSink(out / "index.html", budget_s=BUDGET_S)
    run = filter_library(photos_dir(), options=ScanOptions(resume=False), sinks=[report])
    stats = stage_stats([result.stages for result in run.results if result.error is None])

    counts = Table("filed under", "photos", box=SIMPLE)
    counts.columns[1].justify = "right"
    for label, n in run.counts.items():
        if n:
            counts.add_row(label, str(n))
    console = open_console()
    console.print(counts, stage_table(stats))
    typer.echo(verdict_line(stats, BUDGET_S))
    page = report.path.resolve()
    typer.echo(f"{len(run.results)} photos in {run.seconds:.1f} s; report: {page}")
