"""Explanations as a picture: the face, the map over it, the probabilities; a row a face."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from fer_mobile.explain import Explanation
from fer_mobile.files import display_name, replace_file

_LEAST = 0.5
"""The strongest value of a map that is drawn in full colour at least: less is hardly anything."""


def draw_explanations(explanations: Sequence[Explanation], picture: Path, *, title: str) -> None:
    """Write a PNG, a row for each of `explanations`, which must not be empty."""
    figure = Figure(figsize=(9, 0.4 + 2.9 * len(explanations)), layout="constrained")
    figure.suptitle(_as_it_stands(title), fontsize=10)
    grid = figure.subplots(len(explanations), 3, squeeze=False, width_ratios=(1, 1.2, 1.1))
    for axes, each in zip(grid, explanations, strict=True):
        face, over, bars = axes
        for axis in (face, over):
            axis.imshow(each.pixels, cmap="gray", vmin=0, vmax=255)
            axis.axis("off")
        face.set_title("the model's input", fontsize=9)
        limit = max(float(np.abs(each.saliency).max()), _LEAST)
        drawn = over.imshow(each.saliency, cmap="coolwarm", vmin=-limit, vmax=limit, alpha=0.55)
        figure.colorbar(drawn, ax=over, shrink=0.8).ax.tick_params(labelsize=7)
        shown = f"for {each.label} {each.probabilities[each.label]:.0%}"
        over.set_title(_as_it_stands(shown), fontsize=9)
        colors = ["#b40426" if name == each.label else "#8c8c8c" for name in each.probabilities]
        names = [_as_it_stands(name) for name in each.probabilities]
        bars.barh(names, list(each.probabilities.values()), color=colors)
        bars.invert_yaxis()
        bars.set_xlim(0, 1)
        bars.tick_params(labelsize=8)
        bars.spines[["top", "right"]].set_visible(False)
    replace_file(picture, lambda part: figure.savefig(part, dpi=110, format="png"))


def _as_it_stands(text: str) -> str:
    """Text that Matplotlib draws as it is: between dollars it would read a formula."""
    return display_name(text).replace("$", r"\$")
