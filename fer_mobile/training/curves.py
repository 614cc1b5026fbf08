"""The learning curves of a run as a picture."""

from __future__ import annotations

import csv
from pathlib import Path

from fer_mobile.files import replace_file


def draw_curves(history: Path, picture: Path) -> None:
    """Draw a run's history.csv as a PNG: loss at the left, accuracies on valid at the right."""
    from matplotlib.figure import Figure

    with history.open(newline="") as file:
        rows = list(csv.DictReader(file))
    epochs = [int(row["epoch"]) for row in rows]
    figure = Figure(figsize=(9, 3.5))
    left, right = figure.subplots(1, 2)
    # By hand: Matplotlib's own layouts draw everything once more.
    figure.subplots_adjust(left=0.06, right=0.98, bottom=0.15, top=0.91, wspace=0.15)
    for axis, series in (
        (left, (("loss", "training"), ("valid_loss", "valid"))),
        (right, (("accuracy", "accuracy"), ("balanced_accuracy", "balanced accuracy"))),
    ):
        for column, label in series:
            axis.plot(epochs, [float(row[column]) for row in rows], label=label)
        axis.set_xlabel("epoch")
        axis.grid(alpha=0.3)
        axis.legend()
    left.set_title("cross-entropy")
    right.set_title("valid")
    replace_file(picture, lambda part: figure.savefig(part, dpi=120))
