"""`fer-mobile evaluate`: a model's figures on a dataset under a protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer_mobile.data import load_dataset
from fer_mobile.data.corruption import corrupt
from fer_mobile.data.face_files import FaceFiles
from fer_mobile.data.steps import apply_steps
from fer_mobile.errors import DataError
from fer_mobile.metrics import Scores, score
from fer_mobile.models import DEFAULT, shipped_models
from fer_mobile.preprocess import normalise, resize

if TYPE_CHECKING:
    import keras

_BATCH = 64
_CHUNK = 1024

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
    images = corrupt(dataset.images[:], corruption) if corruption else dataset.images
    probabilities, labels = _predict(model, images, threads)
    missing = [name for name in dataset.names if name not in labels]
    if missing:
        raise DataError(
            f"protocol {protocol}",
            expected=f"a model that knows {', '.join(missing)}",
            found=f"one with the labels {', '.join(labels)}",
            todo=f"Use --protocol {_OWN[len(labels)]}." if len(labels) in _OWN else "",
        )
    columns = probabilities[:, [labels.index(name) for name in dataset.names]]
    columns = columns / np.maximum(columns.sum(1, keepdims=True), 1e-9)
    scores = score(columns, dataset.labels, dataset.names)
    return Evaluation(str(model), protocol, split, scores, corruption)


def _predict(
    model: str | Path, images: np.ndarray | FaceFiles, threads: int
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Probabilities float32 [N, labels] and the labels."""
    path = Path(model)
    if str(model) not in shipped_models() and (path.is_dir() or path.suffix == ".keras"):
        from fer_mobile.convert.source import load_source

        source = load_source(model)
        return predict_faces(source.model, images, source.preprocessing), source.labels
    from fer_mobile.runtime.classifier import load_classifier

    classifier = load_classifier(model, threads)
    faces = _resized(images[:], classifier.size)
    batches = [classifier.classify(faces[i : i + _BATCH]) for i in range(0, len(faces), _BATCH)]
    return np.concatenate(batches), classifier.labels


def predict_faces(
    model: keras.Model, images: np.ndarray | FaceFiles, steps: Sequence[str] = ()
) -> np.ndarray:
    """Probabilities float32 [N, C] of a Keras model for faces uint8 [N, H, W].

    The faces go through `steps` (see `data.steps`) and are resized, `_CHUNK` at a time.
    """
    size = int(model.input_shape[1])
    found = []
    for i in range(0, len(images), _CHUNK):
        faces = _resized(apply_steps(images[i : i + _CHUNK], steps), size)
        found.append(model.predict(normalise(faces)[..., None], batch_size=_BATCH, verbose=0))
    return np.concatenate(found)


def _resized(images: np.ndarray, size: int) -> np.ndarray:
    return np.stack([resize(image, size) for image in images])
