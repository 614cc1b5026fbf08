"""Figures of a classifier, computed one way for training, evaluation and verification."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_mobile.errors import InputError

FloatArray = NDArray[np.floating]

_LARGEST_ROUNDING: Final = 0.1
"""How far from 1 the sum of many 8-bit probabilities may be."""


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
    """Expected calibration error over the bins of `reliability` (Guo et al., 2017)."""
    reliability: list[list[float]] = field(default_factory=list)
    """Mean confidence, accuracy and count of each of 15 equally wide bins that is not empty."""
    loss: float | None = None
    """Mean cross-entropy to the labels, in nats; None in files of older versions."""

    def as_dict(self) -> dict[str, object]:
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
            "loss": None if self.loss is None else round(self.loss, 5),
            "reliability": [[round(v, 5) for v in row] for row in self.reliability],
        }


def classification_report(scores: Scores) -> dict[str, dict[str, float]]:
    """Precision, recall, F1 and number of faces by label, and their means.

    "macro avg" weighs labels equally, "weighted avg" by their faces; a share of nothing counts
    as 0, and labels without a face and never predicted are left out of the means, as scikit-learn
    does.
    """
    rows = {}
    for name, count in scores.counts.items():
        p, r = scores.precision[name] or 0.0, scores.recall[name] or 0.0
        if count or scores.precision[name] is not None:
            f1 = 2 * p * r / (p + r) if p + r else 0.0
            rows[name] = {"precision": p, "recall": r, "f1": f1, "faces": float(count)}
    labels = list(rows.values())
    for title, weights in (("macro avg", None), ("weighted avg", [r["faces"] for r in labels])):
        rows[title] = {
            key: float(np.average([row[key] for row in labels], weights=weights))
            for key in ("precision", "recall", "f1")
        } | {"faces": float(scores.n)}
    return rows


def _rounded(values: dict[str, float | None]) -> dict[str, float | None]:
    return {name: None if v is None else round(v, 5) for name, v in values.items()}


def score(probabilities: FloatArray, labels: NDArray[np.integer], names: tuple[str, ...]) -> Scores:
    """Compare probabilities float [N, C], whose rows sum to 1, with labels int [N]; N ≥ 1.

    Raises InputError for arrays of other shapes, sums or labels.
    """
    classes = len(names)
    _check(probabilities, labels, classes)
    predicted = probabilities.argmax(1)
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (labels, predicted), 1)
    hits, present, chosen = confusion.diagonal(), confusion.sum(1), confusion.sum(0)
    recall = {n: float(h / p) if p else None for n, h, p in zip(names, hits, present, strict=True)}
    reliability = _reliability(probabilities.max(1), predicted == labels)
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
        calibration_error=sum(n * abs(c - a) for c, a, n in reliability) / len(labels),
        reliability=reliability,
        loss=float(-np.log(np.maximum(probabilities[np.arange(len(labels)), labels], 1e-7)).mean()),
    )


def _check(probabilities: FloatArray, labels: NDArray[np.integer], classes: int) -> None:
    expected = f"one label of {classes} for each of 1 or more rows of {classes} probabilities"
    if probabilities.shape != (len(labels), classes) or labels.ndim != 1 or not len(labels):
        found = f"probabilities {list(probabilities.shape)}, labels {list(labels.shape)}"
        raise InputError("labels", expected=expected, found=found)
    if not 0 <= labels.min() <= labels.max() < classes:
        found = f"labels from {labels.min()} to {labels.max()}"
        raise InputError("labels", expected=expected, found=found)
    sums = probabilities.sum(1)
    if not (np.abs(sums - 1) <= _LARGEST_ROUNDING).all():
        raise InputError(
            "probabilities",
            expected="rows that sum to 1",
            found=f"sums from {sums.min():.3g} to {sums.max():.3g}",
        )


def _reliability(
    confidence: FloatArray, right: NDArray[np.bool_], bins: int = 15
) -> list[list[float]]:
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    members = [index == b for b in np.unique(index)]
    return [[float(confidence[m].mean()), float(right[m].mean()), float(m.sum())] for m in members]


PROBABILITY_FLOOR: Final = 1 / 512
"""Half a step of an 8-bit probability: below it `mean_divergence` sees no difference."""


def mean_divergence(expected: FloatArray, actual: FloatArray) -> float:
    """Mean Kullback-Leibler divergence of probabilities `actual` [N, C] from `expected`, in nats.

    Both are floored at `PROBABILITY_FLOOR` and made to sum to 1 again, so that the zeros of
    8-bit outputs stay finite.  Raises InputError where their shapes differ.
    """
    if expected.shape != actual.shape or expected.ndim != 2:
        raise InputError(
            "actual",
            expected=f"probabilities [N, C], of the shape {list(expected.shape)}",
            found=str(list(actual.shape)),
        )
    p, q = (np.maximum(x.astype(np.float64), PROBABILITY_FLOOR) for x in (expected, actual))
    p, q = p / p.sum(1, keepdims=True), q / q.sum(1, keepdims=True)
    return float((p * np.log(p / q)).sum(1).mean())
