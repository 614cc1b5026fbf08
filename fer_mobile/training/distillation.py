"""Learning from teachers: soft targets for the very faces that the student sees.

Teachers predict each augmented (and mixed) batch as the student gets it, so that the student
learns their function, not a table (Beyer et al., 2022).  Only noise is added after they were
asked, for a noisy face should be predicted as the clean one.  They are not part of the student:
neither its weights nor its files hold them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.data import Dataset
from fer_mobile.errors import RecipeError
from fer_mobile.metrics import Scores, score
from fer_mobile.predictor import predict_faces
from fer_mobile.training.teacher_cache import TeacherCache
from fer_mobile.types import ValueRange


class Teachers:
    """Several networks whose mean prediction is learned."""

    def __init__(
        self,
        names: Sequence[str | Path],
        labels: Sequence[str],
        precision: str = "float32",
        value_range: ValueRange | None = None,
    ) -> None:
        """Read the networks that `names` mean, as for `load_checkpoint`, of these `labels`.

        `value_range` is that of ``.keras`` files which do not say it.

        Their feature maps are computed in `precision`, as Keras names its policies; what
        follows the maps is always float32.

        Raises ModelError for one that cannot be read, RecipeError for one with other labels.
        """
        self.models = [_model(name, tuple(labels), precision, value_range) for name in names]

    def __call__(self, faces: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities float32 [N, classes] for faces [N, S, S, 1] in 0-1."""
        predicted = [model.predict_on_batch(at_size_of(model, faces)) for model in self.models]
        mean: NDArray[np.float32] = np.stack(predicted).mean(0)
        return mean

    def score(self, dataset: Dataset, preprocessing: Sequence[str] = ()) -> Scores:
        """Figures of their mean on a dataset, whose faces each sees at its own size."""
        predicted = [predict_faces(m, dataset.images, preprocessing) for m in self.models]
        return score(np.mean(predicted, axis=0), dataset.labels, dataset.names)


class SoftTargets:
    """The teachers' targets for every batch, asked for once where there is a cache."""

    def __init__(self, teachers: Teachers | None, cache: TeacherCache | None) -> None:
        """Ask `teachers`, or read and fill `cache`; without teachers it must be complete."""
        self.teachers, self.cache = teachers, cache

    def __call__(self, view: int, index: int, faces: NDArray[np.float32]) -> NDArray[np.float32]:
        """Float32 [N, labels] for batch `index` of a view, faces [N, S, S, 1] before noise."""
        known = None if self.cache is None else self.cache.get(view, index)
        if known is not None:
            return known
        if self.teachers is None:
            raise RuntimeError(f"no targets of batch {index} of view {view}, and no teachers")
        predicted = self.teachers(faces)
        return predicted if self.cache is None else self.cache.put(view, index, predicted)


def at_size_of(model: keras.Model, faces: Any) -> Any:
    """Faces [N, S, S, 1], enlarged or shrunk to a model's input size."""
    size = int(model.input_shape[1])
    return faces if faces.shape[1] == size else ops.image.resize(faces, (size, size))


def _model(
    name: str | Path, labels: tuple[str, ...], precision: str, value_range: ValueRange | None
) -> keras.Model:
    bare = Path(name).suffix == ".keras"  # the others say their own
    checkpoint = load_checkpoint(name, value_range=value_range if bare else None)
    outputs = int(checkpoint.model.output_shape[-1])
    # A bare .keras file names no labels: its outputs are taken in the dataset's order.
    if outputs != len(labels) or checkpoint.labels not in ((), labels):
        raise RecipeError(
            "distillation.teachers",
            expected=f"models of {len(labels)} labels: {', '.join(labels)}",
            found=f"{name} with {outputs}: {', '.join(checkpoint.labels) or 'unnamed'}",
        )
    for layer in checkpoint.model.layers:
        if len(layer.output.shape) == 4:
            layer.dtype_policy = keras.DTypePolicy(precision)
    return checkpoint.model
