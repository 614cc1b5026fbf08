"""Where a model errs most confidently, label by label, as a page of the user's own faces."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader
from PIL import Image

from fer_mobile.data import Dataset, load_dataset
from fer_mobile.evaluation import answers
from fer_mobile.files import write_text
from fer_mobile.metrics import Scores, score
from fer_mobile.models import DEFAULT


@dataclass(frozen=True, slots=True)
class Mistake:
    """A face that was named wrong."""

    row: int
    """Its number in the split, from 0."""
    label: str
    answer: str
    confidence: float
    label_probability: float
    """What the model gave to the label."""
    file: str = ""
    """Where it was read from, if it was a file of its own."""

    def as_dict(self) -> dict[str, Any]:
        """The mistake as `fer-mobile report errors --json` prints it."""
        return {
            "row": self.row,
            "label": self.label,
            "answer": self.answer,
            "confidence": round(self.confidence, 5),
            "label_probability": round(self.label_probability, 5),
            "file": self.file,
        }


@dataclass(frozen=True, slots=True)
class Mistakes:
    """The most confident mistakes of a model under a protocol."""

    model: str
    dataset: Dataset
    scores: Scores
    by_label: dict[str, list[Mistake]]
    """For every label that has any, the surest answers first."""

    def as_dict(self) -> dict[str, Any]:
        """The figures and mistakes as `fer-mobile report errors --json` prints them."""
        return {
            "model": self.model,
            "protocol": self.dataset.protocol,
            "split": self.dataset.split,
            "n": self.scores.n,
            "accuracy": self.scores.accuracy,
            "balanced_accuracy": self.scores.balanced_accuracy,
            "mistakes": {
                label: [each.as_dict() for each in found] for label, found in self.by_label.items()
            },
        }


def find_mistakes(
    model: str | Path = DEFAULT,
    data: str | Path | None = None,
    *,
    protocol: str = "ferplus-strict",
    split: str = "valid",
    most: int = 20,
    threads: int = 1,
) -> Mistakes:
    """The `most` surest wrong answers for each label; arguments as for `evaluation.evaluate`."""
    dataset = load_dataset(data, protocol=protocol, split=split)
    found = answers(model, dataset, threads)
    names = dataset.names
    given, confidence = found.argmax(1), found.max(1)
    by_label: dict[str, list[Mistake]] = {}
    for row in np.argsort(-confidence, kind="stable").tolist():
        label = names[dataset.labels[row]]
        if names[given[row]] == label or len(by_label.get(label, ())) == most:
            continue
        mistake = Mistake(
            row,
            label,
            names[given[row]],
            float(confidence[row]),
            float(found[row, dataset.labels[row]]),
            dataset.files[row] if dataset.files else "",
        )
        by_label.setdefault(label, []).append(mistake)
    ordered = {name: by_label[name] for name in names if name in by_label}
    return Mistakes(str(model), dataset, score(found, dataset.labels, names), ordered)


def write_mistakes(found: Mistakes, path: str | Path) -> None:
    """Write a page that holds its pictures itself and loads nothing."""
    environment = Environment(
        loader=PackageLoader("fer_mobile.explain", "page"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    images = found.dataset.images
    groups = [
        (label, [(each, _embedded(images[each.row : each.row + 1][0])) for each in mistakes])
        for label, mistakes in found.by_label.items()
    ]
    page = environment.get_template("mistakes.html").render(found=found, groups=groups)
    # A folder's name need not be valid Unicode; the page must be.
    write_text(Path(path), page.encode("utf-8", "replace").decode("utf-8"))


def _embedded(face: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(face).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")
