"""Float weights with what is known of them: where every export starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fer_mobile.contract import Figures, OutputCalibration, Training
from fer_mobile.errors import ModelError
from fer_mobile.labels import VOCABULARIES

if TYPE_CHECKING:
    import keras

LICENCE: Final = (
    "Weights trained on FER2013 images (research use) with FER+ votes (MIT): "
    "for research and evaluation; see models/LICENSE"
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A float32 Keras model with its facts."""

    model: keras.Model
    name: str
    architecture: str
    options: dict[str, Any]
    labels: tuple[str, ...]
    training: Training | None
    figures: tuple[Figures, ...]
    licence: str
    output_calibration: OutputCalibration | None = None
    """What is folded into the model's last layer."""
    preprocessing: tuple[str, ...] = ()
    """Steps that its faces need first (see `data.steps`), which no exported file has."""
    folder: Path | None = None
    """Of a shipped model or a run, where activation ranges (ranges.json) may lie."""

    @property
    def size(self) -> int:
        """Height and width of the input in pixels."""
        return int(self.model.input_shape[1])

    @property
    def parameters(self) -> int:
        """All weights of the network."""
        return int(self.model.count_params())


def make_checkpoint(
    model: Any,
    *,
    name: str,
    architecture: str | None = None,
    options: dict[str, Any] | None = None,
    training: Training | None = None,
    figures: tuple[Figures, ...] = (),
    licence: str = LICENCE,
    output_calibration: OutputCalibration | None = None,
    preprocessing: tuple[str, ...] = (),
    folder: Path | None = None,
) -> Checkpoint:
    """A checkpoint of a Keras model; ModelError where its input or output fits no contract."""
    try:
        shape, classes = tuple(model.input_shape), model.output_shape[-1]
    except AttributeError:  # a model that was never built, or one with several inputs
        shape, classes = (), None
    if len(shape) != 4 or not shape[1] or shape[1] != shape[2] or shape[3] != 1:
        raise ModelError(name, expected="a gray square input [N, S, S, 1]", found=str(list(shape)))
    if classes not in VOCABULARIES:
        raise ModelError(name, expected="8 (or 7, or 4) classes", found=str(classes))
    return Checkpoint(
        model=model,
        name=name,
        architecture=architecture or model.name,
        options=options or {"size": int(shape[1])},
        labels=VOCABULARIES[classes],
        training=training,
        figures=figures,
        licence=licence,
        output_calibration=output_calibration,
        preprocessing=preprocessing,
        folder=folder,
    )
