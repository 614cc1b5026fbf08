"""Pass: batch normalisation disappears into its neighbours, exactly.

* After a linear layer, scale and shift go into its kernel and bias.
* After conv → ReLU, leaky or not, a scale s ≥ 0 goes into the same convolution, because
  relu(y)·s = relu(s·y); the shift stays behind as a plain addition.
* A plain addition moves down through max pooling (max(z + t) = max(z) + t), merges where
  streams are added, and ends in the bias of the next dense layer, 1×1 or unpadded
  convolution.  Before a zero-padded convolution it stays, so that the padding is still zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from fer_mobile.graph.ir import Graph, Node, Weights, map_sizes


def fold_batch_norm(graph: Graph) -> Graph:
    """An equal graph with as few affine nodes as possible (float64 arithmetic)."""
    for step in (_into_producer, _down):
        changed = True
        while changed:
            graph, changed = _first_change(graph, step)
    return graph


def _first_change(graph: Graph, step: Callable[[Graph, Node], Graph | None]) -> tuple[Graph, bool]:
    for node in graph.nodes.values():
        if node.op == "affine":
            new = step(graph, node)
            if new is not None:
                return new, True
    return graph, False


def _into_producer(graph: Graph, node: Node) -> Graph | None:
    """Scale (and shift, if no ReLU is between) into the linear layer before."""
    producer = graph.nodes[node.inputs[0]]
    scale, shift = node.weights["scale"], node.weights["shift"]
    relu = producer.op in ("relu", "leaky_relu")
    linear = graph.nodes[producer.inputs[0]] if relu else producer
    if linear.op not in ("conv", "dense") or (np.all(scale == 1) and relu):
        return None
    if any(
        len(graph.users(n.name)) != 1
        for n in {producer.name: producer, linear.name: linear}.values()
    ):
        return None
    if relu and (scale < 0).any():
        return None
    kernel, bias = linear.weights["kernel"] * scale, linear.weights["bias"] * scale
    if relu:
        rest = node.with_weights(scale=np.ones_like(scale))
        return graph.replaced(linear.with_weights(kernel=kernel, bias=bias), rest)
    return graph.replaced(
        linear.with_weights(kernel=kernel, bias=bias + shift), without=(node.name,)
    )


def _down(graph: Graph, node: Node) -> Graph | None:
    """A plain addition past its only reader, or into that reader's bias."""
    scale, shift = node.weights["scale"], node.weights["shift"]
    users = graph.users(node.name)
    if not np.all(scale == 1) or len(users) != 1 or users[0].inputs.count(node.name) != 1:
        return None
    user = users[0]
    if user.op in ("max_pool", "mean", "flatten", "add"):
        if user.op == "flatten":
            height, width = map_sizes(graph)[node.name]
            shift = np.tile(shift, max(height * width, 1))
        return _swap(graph, node, user, shift)
    if user.op == "affine":
        merged = user.with_weights(shift=user.weights["shift"] + user.weights["scale"] * shift)
        return graph.replaced(merged, without=(node.name,))
    kernel = user.weights.get("kernel")
    if kernel is None:
        return None
    if user.op == "conv" and user.attributes["padding"] != "VALID" and kernel.shape[:2] != (1, 1):
        return None
    per_output = np.tensordot(shift, kernel.sum((0, 1)) if user.op == "conv" else kernel, 1)
    moved = user.with_weights(bias=user.weights["bias"] + per_output)
    return graph.replaced(moved, without=(node.name,))


def _swap(graph: Graph, node: Node, user: Node, shift: Weights) -> Graph:
    """Move the addition `node` behind its reader `user`."""
    behind = Node(node.name, "affine", (user.name,), {"scale": np.ones_like(shift), "shift": shift})
    nodes: dict[str, Node] = {}
    for name, old in graph.nodes.items():
        if name == node.name:
            continue
        if name == user.name:
            inputs = tuple(node.inputs[0] if i == node.name else i for i in user.inputs)
            nodes[name] = replace(user, inputs=inputs)
            nodes[node.name] = behind
        else:
            inputs = tuple(node.name if i == user.name else i for i in old.inputs)
            nodes[name] = replace(old, inputs=inputs)
    return Graph(nodes, graph.input_shape)
