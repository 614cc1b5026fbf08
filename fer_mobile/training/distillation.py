"""Learning from teachers: their answers for the very faces the student sees, beside the votes.

Teachers judge each augmented (and mixed) batch as the student gets it, so that the student
learns their function, not a table (Beyer et al., 2022); only noise is added after they were
asked, for a noisy face should be answered as the clean one.  They are not part of the student:
neither its weights nor its files hold them.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from keras import ops

from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.data import Dataset
from fer_mobile.errors import RecipeError
from fer_mobile.files import write_bytes
from fer_mobile.metrics import Scores, score
from fer_mobile.predictor import predict_faces
from fer_mobile.training.answers import answers_file


class Teachers:
    """What several networks say on average, by batches of an epoch.

    With a `folder`, the answers for an epoch's batches are kept there once all are known, for
    an epoch that has the same batches, also after a resume.
    """

    def __init__(
        self,
        names: Sequence[str | Path],
        classes: int,
        *,
        batches: int = 1,
        folder: Path | None = None,
        precision: str = "float32",
    ) -> None:
        """Read the networks that `names` mean, as for `load_checkpoint`.

        Their feature maps are computed in `precision`, as Keras names its policies; what
        follows the maps is always float32.

        Raises ModelError for one that cannot be read, RecipeError for one with other labels.
        """
        self.models = [_model(name, classes, precision) for name in names]
        self.batches, self.folder = batches, folder
        self._answers: dict[int, np.ndarray] = {}
        self._file: Path | None = None

    def begin(self, epoch: int) -> None:
        """From now on, batches are those of this epoch; what the last one's taught is kept."""
        if self.folder is None:
            return
        if self._file and len(self._answers) == self.batches and not self._file.exists():
            buffer = io.BytesIO()
            np.save(buffer, np.stack([self._answers[i] for i in range(self.batches)]))
            write_bytes(self._file, buffer.getvalue())
        self._file = answers_file(self.folder, epoch)
        known = np.load(self._file) if self._file.exists() else ()
        self._answers = dict(enumerate(known))

    def __call__(self, index: int, faces: np.ndarray) -> np.ndarray:
        """Probabilities float32 [N, classes] for batch `index`, faces [N, S, S, 1] in 0-1.

        A teacher with another input size sees the faces enlarged or shrunk.
        """
        if self.folder is None:
            return self._ask(faces)
        if index not in self._answers:
            self._answers[index] = self._ask(faces)
        return self._answers[index]

    def score(self, dataset: Dataset, preprocessing: Sequence[str] = ()) -> Scores:
        """Figures of their mean on a dataset, whose faces each sees at its own size."""
        answers = [predict_faces(model, dataset.images, preprocessing) for model in self.models]
        return score(np.mean(answers, axis=0), dataset.labels, dataset.names)

    def _ask(self, faces: np.ndarray) -> np.ndarray:
        answers = [model.predict_on_batch(_at(faces, model)) for model in self.models]
        mean: np.ndarray = np.stack(answers).mean(0)
        return mean


def _at(faces: np.ndarray, teacher: keras.Model) -> np.ndarray:
    size = int(teacher.input_shape[1])
    if faces.shape[1] == size:
        return faces
    resized: np.ndarray = ops.convert_to_numpy(ops.image.resize(faces, (size, size)))
    return resized


def _model(name: str | Path, classes: int, precision: str) -> keras.Model:
    checkpoint = load_checkpoint(name)
    if len(checkpoint.labels) != classes:
        raise RecipeError(
            "distillation.teachers",
            expected=f"models of {classes} labels",
            found=f"{name} with {len(checkpoint.labels)}",
        )
    for layer in checkpoint.model.layers:
        if len(layer.output.shape) == 4:
            layer.dtype_policy = keras.DTypePolicy(precision)
    return checkpoint.model
