"""Float weights with what is known of them: where every export starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_mobile.contract import UNKNOWN, Figures, OutputCalibration, Provenance
from fer_mobile.errors import ModelError
from fer_mobile.labels import RESERVED

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A float32 Keras model with its facts."""

    model: keras.Model
    name: str
    architecture: str
    options: dict[str, Any]
    labels: tuple[str, ...]
    """A name for each output, in their order; none where nothing names them."""
    provenance: Provenance
    figures: tuple[Figures, ...]
    licence: str
    """Of the weights; "unknown" where nobody stated one."""
    output_calibration: OutputCalibration | None = None
    """What is folded into the model's last layer."""
    preprocessing: tuple[str, ...] = ()
    """Steps that its faces need first (see `data.steps`), which no exported file has."""
    folder: Path | None = None
    """Of a shipped model or a run, where activation ranges (ranges.json) may lie."""

    def named_labels(self) -> tuple[str, ...]:
        """The labels; ModelError where there are none."""
        if not self.labels:
            raise ModelError(
                self.name,
                expected=label_each(self.model),
                found="weights alone, which name none",
            )
        return self.labels

    @property
    def size(self) -> int:
        """Height and width of the input in pixels."""
        return int(self.model.input_shape[1])

    @property
    def parameters(self) -> int:
        """All weights of the network."""
        return int(self.model.count_params())


def label_each(model: keras.Model) -> str:
    """What is to be given for a model without labels, in words."""
    return f"`labels`, a name for each of its {model.output_shape[-1]} outputs in their order"


def make_checkpoint(
    model: Any,
    *,
    name: str,
    architecture: str | None = None,
    options: dict[str, Any] | None = None,
    labels: Sequence[str] | None = None,
    provenance: Provenance = Provenance(),  # noqa: B008 (frozen)
    figures: tuple[Figures, ...] = (),
    licence: str = UNKNOWN,
    output_calibration: OutputCalibration | None = None,
    preprocessing: tuple[str, ...] = (),
    folder: Path | None = None,
) -> Checkpoint:
    """A checkpoint of a Keras model.

    Raises ModelError where its input or output fits no contract, and where `labels` are not as
    many as its outputs.
    """
    try:
        shape, outputs = tuple(model.input_shape), tuple(model.output_shape)
    except (AttributeError, TypeError):  # a model that was never built, or has several of them
        shape, outputs = (), ()
    if len(shape) != 4 or not shape[1] or shape[1] != shape[2] or shape[3] != 1:
        raise ModelError(
            name,
            expected="a gray square input [N, S, S, 1]",
            found=str(list(shape)),
            hint=_hint_of_shape(shape),
        )
    if len(outputs) != 2 or isinstance(outputs[1], tuple | str):  # several, in a list or a dict
        raise ModelError(name, expected="an output [N, labels]", found=str(list(outputs)))
    names = _checked(name, labels, outputs[1])
    return Checkpoint(
        model=model,
        name=name,
        architecture=architecture or model.name,
        options=options or {"size": int(shape[1])},
        labels=names,
        provenance=provenance,
        figures=figures,
        licence=licence,
        output_calibration=output_calibration,
        preprocessing=preprocessing,
        folder=folder,
    )


def _hint_of_shape(shape: tuple[int | None, ...]) -> str:
    """What to do about an input of another shape."""
    if len(shape) == 4 and shape[3] == 3:
        return "Convert a network of colours to a .tflite file, and attach a contract to that."
    if len(shape) == 4 and None in shape[1:]:
        return "Save it with an input of a fixed size, `keras.Input((S, S, 1))`."
    return ""


def _checked(name: str, labels: Sequence[str] | None, outputs: int | None) -> tuple[str, ...]:
    """The labels of a model with so many outputs; ModelError where they cannot be its own."""
    if outputs is None or not 2 <= outputs <= 100:
        raise ModelError(name, expected="2 to 100 outputs", found=str(outputs))
    if labels is None:
        return ()
    names = tuple(label.strip() for label in labels)
    if len(names) != outputs or len({n.casefold() for n in names}) != outputs or not all(names):
        raise ModelError(
            name,
            expected=f"`labels`, {outputs} different names",
            found=f"{len(names)}: {', '.join(names)}",
        )
    reserved = [label for label in names if label.casefold() in RESERVED]
    if reserved:
        raise ModelError(
            name, expected=f"`labels`, none of {', '.join(RESERVED)}", found=", ".join(reserved)
        )
    return names
