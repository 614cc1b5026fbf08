"""Any model that answers for faces: shipped, a `.tflite` or `.keras` file, a run folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer_mobile.data.face_files import FaceFiles
from fer_mobile.data.steps import apply_steps
from fer_mobile.models import shipped_models
from fer_mobile.preprocess import CropRule, normalise, resize

if TYPE_CHECKING:
    import keras

_BATCH: Final = 64
_CHUNK: Final = 1024


@dataclass(frozen=True, slots=True)
class Predictor:
    """A model behind one interface."""

    labels: tuple[str, ...]
    size: int
    """Height and width of the input in pixels."""
    classify: Callable[[np.ndarray], np.ndarray]
    """Probabilities float32 [N, labels] of prepared faces uint8 [N, size, size]."""
    crop: CropRule = field(default_factory=CropRule)
    """How a detector's box becomes a face for it."""
    steps: tuple[str, ...] = ()
    """What faces go through before they are resized (see `data.steps`)."""
    network: Any = None
    """The Keras model, where it is one."""

    def prepare(self, faces: np.ndarray) -> np.ndarray:
        """Faces uint8 [N, H, W] as uint8 [N, size, size]."""
        return np.stack([resize(face, self.size) for face in apply_steps(faces, self.steps)])

    def __call__(self, faces: np.ndarray | FaceFiles) -> np.ndarray:
        """Probabilities float32 [N, labels] of faces uint8 [N, H, W]; N is at least 1."""
        chunks = range(0, len(faces), _CHUNK)
        return np.concatenate([self.classify(self.prepare(faces[i : i + _CHUNK])) for i in chunks])


def load_predictor(model: str | Path, threads: int = 1) -> Predictor:
    """What `model` means: a shipped name (its int8 file), a file or a run folder.

    Raises ModelError where there is no such model or it cannot be used.
    """
    path = Path(model)
    if str(model) not in shipped_models(copies=True) and (path.is_dir() or path.suffix == ".keras"):
        return load_network(model)
    from fer_mobile.runtime.classifier import load_classifier

    classifier = load_classifier(model, threads)
    return Predictor(
        classifier.labels,
        classifier.size,
        lambda faces: _in_batches(classifier.classify, faces),
        classifier.contract.preprocessing.crop.rule,
    )


def load_network(model: str | Path) -> Predictor:
    """The float weights that `model` means (see `network.source.load_checkpoint`)."""
    from fer_mobile.checkpoint import load_checkpoint

    source = load_checkpoint(model)
    return _of(source.model, source.labels, source.preprocessing)


def predict_faces(
    model: keras.Model, faces: np.ndarray | FaceFiles, steps: Sequence[str] = ()
) -> np.ndarray:
    """Probabilities float32 [N, C] of a Keras model for faces uint8 [N, H, W] (see `Predictor`)."""
    return _of(model, (), steps)(faces)


def _of(model: keras.Model, labels: tuple[str, ...], steps: Sequence[str]) -> Predictor:
    def classify(faces: np.ndarray) -> np.ndarray:
        found = model.predict(normalise(faces)[..., None], batch_size=_BATCH, verbose=0)
        return np.asarray(found)

    return Predictor(labels, int(model.input_shape[1]), classify, steps=tuple(steps), network=model)


def _in_batches(classify: Callable[[np.ndarray], np.ndarray], faces: np.ndarray) -> np.ndarray:
    return np.concatenate([classify(faces[i : i + _BATCH]) for i in range(0, len(faces), _BATCH)])
