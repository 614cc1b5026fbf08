"""`fer-mobile bench`: where the time of a photo goes, and whether it fits the budget."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from fer_mobile.cli.commands import refuse_others
from fer_mobile.cli.options import OUTPUT, AsJson, Orientation, PhotoModel
from fer_mobile.errors import InputError
from fer_mobile.models import DEFAULT, tflite_file

PHOTOS: Final = "affective-25"

_ONLY: Final = {
    "cpu": ("photos", "orient", "against", "profile"),
    "adb": ("apk", "benchmark_binary"),
}
"""Options that one kind of device has and the other has not."""

_HONOURED: Final = {
    "import": ("words", "out", "as_json"),
    "compare": ("as_json",),
    "rows": ("chart", "accuracy_chart"),
    "estimate": ("model", "threads", "budget", "photos", "as_json"),
    "matrix": (
        *("model", "threads", "budget", "repetitions", "orient", "photos"),
        *("out", "chart", "accuracy_chart", "as_json"),
    ),
}
"""What has an effect with each option that chooses what to do."""


def bench_command(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="import FILE",
            help="Measure nothing; add a result that the app has shared to the table beside --out.",
        ),
    ] = None,
    device: Annotated[
        str,
        typer.Option(
            metavar="cpu|adb|adb:SERIAL",
            help="Where to measure; adb: a phone with the demo app.",
        ),
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
    orient: Orientation = "auto",
    against: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Time this model in turn and print the ratio."),
    ] = None,
    profile: Annotated[
        bool, typer.Option("--profile", help="Add the classifier's time by operation.")
    ] = False,
    matrix: Annotated[
        bool,
        typer.Option(
            "--matrix",
            help="Every shipped file (or --model FILE) in every installed runtime, on one thread "
            "and on all cores: which should I take?  Takes minutes.",
        ),
    ] = False,
    compare: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            metavar="A.json B.json",
            help="Measure nothing; lay two result files side by side.",
            rich_help_panel="Instead of measuring",
        ),
    ] = None,
    estimate: Annotated[
        str | None,
        typer.Option(
            metavar="PHONE",
            help="Measure nothing; estimate for galaxy-j3, a55, a55-a76 or x1.",
            rich_help_panel="Instead of measuring",
        ),
    ] = None,
    chart: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Draw the stages, as .svg or .png (see --rows).",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    accuracy_chart: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Draw accuracy against time and size (see --rows).",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    rows: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Measure nothing; draw the results in this file (repeatable).",
            rich_help_panel="Instead of measuring",
        ),
    ] = None,
    apk: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Install this app on the phone first.",
            rich_help_panel="On a phone",
        ),
    ] = None,
    benchmark_binary: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Run this benchmark_model on the phone instead of the app.",
            rich_help_panel="On a phone",
        ),
    ] = None,
    timeout_s: Annotated[
        float,
        typer.Option(
            "--timeout",
            metavar="S",
            help="How long to wait for the phone's result.",
            rich_help_panel="On a phone",
        ),
    ] = 1800,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.jsonl", help="Append the result to this file.", rich_help_panel=OUTPUT
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Time every stage of the photo pipeline; exit code 1 when the budget is missed.

    Examples:
        fer-mobile bench                                # the bundled photos, on this machine
        fer-mobile bench --photos 12mp --budget 0.5     # photos of the size of a phone's
        fer-mobile bench --model compact --against xcao_two_stream
        fer-mobile bench --matrix                       # which file should I take?
        fer-mobile bench --device adb --out phone.jsonl # on a phone with the demo app
        fer-mobile bench --estimate galaxy-j3           # what a phone would need
        fer-mobile bench import phone.json              # a phone's own result, into phones.jsonl
    """
    from fer_mobile.bench.device import parse_device
    from fer_mobile.bench.options import BenchOptions
    from fer_mobile.cli import bench_modes as modes
    from fer_mobile.files import STDOUT, check_output
    from fer_mobile.walk import files_read

    if out == STDOUT:
        raise InputError(
            "out", expected="a file to append to", found="-", hint="`as_json` prints the result."
        )
    if words and (len(words) != 2 or words[0] != "import"):
        raise InputError("bench", expected="import FILE, or options alone", found=" ".join(words))
    what: dict[str, object] = {"import": words, "compare": compare, "rows": rows}
    what |= {"estimate": estimate, "matrix": matrix}
    mode = next((name for name, given in what.items() if given), None)
    if mode is not None:
        refuse_others(ctx, mode, *_HONOURED[mode])
    if words:
        modes.show_import(Path(words[1]), out, as_json=as_json)
        return
    charts = modes.Charts(chart, accuracy_chart)
    options = BenchOptions(model, threads, budget, repetitions, orient)
    if compare:
        modes.show_comparison(*compare, as_json=as_json)
        return
    for output in (chart, accuracy_chart, out):
        if output is not None:
            check_output(output, [*files_read(photos), model, *(rows or ())])
    if rows:
        charts.draw(modes.read_rows(rows))
        return
    if estimate:
        modes.show_estimate(estimate, options, photos=photos, as_json=as_json)
        return
    if matrix:
        own = None if model == DEFAULT else tflite_file(model)
        modes.show_matrix(options, charts, photos=photos, model=own, out=out, as_json=as_json)
        return
    where = parse_device(device)
    given = {"against": against, "profile": profile, "apk": apk}
    given |= {"orient": orient != "auto"}
    given |= {"photos": photos != PHOTOS, "benchmark_binary": benchmark_binary}
    _refuse(where.kind, [name for name, value in given.items() if value])
    if where.kind == "cpu":
        result = modes.measure_here(options, photos=photos, against=against, profile=profile)
    else:
        result = modes.measure_phone(
            where.serial,
            options,
            apk=apk,
            benchmark_binary=benchmark_binary,
            timeout_s=timeout_s,
        )
    if out is not None:
        result.append_to(out)
    charts.draw([result])
    if as_json:
        modes.print_json(result.as_dict())
    else:
        modes.print_result(result)
    if result.verdict == "fail":
        raise typer.Exit(1)


def _refuse(kind: str, given: list[str]) -> None:
    """InputError for an option that the other kind of device has."""
    other = "adb" if kind == "cpu" else "cpu"
    for name in _ONLY[other]:
        if name in given:
            raise InputError(name, expected=f"`device={other!r}`", found=f"`device={kind!r}`")
