"""Pass: first convolutions with few input channels read rows of pixels as channels.

Pattern: input (or its gray) → k×k convolution (odd k, stride 1, 'same', at most 4 channels,
an even width) → [ReLU].  Vector units are starved by a single input channel.  A convolution
that only copies (its kernel is one-hot, its stride 2 along the width) lists the k + 1 pixels
around every other place of a row as channels: space to depth along the width, with overlap.
On them, a k×1 convolution gives the results of two neighbouring places as two sets of
channels.  In memory that is the plain convolution's map already; only the shape is stated
anew.  Every product and sum is the same as before.

Streams that begin on the same image share the rows and stay apart otherwise: one wide
convolution for all of them makes each of their readers pass over all channels.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from fer_mobile.graph.ir import Graph, Node, Weights

MOST_CHANNELS: Final = 4
"""Above this the plain convolution keeps the vector units busy."""


def space_to_depth(graph: Graph) -> Graph:
    """An equal graph whose first convolutions read rows as channels, where they fit."""
    for node in graph.nodes.values():
        if _fits(graph, node):
            return space_to_depth(_rewritten(graph, node))
    return graph


def _fits(graph: Graph, node: Node) -> bool:
    if node.op != "conv" or graph.nodes[node.inputs[0]].op not in ("input", "gray"):
        return False
    height, width, channels, _ = node.weights["kernel"].shape
    return (
        height == width
        and height % 2 == 1 < height
        and channels <= MOST_CHANNELS
        and node.attributes == {"strides": (1, 1), "padding": "SAME"}
        and graph.input_shape[1] % 2 == 0
    )


def _rewritten(graph: Graph, conv: Node) -> Graph:
    side, _, channels, filters = conv.weights["kernel"].shape
    image, users = conv.inputs[0], graph.users(conv.name)
    # The shape is stated behind the ReLU, so that the converter still fuses it.
    last = users[0] if len(users) == 1 and users[0].op == "relu" else conv
    pad, rows = f"{image}/pad{side}", f"{image}/rows{side}"
    map_ = f"{conv.name}/map"
    changed = {
        pad: Node(pad, "pad", (image,), {}, {"margin": side // 2}),
        rows: Node(
            rows,
            "conv",
            (pad,),
            {"kernel": _one_hot(side + 1, channels), "bias": np.zeros((side + 1) * channels)},
            {"strides": (1, 2), "padding": "VALID"},
        ),
        conv.name: replace(
            conv.with_weights(
                kernel=_two_places(conv.weights["kernel"]),
                bias=np.tile(conv.weights["bias"], 2),
            ),
            inputs=(rows,),
            attributes={"strides": (1, 1), "padding": "VALID"},
        ),
    }
    shape = Node(map_, "reshape", (last.name,), {}, {"shape": (*graph.input_shape[:2], filters)})
    nodes: dict[str, Node] = {}
    for node in graph.nodes.values():
        if node.name == conv.name:
            nodes.update(changed)
        elif node.name == last.name:
            nodes[node.name] = node
        else:
            inputs = tuple(map_ if name == last.name else name for name in node.inputs)
            nodes[node.name] = replace(node, inputs=inputs)
        if node.name == last.name:
            nodes[map_] = shape
    return Graph(nodes, graph.input_shape)


def _one_hot(width: int, channels: int) -> Weights:
    """A kernel [1, width, c, width · c] that lists the pixels of its window as channels."""
    return np.eye(width * channels).reshape(1, width, channels, width * channels)


def _two_places(kernel: Weights) -> Weights:
    """The kernel [k, k, c, n] at two neighbouring places, on listed rows: [k, 1, (k+1)c, 2n]."""
    side, _, channels, filters = kernel.shape
    both = np.zeros((side, side + 1, channels, 2, filters))
    both[:, :side, :, 0] = kernel
    both[:, 1:, :, 1] = kernel
    return both.reshape(side, 1, (side + 1) * channels, 2 * filters)
