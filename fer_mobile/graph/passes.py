"""The passes that a graph goes through before it is converted, in their order."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from fer_mobile.graph.fold_batch_norm import fold_batch_norm
from fer_mobile.graph.from_keras import from_keras
from fer_mobile.graph.ir import Graph
from fer_mobile.graph.merge_repeated_channels import merge_repeated_channels
from fer_mobile.graph.rgb_input import with_rgb_input
from fer_mobile.graph.space_to_depth import space_to_depth
from fer_mobile.types import Color

if TYPE_CHECKING:
    import keras

PASSES: Final[tuple[Callable[[Graph], Graph], ...]] = (
    merge_repeated_channels,
    fold_batch_norm,
    space_to_depth,
)
"""Exact changes to the graph that make it faster.

`winograd` is one more, for float32 files only: see there.
"""


def rewrite_graph(graph: Graph, color: Color = "gray", *, rewrite: bool = True) -> Graph:
    """The graph with an input of that color, and gone through the `PASSES` unless told not to."""
    if color == "rgb":
        graph = with_rgb_input(graph)
    for apply in PASSES if rewrite else ():
        graph = apply(graph)
    return graph


def inference_graph(model: keras.Model) -> Graph:
    """The rewritten graph of a Keras model; UnsupportedLayerError where it has none."""
    return rewrite_graph(from_keras(model))
