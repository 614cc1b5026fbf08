"""`fer-mobile bench`: where the time of a photo goes, and whether it fits the budget."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def bench_command(
    device: Annotated[str, typer.Option(help="Where to measure: cpu.")] = "cpu",
    photos: Annotated[
        str, typer.Option(metavar="NAME|DIR", help="A bundled photo set or a folder.")
    ] = "affective-25",
    model: Annotated[
        str, typer.Option(metavar="MODEL", help="A shipped model or a .tflite file.")
    ] = "xcao_two_stream",
    threads: Annotated[int, typer.Option(metavar="N", help="Threads of both models.")] = 1,
    budget: Annotated[
        float, typer.Option(metavar="S", help="Seconds that nine photos in ten may take.")
    ] = 0.5,
    repetitions: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Timed passes over the photos; without it 30, or 5 and 1 s in every stage.",
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Time this model in turn and print the ratio."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.jsonl", help="Append the result to this file.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as JSON on stdout.")
    ] = False,
) -> None:
    """Time every stage of the photo pipeline; exit code 1 when the budget is missed."""
    from rich.console import Console
    from rich.progress import Progress

    from fer_mobile.bench.device import check_device
    from fer_mobile.bench.run import run_bench
    from fer_mobile.bench.table import notes, ratio_lines, stage_table, verdict_line

    check_device(device)
    log = Console(stderr=True)
    # Drawn between passes only: a thread that draws meanwhile would be measured too.
    quiet = not log.is_terminal  # else an empty line goes to the log
    with Progress(console=log, auto_refresh=False, transient=True, disable=quiet) as bar:
        task = bar.add_task("timing", total=None)

        def show(done: int, passes: int) -> None:
            bar.update(task, completed=done, total=passes)
            bar.refresh()

        result = run_bench(
            model,
            photos=photos,
            threads=threads,
            budget=budget,
            repetitions=repetitions,
            against=against,
            progress=show,
        )
    if out is not None:
        result.append_to(out)
    if as_json:
        typer.echo(json.dumps(result.as_dict(), indent=2, ensure_ascii=False))
    else:
        Console().print(stage_table(result.stages))
        for line in notes(result):
            typer.echo(line)
        if result.against:
            typer.echo("\n".join(ratio_lines(result.against)))
        typer.echo(verdict_line(result.stages, budget))
    if result.verdict == "fail":
        raise typer.Exit(1)
