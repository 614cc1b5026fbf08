"""The tables that `bench` prints in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from rich.box import SIMPLE
from rich.table import Table

from fer_mobile.bench.result import NOISY, Against, BenchResult, ColdStart, Operation
from fer_mobile.bench.stats import Reference, StageStats, verdict
from fer_mobile.types import STAGES

if TYPE_CHECKING:
    from fer_mobile.bench.estimate import Estimate
    from fer_mobile.bench.matrix import MatrixRow

_MATRIX: Final = (
    *("file", "runtime", "threads", "MB", "accuracy", "p90 ms", "classify", "memory", "GPU"),
)
_ORDER: Final = "gray runs before resize and includes cutting out the face"


def stage_table(stats: Mapping[str, StageStats], reference: Reference | None = None) -> Table:
    """One row a stage, in milliseconds over photos, 80 columns wide.

    The last column has the mean and standard deviation of `reference`, if there is one.
    """
    caption = f"ms per photo; {_ORDER}"
    if reference:
        caption += f"\n{reference.name} (mean ± std): {reference.source}, {reference.device}"
    table = _table("photos", "mean", "std", "p50", "p90", "p99", "share", caption=caption)
    if reference:
        table.add_column(reference.name, justify="right", no_wrap=True)
    for stage in STAGES:
        if stage == "total":
            table.add_section()
        own = stats.get(stage)
        if own is None:
            cells = ["0", *["-"] * 6]
        else:
            times = (own.mean_ms, own.std_ms, own.p50_ms, own.p90_ms, own.p99_ms)
            cells = [str(own.n), *map(_ms, times), f"{own.share:.1%}"]
        if reference:
            cells.append("{:.1f} ± {:.1f}".format(*reference.stages[stage]))
        table.add_row(stage, *cells)
    return table


def _table(*columns: str, caption: str | None = None, first: str = "stage") -> Table:
    """An empty table whose columns but the first hold numbers."""
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0), caption=caption, caption_justify="left")
    table.add_column(first, no_wrap=True)
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _ms(value: float) -> str:
    """Three digits that count: hundredths below 10 ms, tenths below 100 ms."""
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}"


def verdict_line(stats: Mapping[str, StageStats], budget_s: float) -> str:
    """The verdict in one line, with the figure and the budget that it compares."""
    word = verdict(stats, budget_s).upper()
    sign = "<=" if word == "PASS" else ">"
    p90_s = stats["total"].p90_ms / 1000
    return f"{word}: 90% of photos take at most {p90_s:.3f} s; {p90_s:.3f} s {sign} {budget_s:g} s"


def notes(result: BenchResult) -> list[str]:
    """Lines on where and how the figures were measured, warnings included."""
    lines = [_machine(result), _work(result)]
    if result.cold_start:
        lines.append("cold start: " + ", ".join(_cold_start(result.cold_start)))
    if result.peak_memory_mb is not None:
        lines.append(f"peak memory: {result.peak_memory_mb:.0f} MB")
    if result.energy_j_per_photo is not None:
        lines.append(f"energy: {result.energy_j_per_photo:.3f} J per photo")
    if result.noise is not None:
        lines.append(f"noise: {result.noise:.1%} between the halves of the repetitions")
        if result.noise > NOISY:
            lines.append("warning: the machine was busy or changed its clock; repeat the run")
    if result.hardware.thermal_state not in (None, "none"):
        lines.append(f"warning: the phone was hot (thermal state {result.hardware.thermal_state})")
    if result.photos and result.photos.failed:
        lines.append(f"warning: photos that could not be read: {result.photos.failed}")
    return lines


def _machine(result: BenchResult) -> str:
    hardware, software = result.hardware, result.software
    name = ", ".join(part for part in (hardware.phone, hardware.cpu) if part) or hardware.machine
    python = f"Python {software.python}, " if software.python else ""
    cores = result.settings.pinned_to
    bound = f" on core {', '.join(map(str, cores))}" if cores else ""
    return (
        f"{name}, threads: {result.settings.threads}{bound}, "
        f"{software.os}, {python}{software.runtime}"
    )


def _work(result: BenchResult) -> str:
    photos = f"photos: {result.photos.n} of {result.photos.name}; " if result.photos else ""
    return f"{result.model.file}; {photos}repetitions: {result.settings.repetitions}"


def _cold_start(cold: ColdStart) -> Iterator[str]:
    for name, ms in (
        ("process", cold.process_ms),
        ("model load", cold.model_load_ms),
        ("first inference", cold.first_inference_ms),
        ("first photo", cold.first_photo_ms),
    ):
        if ms is not None:
            yield f"{name} {ms:.0f} ms"


def comparison_table(some: BenchResult, other: BenchResult) -> Table:
    """Two runs side by side: mean and p90 in ms, and the second's mean over the first's."""
    columns = ("mean", "p90", "mean, 2nd", "p90, 2nd", "2nd / 1st")
    table = _table(*columns, caption=f"ms per photo; {_ORDER}")
    for stage in STAGES:
        pair = some.stages.get(stage), other.stages.get(stage)
        cells = [_ms(v) for stats in pair if stats for v in (stats.mean_ms, stats.p90_ms)]
        one, two = pair
        if one and two:
            table.add_row(stage, *cells, f"{two.mean_ms / one.mean_ms:.2f}" if one.mean_ms else "-")
        elif one or two:
            gap = ["-", "-"]
            table.add_row(stage, *(cells + gap if one else gap + cells), "-")
    return table


def estimate_table(estimate: Estimate, reference: Reference | None = None) -> Table:
    """One row a stage: the estimate and its range, in ms, and the mean of `reference`."""
    columns = ("typical", "from", "to", *([reference.name] if reference else ()))
    table = _table(*columns, caption=f"ESTIMATE, ms per photo with one face; {_ORDER}")
    for stage, (low, typical, high) in estimate.stages.items():
        if stage == "total":
            table.add_section()
        cells = [_ms(value) for value in (typical, low, high)]
        if reference:
            cells.append(f"{reference.stages[stage][0]:.1f}")
        table.add_row(stage, *cells)
    return table


def estimate_notes(estimate: Estimate) -> list[str]:
    """What the estimate is of, where its rates come from, and whether it fits the budget."""
    from fer_mobile.bench.rates import load_rates

    phone = load_rates().phones[estimate.phone]
    return [
        f"{estimate.phone}: {phone.cores} ({phone.example}), threads: {estimate.threads}",
        f"{estimate.model}; a mean photo of {estimate.photos}; {phone.origin}; not measured",
        f"fits {estimate.budget_s:g} s: {estimate.fits}",
    ]


def profile_table(operations: Sequence[Operation]) -> Table:
    """One row an operation of the classifier, in the order they run."""
    table = _table("output", "million MACs", "ms", "share", first="operation")
    for row in operations:
        shape = "×".join(map(str, row.output[1:]))
        table.add_row(
            row.operation, shape, f"{row.macs / 1e6:.2f}", f"{row.ms:.3f}", f"{row.share:.1%}"
        )
    return table


def ratio_lines(against: Against) -> list[str]:
    """A line for each stage that two models were compared in."""
    lines = [f"time over that of {against.model.file}, with its 95% interval:"]
    lines += [
        f"  {stage:9}{figure.ratio:.3f} ({figure.low:.3f} to {figure.high:.3f})"
        for stage, figure in against.ratio.items()
    ]
    return lines


def matrix_table(rows: Sequence[MatrixRow], recommended: MatrixRow | None) -> Table:
    """A row for each file, runtime and number of threads, the recommended one in bold."""
    table = Table(*_MATRIX, box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for column in table.columns[2:-1]:
        column.justify = "right"
    for row in rows:
        measured = [row.error or "-"] if row.p90_ms is None else [_ms(row.p90_ms)]
        table.add_row(
            f"{row.model} {row.precision}",
            row.runtime,
            str(row.threads),
            f"{row.bytes / 1e6:.2f}",
            "-" if row.accuracy is None else f"{row.accuracy:.1%}",
            *measured,
            "-" if row.classify_ms is None else _ms(row.classify_ms),
            "-" if row.memory_mb is None else f"{row.memory_mb:.0f}",
            row.gpu,
            style="bold" if row == recommended else None,
        )
    return table


def recommendation_line(row: MatrixRow | None, budget_s: float) -> str:
    """What to take, in a sentence."""
    if row is None:
        return f"No file is within {budget_s:g} s a photo here."
    accuracy = "unknown accuracy" if row.accuracy is None else f"accuracy {row.accuracy:.1%}"
    return (
        f"Within {budget_s:g} s a photo, take {row.model} {row.precision}: {accuracy}, "
        f"{row.bytes / 1e6:.2f} MB, nine photos in ten within {_ms(row.p90_ms or 0)} ms on "
        f"{row.threads} thread{'s' if row.threads > 1 else ''} of {row.runtime}."
    )
