"""A network as plain data: what graph rewrites work on and what becomes TensorFlow.

Keras layers are read into a handful of operations with float64 weights.  A batch
normalisation is what it is at inference: a scale and a shift per channel (`affine`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer_mobile.preprocess import LUMA

if TYPE_CHECKING:
    import keras


RGB_NAME: Final = "rgb"
"""The input's name in a graph made by `with_rgb_input`."""


class UnsupportedLayerError(Exception):
    """A layer that this module has no operation for; the caller converts the model as it is."""


@dataclass(frozen=True, slots=True)
class Node:
    """One operation.

    `op` and its `weights`: ``input``; ``conv`` and ``dense`` (kernel, bias); ``affine``
    (scale, shift); ``relu``; ``leaky_relu`` (its ``slope`` below zero); ``max_pool``; ``add``;
    ``maximum``; ``concat`` (of channels); ``flatten``; ``mean`` (over places); ``softmax``;
    and, made by rewrites only, ``gray`` (BT.601 luma of RGB), ``pad`` (zeros around the map),
    ``reshape`` (the batch stays), ``slice``, ``subtract`` and ``round`` (to 256 levels between
    ``low`` and ``high``).
    """

    name: str
    op: str
    inputs: tuple[str, ...] = ()
    weights: dict[str, np.ndarray] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)

    def with_weights(self, **weights: np.ndarray) -> Node:
        """The same operation with some weights replaced."""
        return replace(self, weights=self.weights | weights)


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes by name, in an order in which each follows its inputs; the last is the output."""

    nodes: dict[str, Node]
    input_shape: tuple[int, ...]
    """Without the batch."""

    def users(self, name: str) -> list[Node]:
        """The nodes that read `name`."""
        return [node for node in self.nodes.values() if name in node.inputs]

    def replaced(self, *nodes: Node, without: tuple[str, ...] = ()) -> Graph:
        """The graph with some nodes exchanged by name and some left out.

        A node left out is bypassed: what read it reads its first input.
        """
        new = {node.name: node for node in nodes}
        bypass = {name: self.nodes[name].inputs[0] for name in without}

        def source(name: str) -> str:
            while name in bypass:
                name = bypass[name]
            return name

        kept = (new.get(node.name, node) for node in self.nodes.values() if node.name not in bypass)
        return Graph(
            {n.name: replace(n, inputs=tuple(source(i) for i in n.inputs)) for n in kept},
            self.input_shape,
        )


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
            raise UnsupportedLayerError(f"{layer.name} is used more than once")
        parents = [outputs[p.operation.name] for p in layer._inbound_nodes[0].parent_nodes]
        added = _read_layer(layer, tuple(parents))
        nodes.update({node.name: node for node in added})
        outputs[layer.name] = added[-1].name if added else parents[0]
    if outputs[model.layers[-1].name] != next(reversed(nodes)) or len(model.inputs) != 1:
        raise UnsupportedLayerError("more than one input or output")
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
            raise UnsupportedLayerError(f"{name}: groups or dilation")
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
        raise UnsupportedLayerError(f"{name} is not a plain ReLU")
    if kind == "LeakyReLU":
        return [Node(name, "leaky_relu", inputs, {}, {"slope": float(layer.negative_slope)})]
    if kind == "Concatenate" and layer.axis in (-1, len(layer.output.shape) - 1):
        return [Node(name, "concat", inputs)]
    if kind in ("Add", "Maximum", "Flatten", "Softmax", "ReLU"):
        return [Node(name, kind.lower(), inputs)]
    if kind == "GlobalAveragePooling2D" and not layer.keepdims:
        return [Node(name, "mean", inputs)]
    raise UnsupportedLayerError(f"{name} is a {kind}")


def _activation(function: str, name: str) -> list[Node]:
    if function == "linear":
        return []
    if function in ("relu", "softmax"):
        return [Node(f"{name}/{function}", function, (name,))]
    raise UnsupportedLayerError(f"{name} has activation {function}")


def with_rgb_input(graph: Graph) -> Graph:
    """The graph of a gray model with an RGB input and the conversion to gray in front."""
    nodes: dict[str, Node] = {}
    for node in graph.nodes.values():
        if node.op == "input":
            nodes[RGB_NAME] = replace(node, name=RGB_NAME)
            node = replace(node, op="gray", inputs=(RGB_NAME,))
        nodes[node.name] = node
    return Graph(nodes, (*graph.input_shape[:2], 3))


def map_sizes(graph: Graph) -> dict[str, tuple[int, int]]:
    """Height and width of every node's map; (0, 0) once it is flat."""
    sizes: dict[str, tuple[int, int]] = {}
    for node in graph.nodes.values():
        size = sizes[node.inputs[0]] if node.inputs else (*graph.input_shape[:2],)
        a = node.attributes
        if node.op in ("flatten", "mean", "dense"):
            size = (0, 0)
        elif node.op == "reshape":
            size = a["shape"][:2] if len(a["shape"]) == 3 else (0, 0)
        elif node.op == "pad":
            size = (size[0] + 2 * a["margin"], size[1] + 2 * a["margin"])
        elif node.op in ("conv", "max_pool"):
            window = a["size"] if node.op == "max_pool" else node.weights["kernel"].shape
            if a["padding"] == "VALID":
                size = (size[0] - window[0] + 1, size[1] - window[1] + 1)
            size = (-(-size[0] // a["strides"][0]), -(-size[1] // a["strides"][1]))
        sizes[node.name] = (size[0], size[1])
    return sizes


def to_tensorflow(graph: Graph) -> Callable[[Any], Any]:
    """A function from a float32 tensor [N, H, W, C] to the output, its weights constants."""
    import tensorflow as tf

    def constant(values: np.ndarray) -> Any:
        return tf.constant(values, tf.float32)

    def run(node: Node, x: list[Any]) -> Any:
        w, a = node.weights, node.attributes
        match node.op:
            case "conv":
                y = tf.nn.conv2d(x[0], constant(w["kernel"]), a["strides"], a["padding"])
                return tf.nn.bias_add(y, constant(w["bias"]))
            case "dense":
                return tf.nn.bias_add(tf.matmul(x[0], constant(w["kernel"])), constant(w["bias"]))
            case "affine":
                y = x[0] if np.all(w["scale"] == 1) else x[0] * constant(w["scale"])
                return y + constant(w["shift"])
            case "relu":
                return tf.nn.relu(x[0])
            case "leaky_relu":
                return tf.nn.leaky_relu(x[0], a["slope"])
            case "max_pool":
                return tf.nn.max_pool2d(x[0], a["size"], a["strides"], a["padding"])
            case "add":
                return functools.reduce(tf.add, x)  # AddN has no integer form
            case "maximum":
                return functools.reduce(tf.maximum, x)
            case "gray":
                luma = np.array(LUMA).reshape(1, 1, 3, 1) / sum(LUMA)
                return tf.nn.conv2d(x[0], constant(luma), 1, "VALID")
            case "pad":
                around = [a["margin"], a["margin"]]
                return tf.pad(x[0], [[0, 0], around, around, [0, 0]])
            case "reshape":
                return tf.reshape(x[0], [-1, *a["shape"]])
            case "slice":
                return tf.slice(x[0], [0, *a["begin"]], [-1, *a["size"]])
            case "subtract":
                return tf.subtract(x[0], x[1])
            case "concat":
                return tf.concat(x, -1)
            case "round":
                low, high = min(a["low"], 0.0), max(a["high"], 0.0)
                if low == high:
                    return x[0] * 0.0
                return tf.quantization.fake_quant_with_min_max_args(x[0], low, high)
            case "flatten":
                # A constant shape: nothing is left to compute at run time, any batch fits.
                return tf.reshape(x[0], [-1, int(np.prod(x[0].shape[1:]))])
            case "mean":
                return tf.reduce_mean(x[0], [1, 2])
            case "softmax":
                return tf.nn.softmax(x[0])
        raise ValueError(f"unknown operation {node.op!r}")

    def function(image: Any) -> Any:
        values: dict[str, Any] = {}
        for node in graph.nodes.values():
            with tf.name_scope(f"{node.name}/"):  # so that TFLite tensors bear the node's name
                values[node.name] = (
                    image if node.op == "input" else run(node, [values[i] for i in node.inputs])
                )
        return values[next(reversed(graph.nodes))]

    return function
