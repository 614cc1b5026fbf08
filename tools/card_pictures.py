"""The pictures of a model's card: confusion matrix and reliability diagram."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from fer_mobile.files import replace_file


def draw_confusion(row: dict[str, Any], path: Path) -> None:
    """Write the confusion matrix of a model's figures, as `evaluate` gives them."""
    names, confusion = list(row["counts"]), np.array(row["confusion"])
    figure = Figure(figsize=(6.2, 5.4), layout="constrained")
    axis = figure.subplots()
    shares = confusion / np.maximum(confusion.sum(1, keepdims=True), 1)
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (y, x), count in np.ndenumerate(confusion):
        color = "white" if shares[y, x] > 0.5 else "black"
        axis.text(x, y, count, ha="center", va="center", color=color, fontsize=8)
    axis.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axis.set_yticks(range(len(names)), names)
    axis.set_xlabel("predicted")
    axis.set_ylabel("label")
    axis.set_title(f"{row['protocol']} {row['split']}, n={row['n']:,}, int8")
    replace_file(path, lambda part: figure.savefig(part, dpi=110))


def draw_reliability(row: dict[str, Any], path: Path) -> None:
    """Write the reliability diagram: accuracy by confidence."""
    figure = Figure(figsize=(4.6, 4.4), layout="constrained")
    axis = figure.subplots()
    confidence, accuracy, count = np.array(row["reliability"]).T
    axis.plot([0, 1], [0, 1], color="gray", linewidth=1)
    axis.scatter(confidence, accuracy, s=np.sqrt(count) * 5, zorder=2)
    axis.plot(confidence, accuracy, zorder=2)
    axis.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1), ylim=(0, 1))
    axis.set_title(f"calibration error {row['calibration_error']:.1%}")
    axis.grid(alpha=0.3)
    replace_file(path, lambda part: figure.savefig(part, dpi=110))
