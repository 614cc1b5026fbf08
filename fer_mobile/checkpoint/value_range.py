"""The values that a network of somebody else expects of its input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer_mobile.checkpoint.keras_file import import_keras
from fer_mobile.types import ValueRange

if TYPE_CHECKING:
    import keras

_LIMITS: Final[dict[ValueRange, tuple[float, float]]] = {
    "0..1": (0, 1),
    "-1..1": (-1, 1),
    "0..255": (0, 255),
}

_USUAL: Final = ((0, 1), (-1, 1), (-0.5, 0.5), (0, 255))
"""What the first layer of a network makes of its input."""

_TOLERANCE: Final = 0.02
"""Of the width of a range; some scale by 1/128 or 1/256."""

_KEEP_VALUES: Final = (
    "Concatenate",
    "RandomCrop",
    "RandomFlip",
    "RandomRotation",
    "RandomTranslation",
    "RandomZoom",
    "Resizing",
)
"""Layers that give other pixels, or more of them, of the same values."""


def read_value_range(model: keras.Model) -> ValueRange | None:
    """What a network's input holds, if its first layer says it; None for one that does not.

    A `Rescaling` says it where it makes a usual range of one of ours alone, as ``Rescaling(1 /
    255)`` does.  A `Normalization` says it where it was adapted to pixels of 0 to 255.
    """
    layer = _first_layer(model)
    kind = type(layer).__name__
    if kind == "Rescaling":
        scale, offset = (np.ravel(value) for value in (layer.scale, layer.offset))
        if scale.size == offset.size == 1:
            fits = [name for name in _LIMITS if _becomes_usual(name, scale.item(), offset.item())]
            return fits[0] if len(fits) == 1 else None
    if kind == "Normalization" and not layer.invert:
        mean, deviation = np.asarray(layer.mean), np.sqrt(np.asarray(layer.variance))
        if mean.size and float(np.max(mean + deviation)) > 2:  # no value of the others is so large
            return "0..255"
    return None


def take_unit_values(model: keras.Model, value_range: ValueRange) -> keras.Model:
    """A network that takes values of 0 to 1, of one whose input holds `value_range`."""
    low, high = _LIMITS[value_range]
    if (low, high) == (0, 1):
        return model
    keras = import_keras()
    layer = _first_layer(model)
    if type(layer).__name__ == "Rescaling" and isinstance(layer.scale, float):
        layer.scale, layer.offset = (high - low) * layer.scale, low * layer.scale + layer.offset
        return model
    image = keras.Input(model.input_shape[1:], name="image")
    values = keras.layers.Rescaling(high - low, low, name="value_range")(image)
    return keras.Model(image, model(values), name=model.name)


def _becomes_usual(name: ValueRange, scale: float, offset: float) -> bool:
    """Whether the scaled limits of a range are those of a usual one."""
    low, high = (scale * limit + offset for limit in _LIMITS[name])
    return any(
        max(abs(low - usual[0]), abs(high - usual[1])) <= _TOLERANCE * (usual[1] - usual[0])
        for usual in _USUAL
    )


def _first_layer(model: keras.Model) -> Any:
    """The layer that alone reads the input's values; None where several do, or none does."""
    layer = _input_layer(model)
    while layer is not None:
        readers = {node.operation for node in layer._outbound_nodes}
        if len(readers) != 1:
            return None
        layer = readers.pop()
        if hasattr(layer, "layers"):  # a model in the model
            layer = _input_layer(layer)
        elif type(layer).__name__ not in _KEEP_VALUES:
            return layer
    return None


def _input_layer(model: Any) -> Any:
    """The input of a model that has one, and layers."""
    # A Sequential model keeps its input to itself, and its layers in a functional model.
    functional = getattr(model, "_functional", None) or model
    inputs: list[Any] = getattr(functional, "inputs", None) or []
    return inputs[0]._keras_history.operation if len(inputs) == 1 else None
