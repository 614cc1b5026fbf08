"""Folding a temperature and class offsets into the last layer of a Keras model, exactly."""

from __future__ import annotations

from typing import Any

import numpy as np

from fer_mobile.contract import OutputCalibration
from fer_mobile.errors import ModelError


def fold_calibration(model: Any, calibration: OutputCalibration, labels: tuple[str, ...]) -> None:
    """Let a model that ends in a softmax give softmax(logits / temperature + offsets).

    Changes the weights of the layer that makes the logits.  Raises ModelError for a model
    that does not end so, or has no bias to take the offsets.
    """
    offsets = np.array([calibration.offsets.get(name, 0.0) for name in labels], np.float32)
    layer = _logits_layer(model)
    if type(layer).__name__ == "BatchNormalization":
        scale, shift = layer.gamma, layer.beta
    else:
        scale, shift = layer.kernel, layer.bias
    if scale is None or (shift is None and offsets.any()):
        raise ModelError(
            f"model {model.name!r}",
            expected="a scale and a bias in the layer before the softmax",
            found=f"{layer.name} without",
        )
    scale.assign(np.asarray(scale) / calibration.temperature)
    if shift is not None:
        shift.assign(np.asarray(shift) / calibration.temperature + offsets)


def _logits_layer(model: Any) -> Any:
    """The layer whose output the last softmax takes."""
    last = model.layers[-1]
    if type(last).__name__ == "Softmax":
        before = last.input._keras_history.operation
        if type(before).__name__ in ("BatchNormalization", "Dense"):
            return before
    elif type(last).__name__ == "Dense" and last.activation.__name__ == "softmax":
        return last
    raise ModelError(
        f"model {model.name!r}",
        expected="a dense layer or a batch normalisation before a softmax at the end",
        found=f"{type(last).__name__} {last.name}",
    )
