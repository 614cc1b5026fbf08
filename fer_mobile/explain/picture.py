"""Explanations as a picture: the face, the map over it, the probabilities; a row a face."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fer_mobile.errors import InputError, MissingPackageError
from fer_mobile.files import STDOUT, display_name, write_bytes
from fer_mobile.wording import percent

if TYPE_CHECKING:
    from fer_mobile.explain import Explanation

_LEAST = 0.5
"""The strongest value of a map that is drawn in full colour at least: less is hardly anything."""


def draw_explanations(explanations: Sequence[Explanation], picture: Path, *, title: str) -> None:
    """Write a PNG, a row for each of `explanations`, which must not be empty.

    Raises MissingPackageError without Matplotlib, and InputError where `picture` cannot be written.
    """
    check_picture(picture)
    write_bytes(picture, picture_bytes(explanations, title=title))


def check_picture(picture: Path) -> None:
    """Raise InputError for a name that promises another format than PNG."""
    if picture != STDOUT and picture.suffix.lower() != ".png":
        raise InputError(
            picture, expected="a name that ends in .png", found=picture.suffix or "no suffix"
        )


def picture_bytes(explanations: Sequence[Explanation], *, title: str) -> bytes:
    """The PNG that `draw_explanations` writes."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingPackageError("a picture", package="matplotlib", extra="chart") from error
    figure = Figure(figsize=(9, 0.4 + 2.9 * len(explanations)), layout="constrained")
    figure.suptitle(_as_it_stands(title), fontsize=10)
    grid = figure.subplots(len(explanations), 3, squeeze=False, width_ratios=(1, 1.2, 1.1))
    for axes, each in zip(grid, explanations, strict=True):
        face, over, bars = axes
        for axis in (face, over):
            axis.imshow(each.pixels, cmap="gray", vmin=0, vmax=255)
            axis.axis("off")
        face.set_title("the model's input", fontsize=9)
        colors, least, most, unit = _scale(each)
        drawn = over.imshow(each.saliency, cmap=colors, vmin=least, vmax=most, alpha=0.55)
        scale = figure.colorbar(drawn, ax=over, shrink=0.8)
        scale.set_label(unit, fontsize=7)
        scale.ax.tick_params(labelsize=7)
        shown = f"for {each.label} {percent(each.probabilities[each.label])}"
        over.set_title(_as_it_stands(shown), fontsize=9)
        marked = ["#b40426" if name == each.label else "#8c8c8c" for name in each.probabilities]
        names = [_as_it_stands(name) for name in each.probabilities]
        bars.barh(names, list(each.probabilities.values()), color=marked)
        bars.set_title("probabilities", fontsize=9)
        bars.invert_yaxis()
        bars.set_xlim(0, 1)
        bars.tick_params(labelsize=8)
        bars.spines[["top", "right"]].set_visible(False)
    file = io.BytesIO()
    figure.savefig(file, dpi=110, format="png")
    return file.getvalue()


def _scale(explanation: Explanation) -> tuple[str, float, float, str]:
    """The colours of a map, the values at their ends, their unit; gradients have no sign."""
    if explanation.method == "gradient":
        return "Reds", 0.0, 1.0, "gradient over the largest"
    limit = max(float(np.abs(explanation.saliency).max()), _LEAST)
    return "coolwarm", -limit, limit, "log-odds lost, nats"


def _as_it_stands(text: str) -> str:
    """Text that Matplotlib draws as it is: between dollars it would read a formula."""
    return display_name(text).replace("$", r"\$")
