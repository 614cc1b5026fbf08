"""Activation ranges: between which values the tensors of a network lie.

They are what int8 quantization needs to know of the data, so a model shipped with its
ranges can be quantized without any.  They are keyed by the nodes of the rewritten float
graph (`a_conv1/relu`), which is where the TFLite file has tensors; a fingerprint of the
graph and its weights tells when they belong to another model.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fer_mobile.errors import ModelError
from fer_mobile.files import write_text
from fer_mobile.graph.from_keras import from_keras
from fer_mobile.graph.ir import Graph, Node
from fer_mobile.graph.passes import inference_graph

RANGES_JSON: Final = "ranges.json"
"""Beside the float weights of a shipped model, or in a run folder."""

Limits = dict[str, tuple[float, float]]
"""The lowest and the highest value of each tensor, by node."""

_PASSING: Final = ("max_pool", "pad", "reshape", "flatten")
"""Operations that only move values."""


class Ranges(BaseModel):
    """The content of ranges.json."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    format: Literal["fer-mobile/ranges"] = "fer-mobile/ranges"
    format_version: Literal[1] = 1
    origin: str = Field(description="What the ranges were taken from, in words.")
    graph: str = Field(description="`fingerprint` of the model they belong to.")
    limits: Limits

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if any(low > high for low, high in self.limits.values()):
            raise ValueError("a lower limit above its upper one")
        return self


def read_ranges(path: Path, graph: str) -> Ranges:
    """Read a ranges.json; ModelError when it is damaged or of another model than `graph`."""
    try:
        ranges = Ranges.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        if isinstance(error, ValidationError):
            reason = error.errors()[0]["msg"].lower()
        else:
            reason = str(error)
        raise ModelError(path, expected="activation ranges", found=reason) from error
    if ranges.graph != graph:
        raise ModelError(
            path,
            expected=f"the ranges of these weights ({graph[:12]}…)",
            found=f"those of others ({ranges.graph[:12]}…)",
            hint="Delete it and resume the training run, which makes it again.",
        )
    return ranges


def write_ranges(path: Path, ranges: Ranges) -> None:
    """Write a ranges.json."""
    write_text(path, json.dumps(ranges.model_dump(), indent=1) + "\n")


def make_ranges(folder: Path, keras_model: Any, *, limits: Limits, origin: str) -> None:
    """Write `limits` as the ranges.json of the model in `folder`.

    Raises ModelError where some are no finite numbers, as of a training that went wrong.
    """
    try:
        ranges = Ranges(origin=origin, graph=model_fingerprint(keras_model), limits=limits)
    except ValidationError as error:
        name = ".".join(map(str, error.errors()[0]["loc"][1:2]))
        raise ModelError(
            f"activations of {name}", expected="a finite range", found=str(limits.get(name))
        ) from error
    write_ranges(folder / RANGES_JSON, ranges)


def model_fingerprint(keras_model: Any) -> str:
    """`fingerprint` of a Keras model; UnsupportedLayerError where it has no graph."""
    return fingerprint(from_keras(keras_model), inference_graph(keras_model))


def fingerprint(graph: Graph, rewritten: Graph) -> str:
    """SHA-256, hex, of a model's weights and of which tensors of its file have ranges.

    The weights are those of `graph`, as read from Keras: float32 and the same on every
    machine, which sums in a rewrite need not be.
    """
    digest = hashlib.sha256()
    for node in graph.nodes.values():
        structure = (node.name, node.op, node.inputs, sorted(node.attributes.items()))
        digest.update(repr(structure).encode())
        for name, values in sorted(node.weights.items()):
            digest.update(name.encode() + values.astype("<f4").tobytes())
    ranged = sorted(n.name for n in rewritten.nodes.values() if has_range(rewritten, n))
    digest.update(repr(ranged).encode())
    return digest.hexdigest()


def propagate_ranges(graph: Graph, limits: Limits) -> Limits:
    """`limits` with those that follow from the graph: fixed, or handed on by an operation."""
    every = dict(limits)
    for node in graph.nodes.values():
        if is_fixed(node):
            every[node.name] = (0.0, 1.0)
        elif is_pass_through(node) and node.inputs[0] in every:
            every[node.name] = every[node.inputs[0]]
    return every


def has_range(graph: Graph, node: Node) -> bool:
    """Whether the file has a tensor of a node's output, with a range that depends on the data."""
    users = graph.users(node.name)
    fused = len(users) == 1 and users[0].op == "relu" and "kernel" in node.weights
    return not (is_fixed(node) or is_pass_through(node) or fused)


def is_fixed(node: Node) -> bool:
    """Whether a node's values are in 0-1 whatever the model: pixels and probabilities."""
    return node.op in ("input", "gray", "softmax")


def is_pass_through(node: Node) -> bool:
    """Whether a node's values are values of its input, so that the input's range is its own."""
    if node.op in _PASSING:
        return True
    if node.op != "conv":
        return False
    # A convolution that only lists its input, as `space_to_depth` begins with.
    kernel = node.weights["kernel"].reshape(-1, node.weights["bias"].size)
    ones = ((kernel == 0) | (kernel == 1)).all() and (kernel.sum(0) == 1).all()
    return bool(ones and not node.weights["bias"].any())
