"""A model's most confident mistakes, label by label, and a page that shows the faces."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from jinja2 import Environment, PackageLoader
from PIL import Image

from fer_mobile.arrays import Pixels
from fer_mobile.data import Dataset, load_dataset
from fer_mobile.evaluation import predict_dataset
from fer_mobile.files import write_text
from fer_mobile.metrics import Scores, score
from fer_mobile.models import DEFAULT
from fer_mobile.types import ProtocolName, SplitName, ValueRange
from fer_mobile.wording import percent

SCHEMA: Final = "fer-mobile/mistakes"
SCHEMA_VERSION: Final = 2
"""2 has `true_label`, `prediction` and `true_probability`, which were `label`, `answer` and
`label_probability`."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """A face that was classified wrongly."""

    row: int
    """Its number in the split, from 0."""
    true_label: str
    prediction: str
    """The model's most probable label."""
    confidence: float
    """Probability of `prediction`, 0 to 1."""
    true_probability: float
    """Probability of `true_label`, 0 to 1."""
    file: str = ""
    """Where it was read from, if it was a file of its own."""

    def as_dict(self) -> dict[str, object]:
        """The mistake as `fer-mobile report errors --json` prints it."""
        return {
            "row": self.row,
            "true_label": self.true_label,
            "prediction": self.prediction,
            "confidence": round(self.confidence, 5),
            "true_probability": round(self.true_probability, 5),
            "file": self.file,
        }


@dataclass(frozen=True, slots=True)
class Mistakes:
    """The most confident mistakes of a model under a protocol."""

    model: str
    dataset: Dataset
    scores: Scores
    by_label: dict[str, list[Mistake]]
    """By true label, for each that has any; the most confident first."""

    def as_dict(self) -> dict[str, object]:
        """The figures and mistakes as `fer-mobile report errors --json` prints them."""
        return {
            "schema": SCHEMA,
            "schema_version": SCHEMA_VERSION,
            "model": self.model,
            "protocol": self.dataset.protocol,
            "split": self.dataset.split,
            "n": self.scores.n,
            "accuracy": self.scores.accuracy,
            "balanced_accuracy": self.scores.balanced_accuracy,
            "mistakes": {
                label: [each.as_dict() for each in mistakes]
                for label, mistakes in self.by_label.items()
            },
        }


def find_mistakes(
    model: str | Path = DEFAULT,
    data: str | Path | None = None,
    *,
    protocol: ProtocolName = "ferplus-strict",
    split: SplitName = "valid",
    most: int = 20,
    threads: int = 1,
    labels: Sequence[str] | None = None,
    value_range: ValueRange | None = None,
) -> Mistakes:
    """A model's most confident mistakes on a dataset, at most `most` for each true label.

    The other arguments, and the errors raised, are those of `evaluation.evaluate`.
    """
    dataset = load_dataset(data, protocol=protocol, split=split)
    dataset, probabilities = predict_dataset(model, dataset, threads, labels, value_range)
    names = dataset.names
    predicted, confidence = probabilities.argmax(1), probabilities.max(1)
    by_label: dict[str, list[Mistake]] = {name: [] for name in names}
    for row in np.argsort(-confidence, kind="stable").tolist():
        true, mistakes = dataset.labels[row], by_label[names[dataset.labels[row]]]
        if predicted[row] == true or len(mistakes) == most:
            continue
        mistakes.append(
            Mistake(
                row,
                names[true],
                names[predicted[row]],
                float(confidence[row]),
                float(probabilities[row, true]),
                dataset.files[row] if dataset.files else "",
            )
        )
    return Mistakes(
        str(model),
        dataset,
        score(probabilities, dataset.labels, names),
        {name: mistakes for name, mistakes in by_label.items() if mistakes},
    )


def write_mistakes(report: Mistakes, path: str | Path) -> None:
    """Write a page with the faces, which are embedded: it loads nothing."""
    environment = Environment(
        loader=PackageLoader("fer_mobile.explain", "page"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = percent
    images = report.dataset.images
    groups = [
        (label, [(each, _embedded(images[each.row : each.row + 1][0])) for each in mistakes])
        for label, mistakes in report.by_label.items()
    ]
    page = environment.get_template("mistakes.html").render(report=report, groups=groups)
    # A folder's name need not be valid Unicode; the page must be.
    write_text(Path(path), page.encode("utf-8", "replace").decode("utf-8"))


def _embedded(face: Pixels) -> str:
    file = io.BytesIO()
    Image.fromarray(face).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")
