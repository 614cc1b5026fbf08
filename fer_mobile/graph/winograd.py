"""Pass: 3×3 convolutions by Winograd's minimal filtering along the width, F(2, 3).

Pattern: 3×3 convolution (stride 1, 'same', an even width, at least 16 channels) → [ReLU].
Two neighbouring results of a 3-tap filter need four products where the plain sum needs
six: with d0…d3 the four columns that they read,

    m0 = (d0 - d2) g0                y0 = m0 + m1 + m2
    m1 = (d1 + d2) (g0 + g1 + g2)/2  y1 = m1 - m2 + m3
    m2 = (d2 - d1) (g0 - g1 + g2)/2
    m3 = (d3 - d1) g2

and each product is here a 3×1 convolution over all channels.  A third of the arithmetic
goes for four cheap sums, where the processor, not the memory, sets the pace.  The sums
round a little differently than before (some 1e-6 of the largest value), and the kernel
grows by a third.

For float32 only: in 8 bits, d1 + d2 and the mixed kernels would cost a bit of precision.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from fer_mobile.graph.ir import Graph, Node, map_sizes

FEWEST_CHANNELS: Final = 16
"""Below this the sums cost more than the products that they save."""


def winograd(graph: Graph) -> Graph:
    """An equal graph whose 3×3 convolutions, where they fit, need a third fewer products."""
    sizes = map_sizes(graph)
    nodes: dict[str, Node] = {}
    result: dict[str, str] = {}
    """The node that holds the map of a replaced convolution, or of its ReLU."""
    for old in graph.nodes.values():
        node = replace(old, inputs=tuple(result.get(name, name) for name in old.inputs))
        if _fits(node, sizes[node.name]):
            users = graph.users(node.name)
            relu = users[0].name if len(users) == 1 and users[0].op == "relu" else None
            made = _minimal(node, sizes[node.name], relu=relu is not None)
            nodes.update({new.name: new for new in made})
            result[relu or node.name] = made[-1].name
        elif node.name not in result:
            nodes[node.name] = node
    return Graph(nodes, graph.input_shape)


def _fits(node: Node, size: tuple[int, int]) -> bool:
    return (
        node.op == "conv"
        and node.weights["kernel"].shape[:2] == (3, 3)
        and node.weights["kernel"].shape[2] >= FEWEST_CHANNELS
        and node.attributes == {"strides": (1, 1), "padding": "SAME"}
        and size[1] % 2 == 0
    )


def _minimal(conv: Node, size: tuple[int, int], *, relu: bool) -> list[Node]:
    """Nodes that compute `conv` (and a ReLU); the last one holds its map."""
    (height, width), kernel, bias = size, conv.weights["kernel"], conv.weights["bias"]
    name, zero = conv.name, np.zeros_like(bias)
    channels, filters = kernel.shape[2:]
    first, middle, last = kernel[:, 0], kernel[:, 1], kernel[:, 2]
    kernels = (first, (first + middle + last) / 2, (first - middle + last) / 2, last)
    # The bias belongs to both results, and so does the second product.
    biases = (zero, bias, zero, zero)

    def node(part: str, op: str, *inputs: str, **attributes: object) -> Node:
        return Node(f"{name}/{part}", op, tuple(f"{name}/{i}" for i in inputs), {}, attributes)

    columns = (height + 2, width // 2, channels)
    nodes = [
        Node(f"{name}/pad", "pad", conv.inputs, {}, {"margin": 1}),
        # Pairs of columns as channels: in memory the same map.
        node("pairs", "reshape", "pad", shape=(height + 2, width // 2 + 1, 2 * channels)),
        *(
            node(f"d{i}", "slice", "pairs", begin=(0, i // 2, i % 2 * channels), size=columns)
            for i in range(4)
        ),
        node("t0", "subtract", "d0", "d2"),
        node("t1", "add", "d1", "d2"),
        node("t2", "subtract", "d2", "d1"),
        node("t3", "subtract", "d3", "d1"),
    ]
    for i, (taps, own) in enumerate(zip(kernels, biases, strict=True)):
        product = node(f"m{i}", "conv", f"t{i}", strides=(1, 1), padding="VALID")
        nodes.append(product.with_weights(kernel=taps[:, None], bias=own))
    nodes += [
        node("s0", "add", "m0", "m1"),
        node("s1", "subtract", "m1", "m2"),
        node("y0", "add", "s0", "m2"),
        node("y1", "add", "s1", "m3"),
    ]
    results = ["y0", "y1"]
    if relu:
        nodes += [node(f"{y}/relu", "relu", y) for y in results]
        results = [f"{y}/relu" for y in results]
    return [
        *nodes,
        node("both", "concat", *results),
        node("map", "reshape", "both", shape=(height, width, filters)),
    ]
