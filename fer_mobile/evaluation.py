"""A model's figures on a dataset under a protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from fer_mobile._deprecated import renamed
from fer_mobile.arrays import Probabilities
from fer_mobile.data import Dataset, load_dataset
from fer_mobile.data.corruption import corrupt
from fer_mobile.data.face_files import FaceFiles
from fer_mobile.data.protocols import EXPRESSIONS, OWN
from fer_mobile.errors import DataError
from fer_mobile.labels import LABELS_4, LABELS_7
from fer_mobile.metrics import Scores, classification_report, score
from fer_mobile.models import DEFAULT
from fer_mobile.notebook import html_table
from fer_mobile.predictor import load_predictor
from fer_mobile.types import ProtocolName, SplitName, ValueRange

_OF_FEWER: Final = {LABELS_7: "fer2013", LABELS_4: "fer2013-4"}
"""The protocol of a model for fewer than the eight expressions."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures with the protocol and split that they hold for."""

    model: str
    protocol: str
    split: str
    scores: Scores
    corruption: str | None = None
    """What was done to the faces first (see `data.corruption`), if anything."""

    def _repr_html_(self) -> str:
        """The figures as a notebook shows them: a row for each label."""
        scores = self.scores
        return html_table(
            ("label", "faces", "recall", "precision"),
            [(k, n, scores.recall[k], scores.precision[k]) for k, n in scores.counts.items()],
            f"{self.model} on {self.protocol} {self.split}, n={scores.n:,}: accuracy "
            f"{scores.accuracy:.1%}, balanced {scores.balanced_accuracy:.1%}",
        )

    def as_dict(self) -> dict[str, object]:
        """The figures as `fer-mobile evaluate --json` prints them."""
        head: dict[str, object] = {
            "model": self.model,
            "protocol": self.protocol,
            "split": self.split,
        }
        if self.corruption:
            head["corruption"] = self.corruption
        report = classification_report(self.scores)
        f1 = {name: round(row["f1"], 5) for name, row in report.items()}
        means = {"macro_f1": f1.pop("macro avg"), "weighted_f1": f1.pop("weighted avg")}
        by_label = {name: f1.get(name) for name in self.scores.counts}
        return head | self.scores.as_dict() | means | {"f1": by_label}


def evaluate(
    model: str | Path = DEFAULT,
    data: str | Path | None = None,
    *,
    protocol: ProtocolName = "ferplus-strict",
    split: SplitName = "valid",
    corruption: str | None = None,
    threads: int = 1,
    labels: Sequence[str] | None = None,
    value_range: ValueRange | None = None,
) -> Evaluation:
    """Measure a model on a dataset.

    The faces are resized to the model's input as `preprocess` defines it; nothing is detected
    or cropped.  A model of 8 labels is measured on the 7 of `fer2013` by leaving out what it
    gives to contempt.  Under `own` nothing is left out: a label of the model that the dataset
    lacks is a mistake where it is predicted.

    Args:
        model: a shipped name (its int8 file), a `.tflite` or `.keras` file, or a run folder.
        data: a dataset, as for `load_dataset`.
        protocol: how labels follow from votes, see `data.protocols`.
        split: "train", "valid", "test" or "all".
        corruption: one of `data.corruption.CORRUPTIONS`, which makes the faces worse first.
        threads: threads of an exported file's interpreter.
        labels: of a `.keras` file, which has none: a name for each output, in their order.
        value_range: of a `.keras` file that does not say it: what its input's values stand for.

    Raises:
        ModelError: there is no such model, or it cannot be used.
        DataError: the dataset cannot be used, has images that cannot be read, or labels that
            the model does not know.
    """
    dataset = _readable(load_dataset(data, protocol=protocol, split=split))
    if corruption:
        dataset = replace(dataset, images=corrupt(dataset.images[:], corruption))
    dataset, probabilities = predict_dataset(model, dataset, threads, labels, value_range)
    scores = score(probabilities, dataset.labels, dataset.names)
    return Evaluation(str(model), dataset.protocol, split, scores, corruption)


def _readable(dataset: Dataset) -> Dataset:
    """The dataset, decoded; DataError, with names, where some of its images cannot be read."""
    unread = [path for skipped in dataset.skipped if skipped.unread for path in skipped.examples]
    count = sum(skipped.count for skipped in dataset.skipped if skipped.unread)
    if isinstance(dataset.images, FaceFiles):
        images, failed = dataset.images.decode()
        unread, count = [dataset.files[row] for row in failed], len(failed)
        dataset = replace(dataset, images=images)
    if count:
        more = " …" if count > len(unread[:3]) else ""
        raise DataError(
            "the dataset",
            expected="images that can be read, for figures that count all of them",
            found=f"{count:,} that cannot: {', '.join(unread[:3])}{more}",
        )
    return dataset


if not TYPE_CHECKING:
    __getattr__ = renamed(__name__, answers="predict_probabilities")


def predict_probabilities(
    model: str | Path,
    dataset: Dataset,
    threads: int = 1,
    labels: Sequence[str] | None = None,
    value_range: ValueRange | None = None,
) -> Probabilities:
    """The probabilities that `predict_dataset` returns: under `own`, of all the model's labels."""
    return predict_dataset(model, dataset, threads, labels, value_range)[1]


def predict_dataset(
    model: str | Path,
    dataset: Dataset,
    threads: int = 1,
    labels: Sequence[str] | None = None,
    value_range: ValueRange | None = None,
) -> tuple[Dataset, Probabilities]:
    """A dataset, with probabilities float32 [N, len(names)] of its faces.

    Each row sums to 1 over the labels of the protocol, which may be fewer than the model's.
    Those of `own` are the model's: the dataset that is returned has them all, in their order.
    `labels` and `value_range` are those of a `.keras` file, as for `evaluate`.
    Raises DataError where the model does not know all labels of the dataset.
    """
    predictor = load_predictor(model, threads, labels, value_range)
    labels = predictor.labels
    missing = [name for name in dataset.names if name not in labels]
    if missing:
        classes = dataset.protocol.startswith(EXPRESSIONS)  # FER2013 has none for OWN
        theirs = _OF_FEWER.get(labels, OWN if classes else dataset.protocol)
        raise DataError(
            f"protocol {dataset.protocol}",
            expected=f"a model that knows {', '.join(missing)}",
            found=f"one with the labels {', '.join(labels)}",
            hint="" if dataset.protocol == theirs else f"Use `protocol={theirs!r}`.",
        )
    if dataset.protocol == OWN:
        dataset = _with_labels(dataset, labels)
    columns = predictor(dataset.images)[:, [labels.index(name) for name in dataset.names]]
    columns = np.maximum(columns, 1e-9)  # where an 8-bit file gives all to another label: equal
    probabilities: Probabilities = columns / columns.sum(1, keepdims=True)
    return dataset, probabilities


def _with_labels(dataset: Dataset, labels: tuple[str, ...]) -> Dataset:
    """The dataset with these labels, of which it may lack some."""
    numbers = np.array([labels.index(name) for name in dataset.names])
    targets = np.zeros((len(dataset), len(labels)), np.float32)
    targets[:, numbers] = dataset.targets
    return replace(dataset, labels=numbers[dataset.labels], targets=targets, names=labels)
