"""Pass: a map that is given several times is read once.

Pattern: the same tensor n times in one concatenation → convolutions.  A network made for
color sees a gray face as red, green and blue.  A convolution is a sum over its input
channels, so that one over copies of a map is one over the map itself, its kernel the sum of
the copies' kernels: an n-th of the products, and `space_to_depth` finds its first convolution.
"""

from __future__ import annotations

import numpy as np

from fer_mobile.graph.ir import Graph, Node


def merge_repeated_channels(graph: Graph) -> Graph:
    """An equal graph without concatenations of copies before convolutions."""
    for node in graph.nodes.values():
        users = graph.users(node.name)
        copies = node.op == "concat" and len(set(node.inputs)) == 1
        if copies and users and all(user.op == "conv" for user in users):
            read_once = [_summed(user, len(node.inputs)) for user in users]
            return merge_repeated_channels(graph.replaced(*read_once, without=(node.name,)))
    return graph


def _summed(conv: Node, copies: int) -> Node:
    kernel = conv.weights["kernel"]
    height, width, channels, filters = kernel.shape
    each = kernel.reshape(height, width, copies, channels // copies, filters)
    return conv.with_weights(kernel=np.sum(each, 2))
