"""Figures of a classifier, computed one way for training, evaluation and verification."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Scores:
    """How a classifier did on N faces."""

    n: int
    accuracy: float
    balanced_accuracy: float
    """Mean recall over the classes that occur."""
    recall: dict[str, float | None]
    """Per label; None where the label does not occur."""
    precision: dict[str, float | None]
    """Per label; None where the label was never predicted."""
    counts: dict[str, int]
    confusion: list[list[int]]
    """Rows are true labels, columns predicted ones."""
    calibration_error: float
    """Expected calibration error over 15 bins of equal width (Guo et al., 2017)."""

    def as_dict(self) -> dict[str, Any]:
        """Plain values, rounded to five digits."""
        return {
            "n": self.n,
            "accuracy": round(self.accuracy, 5),
            "balanced_accuracy": round(self.balanced_accuracy, 5),
            "recall": _rounded(self.recall),
            "precision": _rounded(self.precision),
            "counts": self.counts,
            "confusion": self.confusion,
            "calibration_error": round(self.calibration_error, 5),
        }


def _rounded(values: dict[str, float | None]) -> dict[str, float | None]:
    return {name: None if v is None else round(v, 5) for name, v in values.items()}


def score(probabilities: np.ndarray, labels: np.ndarray, names: tuple[str, ...]) -> Scores:
    """Compare probabilities float [N, C] with labels int [N]; N ≥ 1."""
    classes = len(names)
    predicted = probabilities.argmax(1)
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (labels, predicted), 1)
    hits, present, chosen = confusion.diagonal(), confusion.sum(1), confusion.sum(0)
    recall = {n: float(h / p) if p else None for n, h, p in zip(names, hits, present, strict=True)}
    return Scores(
        n=len(labels),
        accuracy=float(hits.sum() / len(labels)),
        balanced_accuracy=float(np.mean([r for r in recall.values() if r is not None])),
        recall=recall,
        precision={
            n: float(h / c) if c else None for n, h, c in zip(names, hits, chosen, strict=True)
        },
        counts=dict(zip(names, present.tolist(), strict=True)),
        confusion=confusion.tolist(),
        calibration_error=_calibration_error(probabilities, predicted == labels),
    )


def _calibration_error(probabilities: np.ndarray, right: np.ndarray, bins: int = 15) -> float:
    confidence = probabilities.max(1)
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(confidence[index == b].mean() - right[index == b].mean()) * (index == b).mean()
        for b in np.unique(index)
    ]
    return float(np.sum(gaps))
