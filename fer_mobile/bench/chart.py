"""Pictures of benchmark results: SVG or PNG, by the name of the file."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fer_mobile.bench.result import BenchResult, Measured
from fer_mobile.bench.stats import Reference
from fer_mobile.errors import InputError, MissingPackageError
from fer_mobile.files import replace_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SUFFIXES: Final = (".svg", ".png")

COLORS: Final = {
    "decode": "#0072B2",
    "detect": "#E69F00",
    "resize": "#56B4E9",
    "gray": "#999999",
    "classify": "#009E73",
}
"""Okabe and Ito's, which colour-blind people can tell apart."""

_BUDGET: Final = "#D55E00"


def draw_stages(
    results: Sequence[BenchResult], picture: Path, reference: Reference | None = None
) -> None:
    """Stacked mean times of the stages, a bar a result, with the budget as a line.

    A `reference` has a bar too; below, the results are drawn again without it, enlarged.  Of
    several results for the same machine, model and photos the last is drawn.
    Raises InputError for another suffix than .svg and .png, or where no result has the stage
    total; MissingPackageError without Matplotlib.
    """
    rows = [result for result in results if "total" in result.stages]
    if not rows:
        raise InputError(picture, expected="a result with the stage total", found="none")
    bars = {_name(row): _mean_ms(row) for row in rows}
    budget_ms = rows[0].settings.budget_s * 1000
    if reference:
        figure = _figure(picture, height=2.4 + 0.75 * len(rows))
        whole, large = figure.subplots(2, 1, height_ratios=(len(rows) + 1, len(rows)))
        means = {stage: reference.stages[stage][0] for stage in COLORS}
        _stack(whole, bars | {f"{reference.source}: {reference.device}": means})
        _stack(large, bars)
        large.set_title(f"the same without {reference.source}, enlarged", loc="left")
    else:
        figure = _figure(picture, height=1.8 + 0.5 * len(rows))
        whole = large = figure.subplots()
        _stack(whole, bars)
    whole.axvline(budget_ms, color=_BUDGET, linewidth=1.5)
    whole.annotate(
        f"budget {budget_ms:.0f} ms",
        (budget_ms, 0),
        xytext=(4, 0),
        textcoords="offset points",
        color=_BUDGET,
        va="center",
    )
    whole.set_title("mean time per photo", loc="left")
    large.set_xlabel("ms")
    handles, names = large.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=len(COLORS), frameon=False)
    _save(figure, picture)


def draw_accuracy(results: Sequence[BenchResult], picture: Path) -> None:
    """Accuracy against time a face and against size of the file, a point a model.

    The accuracy is that of the model's own contract (see `result.Contract.figures`).
    Raises InputError where no result has it, else as `draw_stages`.
    """
    points = {}
    for result in results:
        figures = _own_figures(result)
        if figures and "classify" in result.stages:
            points[f"{result.model.name} {result.model.precision}"] = (result, figures)
    if not points:
        raise InputError(picture, expected="a model whose contract has figures", found="none")
    figure = _figure(picture, height=4.2)
    axes = figure.subplots(1, 2, sharey=True)
    colors = cycle(COLORS.values())
    for (name, (result, figures)), color in zip(points.items(), colors, strict=False):
        xs = (result.stages["classify"].p50_ms, result.model.bytes / 1e6)
        for axis, x in zip(axes, xs, strict=True):
            axis.scatter(x, figures.accuracy * 100, color=color, marker="o", label=name)
            axis.scatter(x, figures.balanced_accuracy * 100, color=color, marker="s")
    for axis, label in zip(
        axes, ("ms to classify a photo's faces (median)", "file, MB"), strict=True
    ):
        axis.set_xlabel(label)
        axis.set_xlim(0, axis.get_xlim()[1] * 1.05)
        axis.grid(alpha=0.3)
    first = next(iter(points.values()))[1]
    axes[0].set_ylabel("%")
    figure.suptitle(
        f"● accuracy, ■ balanced accuracy: {first.protocol} {first.split}, n={first.n:,}"
    )
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=len(COLORS) - 1, frameon=False)
    _save(figure, picture)


def check_picture(picture: Path) -> None:
    """InputError where the name does not end in .svg or .png."""
    if picture.suffix.lower() not in SUFFIXES:
        raise InputError(
            picture,
            expected="a name that ends in .svg or .png",
            found=picture.suffix or "no suffix",
        )


def _figure(picture: Path, height: float) -> Figure:
    check_picture(picture)
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise MissingPackageError("a chart", package="matplotlib", extra="chart") from error
    return Figure(figsize=(9, height), layout="constrained")


def _save(figure: Figure, picture: Path) -> None:
    import matplotlib

    # Without a date and random names, equal rows give equal files.
    metadata: dict[str, Any] = {"Date": None} if picture.suffix.lower() == ".svg" else {}
    with matplotlib.rc_context({"svg.hashsalt": "fer-mobile"}):
        replace_file(picture, lambda part: figure.savefig(part, dpi=120, metadata=metadata))


def _stack(axis: Axes, bars: dict[str, dict[str, float]]) -> None:
    names = list(bars)
    left = [0.0] * len(names)
    for stage, color in COLORS.items():
        widths = [bars[name].get(stage, 0.0) for name in names]
        axis.barh(names, widths, left=left, color=color, label=stage, height=0.6)
        left = [a + b for a, b in zip(left, widths, strict=True)]
    for row, whole in enumerate(left):
        axis.text(
            whole, row, f" {whole:,.0f} ms" if whole >= 20 else f" {whole:.1f} ms", va="center"
        )
    axis.invert_yaxis()
    axis.set_xlim(0, max(left) * 1.12)
    axis.spines[["top", "right"]].set_visible(False)


def _mean_ms(result: BenchResult) -> dict[str, float]:
    """Mean over all photos, those that did not reach a stage included: the parts make a total."""
    photos = result.stages["total"].n
    return {
        name: stats.mean_ms * stats.n / photos
        for name, stats in result.stages.items()
        if name != "total"
    }


def _name(result: BenchResult) -> str:
    hardware = result.hardware
    photos = f", {result.photos.name}" if result.photos else ""
    return (
        f"{hardware.phone or hardware.cpu or hardware.machine}\n"
        f"{result.model.name} {result.model.precision}{photos}"
    )


def _own_figures(result: BenchResult) -> Measured | None:
    """What was measured of this very file, by the protocol that comes first."""
    own = (f for f in result.model.contract.figures if f.precision == result.model.precision)
    return next(own, None)
