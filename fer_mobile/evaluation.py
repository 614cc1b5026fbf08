"""`fer-mobile evaluate`: a model's figures on a dataset under a protocol."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from fer_mobile.data import Dataset, load_dataset
from fer_mobile.data.corruption import corrupt
from fer_mobile.errors import DataError
from fer_mobile.metrics import Scores, score
from fer_mobile.models import DEFAULT
from fer_mobile.predictor import load_predictor

_OWN: Final = {7: "fer2013", 4: "fer2013-4"}
"""The protocol of a model with fewer labels than eight."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures with the protocol and split that they hold for."""

    model: str
    protocol: str
    split: str
    scores: Scores
    corruption: str | None = None
    """What was done to the faces first (see `data.corruption`), if anything."""

    def as_dict(self) -> dict[str, Any]:
        """The figures as `fer-mobile evaluate --json` prints them."""
        head = {"model": self.model, "protocol": self.protocol, "split": self.split}
        if self.corruption:
            head["corruption"] = self.corruption
        return head | self.scores.as_dict()


def evaluate(
    model: str | Path = DEFAULT,
    data: str | Path | None = None,
    *,
    protocol: str = "ferplus-strict",
    split: str = "valid",
    corruption: str | None = None,
    threads: int = 1,
) -> Evaluation:
    """Measure a shipped model (its int8 file), a ``.tflite``, a ``.keras`` or a run folder.

    `data` as in `data.load_dataset`; the images are resized to the model's input as
    `preprocess` defines it, without detection or cropping.  A model of 8 labels is
    measured on the 7 of `fer2013` by leaving out what it gives to contempt.  `corruption`
    names one of `data.corruption.CORRUPTIONS`, which the faces go through first.

    Raises ModelError, DataError as loading them does.
    """
    dataset = load_dataset(data, protocol=protocol, split=split)
    if corruption:
        dataset = replace(dataset, images=corrupt(dataset.images[:], corruption))
    scores = score(answers(model, dataset, threads), dataset.labels, dataset.names)
    return Evaluation(str(model), protocol, split, scores, corruption)


def answers(model: str | Path, dataset: Dataset, threads: int = 1) -> np.ndarray:
    """Probabilities float32 [N, labels] for the labels of a dataset's protocol.

    Raises DataError where the model does not know all of them.
    """
    predictor = load_predictor(model, threads)
    labels = predictor.labels
    missing = [name for name in dataset.names if name not in labels]
    if missing:
        raise DataError(
            f"protocol {dataset.protocol}",
            expected=f"a model that knows {', '.join(missing)}",
            found=f"one with the labels {', '.join(labels)}",
            hint=f"Use --protocol {_OWN[len(labels)]}." if len(labels) in _OWN else "",
        )
    columns = predictor(dataset.images)[:, [labels.index(name) for name in dataset.names]]
    known: np.ndarray = columns / np.maximum(columns.sum(1, keepdims=True), 1e-9)
    return known
