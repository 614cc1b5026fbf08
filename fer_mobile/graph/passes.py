"""Which rewrites a graph goes through before it is converted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

from fer_mobile.graph.fold_batch_norm import fold_batch_norm
from fer_mobile.graph.from_keras import from_keras
from fer_mobile.graph.ir import Graph
from fer_mobile.graph.merge_repeated_channels import merge_repeated_channels
from fer_mobile.graph.rgb_input import with_rgb_input
from fer_mobile.graph.space_to_depth import space_to_depth

Color = Literal["gray", "rgb"]
COLORS: Final[tuple[Color, ...]] = ("gray", "rgb")
"""What a model's input holds."""

REWRITES: Final[tuple[Callable[[Graph], Graph], ...]] = (
    merge_repeated_channels,
    fold_batch_norm,
    space_to_depth,
)
"""Exact changes to the graph that make it faster, in the order in which they are applied.

`winograd` is one more, for float32 files only: see there.
"""


def inference_graph(model: Any, *, rewrite: bool = True, color: Color = "gray") -> Graph:
    """The graph that is converted; UnsupportedLayerError for a model that is frozen instead."""
    graph = from_keras(model)
    if color == "rgb":
        graph = with_rgb_input(graph)
    for change in REWRITES if rewrite else ():
        graph = change(graph)
    return graph
