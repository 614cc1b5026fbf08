"""What `fer-mobile bench` does: measure here or on a phone, estimate, compare, draw."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fer_mobile.cli.streams import open_console
from fer_mobile.cli.verbosity import note, notes_console

if TYPE_CHECKING:
    from fer_mobile.bench.options import BenchOptions
    from fer_mobile.bench.result import BenchResult


def measure_here(
    options: BenchOptions, *, photos: str, against: str | None, profile: bool
) -> BenchResult:
    """Time the pipeline on this machine."""
    from fer_mobile.bench.run import run_bench

    with _progress() as show:
        return run_bench(
            options, photos=photos, against=against, with_profile=profile, progress=show
        )


def measure_phone(
    serial: str | None,
    options: BenchOptions,
    *,
    apk: Path | None,
    benchmark_binary: Path | None,
    timeout_s: float,
) -> BenchResult:
    """Time the demo app on a phone, or both networks with a `benchmark_model` binary."""
    from fer_mobile.bench.adb import find_phone
    from fer_mobile.bench.phone_app import bench_app
    from fer_mobile.bench.phone_tool import bench_tool

    phone = find_phone(serial)
    with _progress() as show:
        if benchmark_binary is not None:
            return bench_tool(phone, benchmark_binary, options, progress=show)
        return bench_app(phone, options, apk=apk, timeout_s=timeout_s, progress=show)


def show_estimate(phone: str, options: BenchOptions, *, photos: str, as_json: bool) -> None:
    """Print what a class of phones would need."""
    from fer_mobile.bench.estimate import estimate
    from fer_mobile.bench.table import estimate_notes, estimate_table
    from fer_mobile.studies.table8 import TABLE8

    result = estimate(
        phone,
        options.model,
        photos=photos,
        threads=options.threads,
        budget=options.budget,
    )
    if as_json:
        print_json(result.as_dict())
        return
    open_console().print(estimate_table(result, TABLE8))
    typer.echo("\n".join(estimate_notes(result)))


def show_comparison(first: Path, second: Path, *, as_json: bool) -> None:
    """Print the last results of two files side by side, with what makes them differ."""
    from fer_mobile.bench.circumstances import differences
    from fer_mobile.bench.result import read_results
    from fer_mobile.bench.table import comparison_table

    one, two = read_results(first)[-1], read_results(second)[-1]
    warnings = differences(one, two)
    if as_json:
        print_json({"first": one.as_dict(), "second": two.as_dict(), "warnings": warnings})
        return
    open_console().print(comparison_table(one, two))
    for name, result in (("1st", one), ("2nd", two)):
        typer.echo(f"{name}: {result.model.file}, {result.device}, {result.date}")
    for line in warnings:
        typer.echo(f"warning: {line}")


def show_import(file: Path, rows: Path | None, *, as_json: bool) -> None:
    """Add a phone's result to the rows and to their table, and print it."""
    from fer_mobile.bench.phones import import_phone

    rows = rows or Path("phones.jsonl")
    result = import_phone(file, rows)
    if as_json:
        print_json(result.as_dict())
        return
    print_result(result)
    note(f"added to {rows} and {rows.with_suffix('.md')}")


def show_matrix(
    options: BenchOptions,
    charts: Charts,
    *,
    photos: str,
    model: Path | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Time every shipped file (or one of the user's) in every runtime, and say which to take.

    The results are appended to `out`.
    """
    from fer_mobile.bench.matrix import measure_matrix, recommend, shipped_files
    from fer_mobile.bench.table import matrix_table, recommendation_line
    from fer_mobile.environment import describe_hardware
    from fer_mobile.runtime.interpreter import installed_runtimes

    cores = describe_hardware()["cores_usable"] or 1
    with _progress() as show:
        measured = list(
            measure_matrix(
                [model] if model else shipped_files(),
                installed_runtimes(),
                sorted({1, options.threads, cores}),
                options=options,
                photos=photos,
                progress=show,
            )
        )
    rows = [row for row, _ in measured]
    results = [result for _, result in measured if result is not None]
    if out is not None:
        for result in results:
            result.append_to(out)
    charts.draw(results)
    best = recommend(rows, options.budget)
    if as_json:
        recommended = best.as_dict() if best else None
        print_json({"rows": [row.as_dict() for row in rows], "recommended": recommended})
        return
    open_console().print(matrix_table(rows, best))
    typer.echo(recommendation_line(best, options.budget))


def read_rows(files: Sequence[Path]) -> list[BenchResult]:
    """All results in the files, in their order."""
    from fer_mobile.bench.result import read_results

    return [row for file in files for row in read_results(file)]


@dataclass(frozen=True, slots=True)
class Charts:
    """The pictures that are asked for; a wrong name is refused before a long run."""

    stages: Path | None
    accuracy: Path | None

    def __post_init__(self) -> None:
        pictures = [picture for picture in (self.stages, self.accuracy) if picture]
        if pictures:
            from fer_mobile.bench.chart import check_picture

            for picture in pictures:
                check_picture(picture)

    def draw(self, results: Sequence[BenchResult]) -> None:
        """Draw what is asked for."""
        if self.stages:
            from fer_mobile.bench.chart import draw_stages
            from fer_mobile.studies.table8 import TABLE8

            draw_stages(results, self.stages, TABLE8)
            note(f"drawn: {self.stages}")
        if self.accuracy:
            from fer_mobile.bench.chart import draw_accuracy

            draw_accuracy(results, self.accuracy)
            note(f"drawn: {self.accuracy}")


def print_result(result: BenchResult) -> None:
    """Print a result as tables and lines."""
    from fer_mobile.bench.table import notes, profile_table, ratio_lines, stage_table, verdict_line
    from fer_mobile.studies.table8 import TABLE8

    console = open_console()
    console.print(stage_table(result.stages, TABLE8))
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


def print_json(document: Mapping[str, object]) -> None:
    """Print one JSON document."""
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))


@contextmanager
def _progress() -> Iterator[Callable[[float, float], None]]:
    """A bar on a terminal, drawn between passes only: a thread that draws would be measured."""
    from rich.progress import Progress

    log = notes_console()
    quiet = log.quiet or not log.is_terminal  # else an empty line goes to the log
    with Progress(console=log, auto_refresh=False, transient=True, disable=quiet) as bar:
        task = bar.add_task("timing", total=None)

        def show(done: float, whole: float) -> None:
            bar.update(task, completed=done, total=whole)
            bar.refresh()

        yield show
