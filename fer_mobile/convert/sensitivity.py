"""Which layers cost most when they are quantized to 8 bits: `fer-mobile verify --layers`.

One layer at a time is rounded as a full-integer file rounds it (weights to 8 bits per output
channel, its result to 8 bits of its range), everything else stays in float32, and the
probabilities of the golden faces are compared with those of the float graph.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from fer_mobile.arrays import Pixels, Probabilities
from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.convert.calibration import find_calibration
from fer_mobile.convert.converter import import_tensorflow
from fer_mobile.convert.observation import observe_network
from fer_mobile.errors import ModelError
from fer_mobile.golden import golden_faces
from fer_mobile.graph.ir import Graph, Node, Weights
from fer_mobile.graph.network import read_network
from fer_mobile.graph.ranges import Limits, is_pass_through, propagate_ranges
from fer_mobile.graph.to_tensorflow import to_tensorflow
from fer_mobile.metrics import mean_divergence
from fer_mobile.preprocess import normalise
from fer_mobile.types import ValueRange

ALL: Final = "all layers"
"""The name of the row in which every layer is quantized."""

_LINEAR: Final = ("conv", "dense")
_ROUNDED: Final = (*_LINEAR, "affine", "add", "softmax")
"""Operations whose result an integer file rounds to a range of its own."""


@dataclass(frozen=True, slots=True)
class LayerSensitivity:
    """What quantizing one layer changes on the golden faces."""

    layer: str
    operation: str
    weights: int
    """How many weights it has; 0 for a sum."""
    divergence: float
    """Mean Kullback-Leibler divergence of the probabilities from the float graph's, in nats."""
    largest: float
    """Largest difference of a probability."""
    labels_changed: int
    """How many of the golden faces get another label."""

    def as_dict(self) -> dict[str, Any]:
        """The row as `fer-mobile verify --layers --json` prints it."""
        return asdict(self)


def layer_sensitivities(
    model: str | Path, value_range: ValueRange | None = None
) -> list[LayerSensitivity]:
    """The cost of every layer of a model, the most costly first, and of `ALL` of them at the top.

    `model` and `value_range` are what `load_checkpoint` takes: the float weights are needed.
    Raises ModelError where there are none, UnsupportedLayerError where the model has no graph.
    """
    if Path(model).suffix == ".tflite":
        raise ModelError(
            "model",
            expected="float weights: a shipped or zoo name, a .keras file or a run folder",
            found=f"the exported file {model}",
            hint="Name the model that it was exported from.",
        )
    import_tensorflow()
    checkpoint = load_checkpoint(model, value_range=value_range)
    network = read_network(checkpoint.model)
    graph = network.require_graph()
    calibration = find_calibration(network, checkpoint.folder)
    limits = calibration.limits or observe_network(network, calibration.faces)
    return graph_sensitivities(graph, propagate_ranges(graph, limits), golden_faces(network.size))


def graph_sensitivities(graph: Graph, limits: Limits, faces: Pixels) -> list[LayerSensitivity]:
    """`layer_sensitivities` of a graph, with the ranges of its nodes, on faces uint8 [N, S, S]."""
    images = normalise(faces)[..., None]

    def predict(changed: Graph) -> Probabilities:
        return np.asarray(to_tensorflow(changed)(images))

    expected = predict(graph)
    layers = [n for n in graph.nodes.values() if n.op in _ROUNDED and not is_pass_through(n)]
    rows = [_cost(expected, predict, graph, limits, [node]) for node in layers]
    rows.sort(key=lambda row: row.divergence, reverse=True)
    return [_cost(expected, predict, graph, limits, layers), *rows]


def _cost(
    expected: Probabilities,
    predict: Callable[[Graph], Probabilities],
    graph: Graph,
    limits: Limits,
    layers: list[Node],
) -> LayerSensitivity:
    rounded = predict(quantized(graph, limits, *layers))
    single = len(layers) == 1
    return LayerSensitivity(
        layers[0].name if single else ALL,
        layers[0].op if single else "",
        sum(
            values.size for node in layers if node.op in _LINEAR for values in node.weights.values()
        ),
        mean_divergence(expected, rounded),
        float(np.abs(rounded - expected).max()),
        int((rounded.argmax(1) != expected.argmax(1)).sum()),
    )


def quantized(graph: Graph, limits: Limits, *layers: Node) -> Graph:
    """The graph with the weights and the results of some of its nodes rounded to 8 bits."""
    nodes: dict[str, Node] = {}
    rounded: dict[str, str] = {}
    # The ReLU of a layer is part of it.
    ends = {}
    for layer in layers:
        users = graph.users(layer.name)
        fused = len(users) == 1 and users[0].op == "relu" and layer.op != "softmax"
        ends[users[0].name if fused else layer.name] = layer
    chosen = {layer.name for layer in layers}
    for node in graph.nodes.values():
        new = replace(node, inputs=tuple(rounded.get(name, name) for name in node.inputs))
        if node.name in chosen and node.op in _LINEAR:
            new = new.with_weights(kernel=round_kernel(node.weights["kernel"]))
        nodes[node.name] = new
        if node.name in ends:
            low, high = limits[node.name]
            name = f"{node.name}/rounded"
            nodes[name] = Node(name, "round", (node.name,), {}, {"low": low, "high": high})
            rounded[node.name] = name
    return Graph(nodes, graph.input_shape)


def round_kernel(kernel: Weights) -> Weights:
    """A kernel [..., C] on 255 levels around zero per output channel, as int8 files hold it."""
    largest = np.abs(kernel).max(tuple(range(kernel.ndim - 1)))
    scale = np.where(largest > 0, largest / 127, 1)
    return np.asarray(np.round(kernel / scale) * scale)
