"""Rewrite: parallel streams that start with like convolutions share one, exactly.

Pattern: several branches read one node, and each begins conv → [ReLU] → [max pool] → 1×1
convolution, with equal kernel size, strides, padding and pooling.  The first convolutions
become one with the channels of all (a wide convolution is faster than several narrow
ones); each 1×1 convolution then reads all channels through a kernel whose rows for the
other branches are zero, which costs next to nothing.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fer_mobile.convert.graph import Graph, Node


def merge_parallel(graph: Graph) -> Graph:
    """An equal graph in which like first convolutions of parallel streams are one."""
    for node in graph.nodes.values():
        chains = [_chain(graph, user) for user in graph.users(node.name)]
        if len(chains) > 1 and all(chains) and len({_shape(chain) for chain in chains}) == 1:
            return merge_parallel(_merged(graph, chains))
    return graph


def _chain(graph: Graph, node: Node) -> list[Node]:
    """conv, [relu], [max_pool], 1×1 conv from `node` on; empty where it is not so."""
    if node.op != "conv":
        return []
    chain = [node]
    for op in ("relu", "max_pool", "conv"):
        users = graph.users(chain[-1].name)
        if len(users) != 1:
            return []
        if users[0].op == op:
            chain.append(users[0])
    pointwise = chain[-1].op == "conv" and chain[-1].weights["kernel"].shape[:2] == (1, 1)
    return chain if len(chain) > 1 and pointwise else []


def _shape(chain: list[Node]) -> tuple[object, ...]:
    """What must be equal for chains to merge."""
    parts = [(node.op, tuple(sorted(node.attributes.items()))) for node in chain[:-1]]
    return (chain[0].weights["kernel"].shape, *parts)


def _merged(graph: Graph, chains: list[list[Node]]) -> Graph:
    first = chains[0]
    wide = first[0].with_weights(
        kernel=np.concatenate([chain[0].weights["kernel"] for chain in chains], -1),
        bias=np.concatenate([chain[0].weights["bias"] for chain in chains]),
    )
    width = chains[0][0].weights["bias"].size
    readers = []
    for position, chain in enumerate(chains):
        reader = chain[-1]
        kernel = np.zeros((1, 1, width * len(chains), reader.weights["bias"].size))
        kernel[:, :, position * width : (position + 1) * width] = reader.weights["kernel"]
        readers.append(replace(reader.with_weights(kernel=kernel), inputs=(first[-2].name,)))
    changed = {node.name: node for node in (wide, *readers)}
    gone = {node.name for chain in chains[1:] for node in chain[:-1]}
    return Graph(
        {n.name: changed.get(n.name, n) for n in graph.nodes.values() if n.name not in gone},
        graph.input_shape,
    )
