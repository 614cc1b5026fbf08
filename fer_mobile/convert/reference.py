"""Reference outputs: what the float model gives for faces, which its exported files must match."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from fer_mobile.arrays import Pixels, Probabilities
from fer_mobile.checkpoint import Checkpoint, load_checkpoint
from fer_mobile.convert.calibration_faces import read_faces
from fer_mobile.errors import ModelError
from fer_mobile.golden import reference_faces
from fer_mobile.model_file import read_contract
from fer_mobile.models import shipped_models, tflite_file
from fer_mobile.predictor import check_probabilities
from fer_mobile.preprocess import normalise
from fer_mobile.types import ValueRange

_BATCH: Final = 64
_MOST: Final = 256
"""At most so many of a user's faces are given to the file and to its float checkpoint."""


@dataclass(frozen=True, slots=True)
class ReferenceOutputs:
    """Probabilities of the float model for faces beyond the bundled ones."""

    origin: str
    """The faces, in words."""
    faces: Pixels
    """uint8 [N, S, S]"""
    probabilities: Probabilities
    """float32 [N, labels]"""


def bundled_reference(checkpoint: Checkpoint) -> Probabilities:
    """Probabilities float32 [N, labels] of a checkpoint for the bundled reference faces.

    Raises ModelError when that is not probabilities.
    """
    return _predict(checkpoint, reference_faces(checkpoint.size))


def by_label(labels: Sequence[str], outputs: Probabilities) -> dict[str, tuple[float, ...]]:
    """Reference outputs float32 [N, labels] as a contract has them."""
    columns = np.round(outputs.astype(float), 6).clip(0, 1).T.tolist()
    return {label: tuple(column) for label, column in zip(labels, columns, strict=True)}


def reference_outputs(checkpoint: Checkpoint, faces: Pixels, origin: str) -> ReferenceOutputs:
    """Those of a checkpoint for a share of faces uint8 [N, S, S]; `origin` names them."""
    share = faces[:: -(-len(faces) // _MOST)]
    return ReferenceOutputs(f"{len(share)} {origin}", share, _predict(checkpoint, share))


def reference_for_file(
    model: str | Path,
    faces: str | Path,
    checkpoint: str | Path | None = None,
    value_range: ValueRange | None = None,
) -> ReferenceOutputs:
    """Those of the float checkpoint that an exported file was made from.

    Args:
        model: the exported file, or a shipped model's name.
        faces: a dataset or folder of faces (see `calibration_faces.read_faces`).
        checkpoint: the float weights as `load_checkpoint` takes them; without, the model that
            the file names.
        value_range: of weights in a ``.keras`` file that does not say it.

    Raises ModelError where there are no such weights.
    """
    contract = read_contract(tflite_file(model))
    if checkpoint is None and contract.name not in shipped_models(copies=True):
        raise ModelError(
            "checkpoint",
            expected=f"the float weights that {Path(model).name} was made from",
            found="none",
        )
    weights = load_checkpoint(checkpoint or contract.name, value_range=value_range)
    size, labels = contract.input.shape[1], weights.labels or contract.labels  # .keras: none
    if (weights.size, labels) != (size, contract.labels):
        raise ModelError(
            "checkpoint",
            expected=f"a model of {size} px for {', '.join(contract.labels)}",
            found=f"{weights.name} of {weights.size} px for {', '.join(labels)}",
        )
    read = read_faces(faces, weights.size, parameter="faces")
    return reference_outputs(weights, read, f"faces of {Path(faces).name}")


def _predict(checkpoint: Checkpoint, faces: Pixels) -> Probabilities:
    import keras

    pixels = normalise(faces)[..., None]
    # Layer by layer: to trace a function, as `predict` does, takes longer than so few faces.
    model = keras.Model(checkpoint.model.inputs[0], checkpoint.model.outputs[0])
    parts = [model(pixels[i : i + _BATCH]) for i in range(0, len(pixels), _BATCH)]
    probabilities: Probabilities = np.concatenate([np.asarray(part) for part in parts])
    check_probabilities(probabilities, checkpoint.name)
    return probabilities
