"""A graph as a TensorFlow function, which TFLite's converter takes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from fer_mobile.graph.ir import Graph, Node, Weights
from fer_mobile.preprocess import LUMA


def to_tensorflow(graph: Graph) -> Callable[[Any], Any]:
    """A function from a float32 tensor [N, H, W, C] to the output, its weights constants."""
    import tensorflow as tf

    def constant(values: Weights) -> Any:
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
