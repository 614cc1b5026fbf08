"""A confusion matrix as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fer_mobile.files import replace_file


def draw_confusion(counts: Sequence[Sequence[int]], names: Sequence[str], picture: Path) -> None:
    """Draw counts [true][predicted] as a PNG: shares of each true label's faces, with counts."""
    from matplotlib.figure import Figure

    table = np.array(counts)
    shares = table / np.maximum(table.sum(1, keepdims=True), 1)
    side = 1.6 + 0.55 * len(names)
    figure = Figure(figsize=(side, side), layout="constrained")
    axis = figure.subplots()
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(table.shape):
        ink = "white" if shares[row, column] > 0.5 else "black"
        axis.text(column, row, str(table[row, column]), ha="center", va="center", color=ink)
    axis.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axis.set_yticks(range(len(names)), names)
    axis.set_xlabel("prediction")
    axis.set_ylabel("true label")
    replace_file(picture, lambda part: figure.savefig(part, dpi=110))
