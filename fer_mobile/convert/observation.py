"""Between which values the tensors of a float32 TFLite file lie, observed over faces."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_mobile.arrays import Pixels
from fer_mobile.convert.converter import to_tflite
from fer_mobile.errors import FerMobileError
from fer_mobile.graph.ir import Graph
from fer_mobile.graph.network import Network
from fer_mobile.graph.ranges import Limits, has_range
from fer_mobile.preprocess import normalise
from fer_mobile.runtime.interpreter import load_interpreter
from fer_mobile.runtime.tflite_model import TfliteModel

OUTLIERS: Final = 0.01
"""Share of faces whose extreme values may lie outside a tensor's range.

A range that holds every value of every face spends its 256 steps on rare outliers; see
benchmarks/calibration.py for what this was chosen by."""

_BATCH: Final = 32

Extremes = NDArray[np.float32]
"""Of a tensor, one for each face."""


def tensor_keys(graph: Graph, tensors: list[str]) -> dict[str, str]:
    """The key in `Limits` of each named tensor of the graph's TFLite file.

    TFLite names a fused operation's result after all that went into it, each as
    ``node/operation``; the last of these nodes is the one whose values the tensor holds.
    A tensor that is none of the graph's is left out.
    """
    order = {name: position for position, name in enumerate(graph.nodes)}
    keys = {}
    for tensor in tensors:
        parts = [part.rpartition("/") for part in tensor.split(";")]
        known = [(order[node], node, operation) for node, _, operation in parts if node in order]
        if known:
            _, node, operation = max(known)
            # An affine node with a scale is two operations with a tensor each.
            keys[tensor] = f"{node}/mul" if operation.startswith("mul") else node
    return keys


def observe_network(network: Network, faces: Pixels) -> Limits:
    """The range of every tensor of a network's float32 file over faces uint8 [N, S, S].

    Raises UnsupportedLayerError for a network without a graph.
    """
    graph = network.require_graph()
    return observe(to_tflite(network, "float32", raw_rgb=False), graph, faces)


def observe(model: bytes, graph: Graph, faces: Pixels) -> Limits:
    """The range of every tensor of a float32 TFLite file over faces uint8 [N, S, S].

    A face's lowest and highest value of a tensor are taken; the range leaves out the
    `OUTLIERS` of them on either side.
    """
    lows, highs = _extremes(model, graph, faces)
    limits = {
        key: (
            float(np.quantile(lows[key], OUTLIERS)),
            float(np.quantile(highs[key], 1 - OUTLIERS)),
        )
        for key in lows
    }
    return {
        key: values
        for key, values in limits.items()
        if key not in graph.nodes or has_range(graph, graph.nodes[key])
    }


def _extremes(
    model: bytes, graph: Graph, faces: Pixels
) -> tuple[dict[str, Extremes], dict[str, Extremes]]:
    """Each tensor's lowest and highest value, one per face."""
    interpreter = load_interpreter(model, preserve_all_tensors=True)
    file = TfliteModel(model)
    image = file.inputs[0]
    indices = {tensor.name: tensor.index for tensor in file.computed()}
    keys = tensor_keys(graph, list(indices))
    if not keys:
        raise FerMobileError("no tensor of the TFLite file bears the name of a graph's node")
    extremes: dict[str, list[Extremes]] = {key: [] for key in keys.values()}
    for start in range(0, len(faces), _BATCH):
        batch = normalise(faces[start : start + _BATCH])[..., None]
        batch = np.repeat(batch, image.shape[-1], -1)
        interpreter.resize_tensor_input(image.index, batch.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(image.index, batch)
        interpreter.invoke()
        for name, key in keys.items():
            values = interpreter.get_tensor(indices[name]).reshape(len(batch), -1)
            extremes[key].append(np.stack([values.min(1), values.max(1)]))
    both = {key: np.concatenate(parts, 1) for key, parts in extremes.items()}
    return {k: v[0] for k, v in both.items()}, {k: v[1] for k, v in both.items()}
