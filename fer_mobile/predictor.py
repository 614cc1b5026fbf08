"""Any model that classifies faces: shipped, a `.tflite` or `.keras` file, a run folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final

import numpy as np

from fer_mobile.arrays import Pixels, Probabilities
from fer_mobile.data.face_files import FaceFiles
from fer_mobile.data.steps import apply_steps
from fer_mobile.errors import ModelError
from fer_mobile.models import DEFAULT, shipped_models
from fer_mobile.notebook import html_table
from fer_mobile.preprocess import CropRule, Levelling, gray_faces, normalise, resize
from fer_mobile.types import ValueRange
from fer_mobile.wording import counted, percent

if TYPE_CHECKING:
    import keras

_BATCH: Final = 64
_CHUNK: Final = 1024
_SHOWN: Final = 20
"""Faces that a notebook shows of many."""

Faces = Pixels | Sequence[Pixels] | FaceFiles
"""Faces that are cut out: uint8 [N, H, W] gray or [N, H, W, 3] RGB, one of them alone ([H, W] or
[H, W, 3]), or a list of such, maybe of different sizes."""


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """What a model says of N faces."""

    labels: tuple[str, ...]
    """The model's vocabulary."""
    probabilities: Probabilities
    """float32 [N, len(labels)]; each row sums to 1."""

    def __len__(self) -> int:
        return len(self.probabilities)

    @property
    def best(self) -> list[str]:
        """The most probable label of each face."""
        return [self.labels[index] for index in self.probabilities.argmax(1)]

    @property
    def confidences(self) -> list[float]:
        """The probability of each face's most probable label."""
        confidences: list[float] = self.probabilities.max(1, initial=0).tolist()
        return confidences

    def __repr__(self) -> str:
        return f"Predictions({counted(len(self), 'face')}, labels {', '.join(self.labels)})"

    def _repr_html_(self) -> str:
        """The predictions as a notebook shows them; of many faces the first."""
        rows = zip(self.best, self.confidences, self.probabilities.tolist(), strict=True)
        return html_table(
            ("label", "confidence", *self.labels),
            [(label, percent(sure), *shares) for label, sure, shares in islice(rows, _SHOWN)],
            counted(len(self), "face") + (f", the first {_SHOWN}" if len(self) > _SHOWN else ""),
        )

    def as_dicts(self) -> list[dict[str, float]]:
        """For each face, the probability of every label."""
        return [dict(zip(self.labels, row, strict=True)) for row in self.probabilities.tolist()]


@dataclass(frozen=True, slots=True)
class Predictor:
    """A model behind one interface.  Threads may share it."""

    labels: tuple[str, ...]
    size: int
    """Height and width of the input in pixels."""
    classify: Callable[[Pixels], Probabilities]
    """Probabilities [N, labels] of prepared faces [N, size, size]."""
    crop: CropRule = field(default_factory=CropRule)
    """How a detector's box becomes a face for it."""
    levelling: Levelling | None = field(default_factory=Levelling)
    """Which faces are turned until their eyes are level."""
    steps: tuple[str, ...] = ()
    """What faces go through before they are resized (see `data.steps`)."""
    network: keras.Model | None = None
    """The Keras model, where it is one."""

    def prepare(self, faces: Pixels | Sequence[Pixels]) -> Pixels:
        """Gray faces uint8 [N, H, W], or N of any sizes, as uint8 [N, size, size]."""
        gray = (apply_steps(face[None], self.steps)[0] for face in faces)
        return np.stack([resize(face, self.size) for face in gray])

    def __call__(self, faces: Faces) -> Probabilities:
        """Probabilities float32 [N, labels] of faces.  Raises InputError where they are none."""
        if not isinstance(faces, FaceFiles):
            faces = gray_faces(faces)
        if not len(faces):
            return np.empty((0, len(self.labels)), np.float32)
        chunks = (faces[i : i + _CHUNK] for i in range(0, len(faces), _CHUNK))
        return np.concatenate([self.classify(self.prepare(chunk)) for chunk in chunks])


