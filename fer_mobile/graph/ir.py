"""A network as plain data: what graph passes work on.

A handful of operations with float64 weights.  A batch normalisation is what it is at
inference: a scale and a shift per channel (`affine`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Node:
    """One operation.

    `op` and its `weights`: ``input``; ``conv`` and ``dense`` (kernel, bias); ``affine``
    (scale, shift); ``relu``; ``leaky_relu`` (its ``slope`` below zero); ``max_pool``; ``add``;
    ``maximum``; ``concat`` (of channels); ``flatten``; ``mean`` (over places); ``softmax``;
    and, made by passes only, ``gray`` (BT.601 luma of RGB), ``pad`` (zeros around the map),
    ``reshape`` (the batch stays), ``slice``, ``subtract`` and ``round`` (to 256 levels between
    ``low`` and ``high``).
    """

    name: str
    op: str
    inputs: tuple[str, ...] = ()
    weights: dict[str, Weights] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)

    def with_weights(self, **weights: Weights) -> Node:
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
