"""`fer-mobile bench`: where the time of a photo goes, and whether it fits the budget."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fer_mobile.cli.options import AsJson, PhotoModel
from fer_mobile.models import DEFAULT

if TYPE_CHECKING:
    from fer_mobile.bench.result import BenchResult

PHOTOS = "affective-25"


def bench_command(
    device: Annotated[
        str,
        typer.Option(help="Where to measure: cpu, adb (a phone with the demo app), adb:SERIAL."),
    ] = "cpu",
    photos: Annotated[
        str,
        typer.Option(
            metavar="NAME|DIR",
            help="affective-25, 12mp (the same enlarged to 4000×3000) or a folder.",
        ),
    ] = PHOTOS,
    model: PhotoModel = DEFAULT,
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
    profile: Annotated[
        bool, typer.Option("--profile", help="Add the classifier's time by operation.")
    ] = False,
    compare: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            metavar="A.json B.json", help="Measure nothing; lay two result files side by side."
        ),
    ] = None,
    estimate: Annotated[
        str | None,
        typer.Option(
            metavar="PHONE",
            help="Measure nothing; estimate for galaxy-j3, a55, a55-a76 or x1.",
        ),
    ] = None,
    chart: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw the stages, as .svg or .png (see --rows)."),
    ] = None,
    accuracy_chart: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw accuracy against time and size (see --rows)."),
    ] = None,
    rows: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="Measure nothing; draw the results in this file (repeatable)."
        ),
    ] = None,
    apk: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Install this app on the phone first.")
    ] = None,
    benchmark_binary: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Run this benchmark_model on the phone instead of the app."
        ),
    ] = None,
    timeout: Annotated[
        float, typer.Option(metavar="S", help="How long the phone's result is waited for.")
    ] = 1800,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.jsonl", help="Append the result to this file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Time every stage of the photo pipeline; exit code 1 when the budget is missed."""
    if compare:
        _compare(*compare, as_json)
        return
    pictures = [picture for picture in (chart, accuracy_chart) if picture]
    if pictures:
        from fer_mobile.bench.chart import check_picture

        for picture in pictures:  # before a long run, not behind it
            check_picture(picture)
    if rows:
        from fer_mobile.bench.result import read_results

        _draw([row for file in rows for row in read_results(file)], chart, accuracy_chart)
        return
    if estimate:
        _estimate(estimate, model, photos, threads, budget, as_json)
        return
    from fer_mobile.bench.device import parse_device, refuse_options

    where = parse_device(device)
    given = {
        "photos": photos != PHOTOS,
        "against": bool(against),
        "profile": profile,
        "apk": bool(apk),
        "benchmark-binary": bool(benchmark_binary),
    }
    refuse_options(where, given)
    with _progress() as show:
        if where.kind == "cpu":
            from fer_mobile.bench.run import run_bench

            result = run_bench(
                model,
                photos=photos,
                threads=threads,
                budget=budget,
                repetitions=repetitions,
                against=against,
                with_profile=profile,
                progress=show,
            )
        else:
            from fer_mobile.bench.phone import bench_phone

            result = bench_phone(
                where.serial,
                model,
                apk=apk,
                benchmark_binary=benchmark_binary,
                threads=threads,
                budget=budget,
                repetitions=repetitions,
                timeout_s=timeout,
                progress=show,
            )
    if out is not None:
        result.append_to(out)
    _draw([result], chart, accuracy_chart)
    if as_json:
        typer.echo(json.dumps(result.as_dict(), indent=2, ensure_ascii=False))
    else:
        _print(result)
    if result.verdict == "fail":
        raise typer.Exit(1)


@contextmanager
def _progress() -> Iterator[Callable[[float, float], None]]:
    """A bar on a terminal, drawn between passes only: a thread that draws would be measured."""
    from rich.console import Console
    from rich.progress import Progress

    log = Console(stderr=True)
    quiet = not log.is_terminal  # else an empty line goes to the log
    with Progress(console=log, auto_refresh=False, transient=True, disable=quiet) as bar:
        task = bar.add_task("timing", total=None)

        def show(done: float, whole: float) -> None:
            bar.update(task, completed=done, total=whole)
            bar.refresh()

        yield show


def _print(result: BenchResult) -> None:
    from rich.console import Console

    from fer_mobile.bench.table import (
        notes,
        profile_table,
        ratio_lines,
        stage_table,
        verdict_line,
    )

    console = Console()
    console.print(stage_table(result.stages))
    if result.profile:
        from fer_mobile.bench.profile import METHOD

        console.print(profile_table(result.profile))
        typer.echo(METHOD)
    for line in notes(result):
        typer.echo(line)
    if result.against:
        typer.echo("\n".join(ratio_lines(result.against)))
    if result.verdict:
        typer.echo(verdict_line(result.stages, result.settings.budget_s))


def _draw(results: list[BenchResult], chart: Path | None, accuracy_chart: Path | None) -> None:
    from fer_mobile.bench.chart import draw_accuracy, draw_stages

    if chart:
        draw_stages(results, chart)
    if accuracy_chart:
        draw_accuracy(results, accuracy_chart)


def _estimate(
    phone: str, model: str, photos: str, threads: int, budget: float, as_json: bool
) -> None:
    from rich.console import Console

    from fer_mobile.bench.estimate import estimate
    from fer_mobile.bench.table import estimate_notes, estimate_table

    found = estimate(phone, model, photos=photos, threads=threads, budget=budget)
    if as_json:
        typer.echo(json.dumps(found.as_dict(), indent=2, ensure_ascii=False))
        return
    Console().print(estimate_table(found))
    typer.echo("\n".join(estimate_notes(found)))


def _compare(first: Path, second: Path, as_json: bool) -> None:
    from rich.console import Console

    from fer_mobile.bench.compare import differences
    from fer_mobile.bench.result import read_results
    from fer_mobile.bench.table import comparison_table

    one, two = read_results(first)[-1], read_results(second)[-1]
    warnings = differences(one, two)
    if as_json:
        rows = {"first": one.as_dict(), "second": two.as_dict(), "warnings": warnings}
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    Console().print(comparison_table(one, two))
    for name, result in (("1st", one), ("2nd", two)):
        typer.echo(f"{name}: {result.model.file}, {result.device}, {result.date}")
    for line in warnings:
        typer.echo(f"warning: {line}")