def classify_faces(faces: Faces, model: str | Path | Predictor = DEFAULT) -> Predictions:
    """The expressions of faces that are cut out already; they are resized to the model's input.

    Args:
        faces: an array uint8 [N, H, W] (gray) or [N, H, W, 3] (RGB), one face [H, W] or
            [H, W, 3], or a list of faces of any sizes.
        model: a shipped model's name, a `.tflite` or `.keras` file or a run folder; or what
            `predictor.load_predictor` made of it, which saves loading it for every call, and takes
            what a `.keras` file does not say.

    Raises:
        InputError: `faces` is something else.
        ModelError: there is no such model, or it cannot be used.
    """
    faces = faces if isinstance(faces, FaceFiles) else gray_faces(faces)
    predictor = model if isinstance(model, Predictor) else load_predictor(model)
    return Predictions(predictor.labels, predictor(faces))


def load_predictor(
    model: str | Path,
    threads: int = 1,
    labels: Sequence[str] | None = None,
    value_range: ValueRange | None = None,
) -> Predictor:
    """What `model` means: a shipped name (its int8 file), a file or a run folder.

    `labels` and `value_range` are those of a ``.keras`` file (see `checkpoint.load_checkpoint`).
    Raises ModelError where there is no such model or it cannot be used.
    """
    path = Path(model)
    if str(model) not in shipped_models(copies=True) and (path.is_dir() or path.suffix == ".keras"):
        return load_network(model, labels, value_range)
    from fer_mobile.runtime.classifier import load_classifier

    classifier = load_classifier(model, threads)
    for parameter, given in (("labels", labels), ("value_range", value_range)):
        if given is not None:
            raise ModelError(
                parameter, expected="a .keras file with it", found=f"{model}, which says its own"
            )
    preprocessing = classifier.contract.preprocessing
    return Predictor(
        classifier.labels,
        classifier.size,
        lambda faces: _in_batches(classifier.classify, faces),
        preprocessing.crop.rule,
        preprocessing.levelling.rule if preprocessing.levelling else None,
    )


def load_network(
    model: str | Path,
    labels: Sequence[str] | None = None,
    value_range: ValueRange | None = None,
) -> Predictor:
    """The float weights that `model` means (see `checkpoint.load_checkpoint`)."""
    from fer_mobile.checkpoint import load_checkpoint

    checkpoint = load_checkpoint(model, labels, value_range)
    predictor = _of(checkpoint.model, checkpoint.named_labels(), checkpoint.preprocessing)

    def classify(faces: Pixels) -> Probabilities:
        probabilities = predictor.classify(faces)
        check_probabilities(probabilities, checkpoint.name)
        return probabilities

    return replace(predictor, classify=classify)


def check_probabilities(outputs: Probabilities, model: str) -> None:
    """Raise ModelError where the outputs [N, C] of the network `model` are no probabilities."""
    sums = outputs.sum(1)
    if not (np.isfinite(outputs).all() and (outputs >= 0).all() and np.abs(sums - 1).max() < 1e-3):
        raise ModelError(
            f"model {model!r}",
            expected="an output of probabilities that sum to 1",
            found=f"sums from {sums.min():.3g} to {sums.max():.3g}",
            hint="End the model in a softmax, and train it until it is finite.",
        )


def predict_faces(
    model: keras.Model, faces: Pixels | FaceFiles, steps: Sequence[str] = ()
) -> Probabilities:
    """Probabilities float32 [N, C] of a Keras model for faces uint8 [N, H, W] (see `Predictor`)."""
    return _of(model, (), steps)(faces)


def _of(model: keras.Model, labels: tuple[str, ...], steps: Sequence[str]) -> Predictor:
    lock = Lock()  # predict() sets up its function and callbacks in the model

    def classify(faces: Pixels) -> Probabilities:
        pixels = normalise(faces)[..., None]
        with lock:
            return np.asarray(model.predict(pixels, batch_size=_BATCH, verbose=0))

    return Predictor(labels, int(model.input_shape[1]), classify, steps=tuple(steps), network=model)


def _in_batches(classify: Callable[[Pixels], Probabilities], faces: Pixels) -> Probabilities:
    return np.concatenate([classify(faces[i : i + _BATCH]) for i in range(0, len(faces), _BATCH)])
