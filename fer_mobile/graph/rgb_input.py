"""Pass: a gray model takes RGB, the conversion to gray in front of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fer_mobile.graph.ir import Graph, Node

RGB_NAME: Final = "rgb"
"""The input's name in a graph made by `with_rgb_input`."""


def with_rgb_input(graph: Graph) -> Graph:
    """The graph of a gray model with an RGB input and the conversion to gray in front."""
    nodes: dict[str, Node] = {}
    for node in graph.nodes.values():
        if node.op == "input":
            nodes[RGB_NAME] = replace(node, name=RGB_NAME)
            node = replace(node, op="gray", inputs=(RGB_NAME,))
        nodes[node.name] = node
    return Graph(nodes, (*graph.input_shape[:2], 3))
