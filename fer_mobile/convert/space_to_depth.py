"""Rewrite: a first convolution with few input channels, and its pooling, on 2×2 pixel blocks.

Pattern: input (or its gray) → k×k convolution (odd k, stride 1, 'same', at most 4
channels) → [ReLU] → 2×2 max pooling.  Vector units are starved by a single input channel.
Laid out as blocks of 2×2 pixels (space to depth) the image has four times the channels and
a quarter of the places; the four results that each pooling window compares become four
sets of channels of one convolution, side by side, and the pooling takes the largest of
them.  Every product and sum is the same as before.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from fer_mobile.convert.graph import Graph, Node

MOST_CHANNELS: Final = 4
"""Above this the plain convolution keeps the vector units busy."""


def space_to_depth(graph: Graph) -> Graph:
    """An equal graph whose first convolution and pooling work on 2×2 blocks, if it has them."""
    for node in graph.nodes.values():
        if node.op == "conv" and graph.nodes[node.inputs[0]].op in ("input", "gray"):
            chain = _chain(graph, node)
            if chain:
                return _rewritten(graph, chain)
    return graph


def _chain(graph: Graph, conv: Node) -> list[Node]:
    """conv, [relu], max_pool; empty where the pattern is another."""
    kernel = conv.weights["kernel"]
    height, width = graph.input_shape[:2]
    fits = (
        kernel.shape[0] == kernel.shape[1]
        and kernel.shape[0] % 2 == 1
        and conv.attributes == {"strides": (1, 1), "padding": "SAME"}
        and kernel.shape[2] <= MOST_CHANNELS
        and height % 2 == width % 2 == 0
    )
    chain = [conv]
    for op in ("relu", "max_pool"):
        users = graph.users(chain[-1].name)
        if len(users) == 1 and users[0].op == op:
            chain.append(users[0])
    window = {"size": (2, 2), "strides": (2, 2)}
    pooled = chain[-1].op == "max_pool" and window.items() <= chain[-1].attributes.items()
    return chain if fits and pooled else []


def _rewritten(graph: Graph, chain: list[Node]) -> Graph:
    conv, pool = chain[0], chain[-1]
    kernel, bias = conv.weights["kernel"], conv.weights["bias"]
    side, _, channels, filters = kernel.shape
    height, width = graph.input_shape[0] // 2, graph.input_shape[1] // 2
    margin = side // 2
    name = conv.name
    new = [
        Node(f"{name}/pad", "pad", conv.inputs, {}, {"margin": margin}),
        Node(
            f"{name}/blocks",
            "conv",
            (f"{name}/pad",),
            {"kernel": _one_hot(channels), "bias": np.zeros(4 * channels)},
            {"strides": (2, 2), "padding": "VALID"},
        ),
        replace(
            conv.with_weights(kernel=_phases(kernel), bias=np.tile(bias, 4)),
            inputs=(f"{name}/blocks",),
            attributes={"strides": (1, 1), "padding": "VALID"},
        ),
        *chain[1:-1],
        # The four candidates of a pooling window side by side along the width.
        Node(
            f"{name}/candidates",
            "reshape",
            (chain[-2].name,),
            {},
            {"shape": (height, 4 * width, filters)},
        ),
        replace(
            pool,
            inputs=(f"{name}/candidates",),
            attributes={"size": (1, 4), "strides": (1, 4), "padding": "VALID"},
        ),
    ]
    nodes: dict[str, Node] = {}
    replaced = {node.name for node in chain}
    for old in graph.nodes.values():
        if old.name == conv.name:
            nodes.update({node.name: node for node in new})
        elif old.name not in replaced:
            nodes[old.name] = old
    return Graph(nodes, graph.input_shape)


def _one_hot(channels: int) -> np.ndarray:
    """A 2×2 kernel of stride 2 that lists the pixels of each block as channels."""
    return np.eye(4 * channels).reshape(2, 2, channels, 4 * channels)


def _phases(kernel: np.ndarray) -> np.ndarray:
    """The kernel at the four positions of a pooling window, on blocks: [b, b, 4 c, 4 n]."""
    side, _, channels, filters = kernel.shape
    blocks = (side + 1) // 2
    phases = []
    for down in (0, 1):
        for right in (0, 1):
            wide = np.zeros((2 * blocks, 2 * blocks, channels, filters))
            wide[down : down + side, right : right + side] = kernel
            split = wide.reshape(blocks, 2, blocks, 2, channels, filters)
            phases.append(
                split.transpose(0, 2, 1, 3, 4, 5).reshape(blocks, blocks, 4 * channels, filters)
            )
    return np.concatenate(phases, -1)
