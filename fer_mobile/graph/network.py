"""A Keras model with its graph, read and rewritten once for all that an export does with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fer_mobile.errors import UnsupportedLayerError
from fer_mobile.graph.from_keras import from_keras
from fer_mobile.graph.ir import Graph
from fer_mobile.graph.passes import rewrite_graph
from fer_mobile.types import Color

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, slots=True)
class Network:
    """What is converted."""

    model: keras.Model
    color: Color
    """What the input of the converted file holds."""
    rewrite: bool
    """Whether `graph` went through the passes."""
    plain: Graph | None
    """The graph as the model has it; None where it has layers without a graph operation."""
    graph: Graph | None
    """The graph that is converted; None where Keras's own is converted instead."""
    obstacle: UnsupportedLayerError | None = None
    """Why there is no graph."""

    @property
    def size(self) -> int:
        """Height and width of the input in pixels."""
        return int(self.model.input_shape[1])

    def require_graph(self) -> Graph:
        """The graph that is converted; UnsupportedLayerError where there is none."""
        if self.graph is None:
            raise self.obstacle or UnsupportedLayerError(
                f"model {self.model.name!r}", expected="a graph", found="none"
            )
        return self.graph


def read_network(model: keras.Model, *, color: Color = "gray", rewrite: bool = True) -> Network:
    """A Keras model of one gray input, with its graph where all of its layers have one."""
    try:
        plain = from_keras(model)
    except UnsupportedLayerError as error:
        return Network(model, color, rewrite, None, None, error)
    return Network(model, color, rewrite, plain, rewrite_graph(plain, color, rewrite=rewrite))
