"""Reads a Keras model as a graph."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_mobile.errors import UnsupportedLayerError
from fer_mobile.graph.ir import Graph, Node

if TYPE_CHECKING:
    import keras


def from_keras(model: keras.Model) -> Graph:
    """Read a functional Keras model with one input and one output.

    Raises UnsupportedLayerError for any other model or an unknown layer.
    """
    nodes: dict[str, Node] = {}
    outputs: dict[str, str] = {}
    # A Sequential model keeps its input to itself, and its layers in a functional model.
    functional = getattr(model, "_functional", None) or model
    for layer in functional.layers:
        if len(layer._inbound_nodes) != 1:
            raise _unsupported(layer.name, "used more than once")
        parents = [outputs[p.operation.name] for p in layer._inbound_nodes[0].parent_nodes]
        added = _read_layer(layer, tuple(parents))
        nodes.update({node.name: node for node in added})
        outputs[layer.name] = added[-1].name if added else parents[0]
    if outputs[model.layers[-1].name] != next(reversed(nodes)) or len(model.inputs) != 1:
        raise UnsupportedLayerError(
            f"model {model.name!r}", expected="one input and one output", found="more"
        )
    return Graph(nodes, tuple(model.input_shape[1:]))


def _read_layer(layer: Any, inputs: tuple[str, ...]) -> list[Node]:
    kind, name = type(layer).__name__, layer.name
    weights = {w.path.rpartition("/")[2]: np.asarray(w, np.float64) for w in layer.weights}
    if kind == "InputLayer":
        return [Node(name, "input")]
    if kind in ("Dropout", "SpatialDropout2D"):
        return []
    if kind == "BatchNormalization":
        unit = np.ones_like(weights["moving_mean"])
        scale = weights.get("gamma", unit) / np.sqrt(weights["moving_variance"] + layer.epsilon)
        shift = weights.get("beta", 0 * unit) - weights["moving_mean"] * scale
        return [Node(name, "affine", inputs, {"scale": scale, "shift": shift})]
    if kind in ("Conv2D", "Dense"):
        if kind == "Conv2D" and (layer.groups != 1 or set(layer.dilation_rate) != {1}):
            raise _unsupported(name, "groups or dilation")
        channels = weights["kernel"].shape[-1]
        weights.setdefault("bias", np.zeros(channels))
        attributes = (
            {"strides": layer.strides, "padding": layer.padding.upper()} if kind == "Conv2D" else {}
        )
        linear = Node(name, "conv" if kind == "Conv2D" else "dense", inputs, weights, attributes)
        return [linear, *_activation(layer.activation.__name__, name)]
    if kind == "MaxPooling2D":
        window = {
            "size": layer.pool_size,
            "strides": layer.strides,
            "padding": layer.padding.upper(),
        }
        return [Node(name, "max_pool", inputs, {}, window)]
    if kind == "Activation":
        return [
            replace(n, inputs=inputs, name=name)
            for n in _activation(layer.activation.__name__, name)
        ]
    if kind == "ReLU" and (layer.max_value, layer.negative_slope, layer.threshold) != (None, 0, 0):
        raise _unsupported(name, "a ReLU with a slope, a threshold or a maximum")
    if kind == "LeakyReLU":
        return [Node(name, "leaky_relu", inputs, {}, {"slope": float(layer.negative_slope)})]
    if kind == "Concatenate" and layer.axis in (-1, len(layer.output.shape) - 1):
        return [Node(name, "concat", inputs)]
    if kind in ("Add", "Maximum", "Flatten", "Softmax", "ReLU"):
        return [Node(name, kind.lower(), inputs)]
    if kind == "GlobalAveragePooling2D" and not layer.keepdims:
        return [Node(name, "mean", inputs)]
    raise _unsupported(name, f"a {kind}")


def _activation(function: str, name: str) -> list[Node]:
    if function == "linear":
        return []
    if function in ("relu", "softmax"):
        return [Node(f"{name}/{function}", function, (name,))]
    raise _unsupported(name, f"the activation {function}")


def _unsupported(layer: str, found: str) -> UnsupportedLayerError:
    return UnsupportedLayerError(
        f"layer {layer!r}", expected="a layer that the graph has an operation for", found=found
    )
