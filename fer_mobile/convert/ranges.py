"""Activation ranges: between which values the tensors of a network lie.

They are what int8 quantization needs to know of the data, so a model shipped with its
ranges can be quantized without any.  They are keyed by the nodes of the rewritten float
graph (`a_conv1/relu`), which is where the TFLite file has tensors; a fingerprint of the
graph and its weights tells when they belong to another model.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from pathlib import Path
from typing import Any, Final, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fer_mobile.convert.graph import Graph, Node
from fer_mobile.errors import FerMobileError, ModelError
from fer_mobile.files import write_text
from fer_mobile.preprocess import normalise
from fer_mobile.quiet import quiet
from fer_mobile.runtime.interpreter import interpreter_module

RANGES_JSON: Final = "ranges.json"
"""Beside the float weights of a shipped model, or in a run folder."""

Limits = dict[str, tuple[float, float]]
"""The lowest and the highest value of each tensor, by node."""

OUTLIERS: Final = 0.01
"""Share of faces whose extreme values may lie outside a tensor's range.

A range that holds every value of every face spends its 256 steps on rare outliers; see
benchmarks/calibration.py for what this was chosen by."""

_PASSING: Final = ("max_pool", "pad", "reshape", "flatten")
"""Operations that only move values."""

_BATCH: Final = 32


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
        found = (
            error.errors()[0]["msg"].lower() if isinstance(error, ValidationError) else str(error)
        )
        raise ModelError(path, expected="activation ranges", found=found) from error
    if ranges.graph != graph:
        raise ModelError(
            path,
            expected=f"the ranges of these weights ({graph[:12]}…)",
            found=f"those of others ({ranges.graph[:12]}…)",
            todo="Delete it, or make it again from this model.",
        )
    return ranges


def write_ranges(path: Path, ranges: Ranges) -> None:
    """Write a ranges.json."""
    write_text(path, json.dumps(ranges.model_dump(), indent=1) + "\n")


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


def complete(graph: Graph, limits: Limits) -> Limits:
    """`limits` with those that follow from the graph: fixed, or handed on by an operation."""
    every = dict(limits)
    for node in graph.nodes.values():
        if is_fixed(node):
            every[node.name] = (0.0, 1.0)
        elif hands_on(node) and node.inputs[0] in every:
            every[node.name] = every[node.inputs[0]]
    return every


def has_range(graph: Graph, node: Node) -> bool:
    """Whether the file has a tensor of a node's output, with a range that depends on the data."""
    users = graph.users(node.name)
    fused = len(users) == 1 and users[0].op == "relu" and "kernel" in node.weights
    return not (is_fixed(node) or hands_on(node) or fused)


def is_fixed(node: Node) -> bool:
    """Whether a node's values are in 0-1 whatever the model: pixels and probabilities."""
    return node.op in ("input", "gray", "softmax")


def hands_on(node: Node) -> bool:
    """Whether a node's values are values of its input, so that the input's range is its own."""
    if node.op in _PASSING:
        return True
    if node.op != "conv":
        return False
    # A convolution that only lists its input, as `space_to_depth` begins with.
    kernel = node.weights["kernel"].reshape(-1, node.weights["bias"].size)
    ones = ((kernel == 0) | (kernel == 1)).all() and (kernel.sum(0) == 1).all()
    return bool(ones and not node.weights["bias"].any())


def tensor_keys(graph: Graph, tensors: list[str]) -> dict[str, str]:
    """The key in `Limits` of each named tensor of the graph's TFLite file.

    TFLite names a fused operation's result after all that went into it, each as
    ``node/operation``; the last of these nodes is the one whose values the tensor holds.
    A tensor that is none of the graph's is left out.
    """
    order = {name: position for position, name in enumerate(graph.nodes)}
    keys = {}
    for tensor in tensors:
        parts = [part.rpartition("/") for part in tensor.split(";")]
        known = [(order[node], node, operation) for node, _, operation in parts if node in order]
        if known:
            _, node, operation = max(known)
            # An affine node with a scale is two operations with a tensor each.
            keys[tensor] = f"{node}/mul" if operation.startswith("mul") else node
    return keys


def observe(model: bytes, graph: Graph, faces: np.ndarray) -> Limits:
    """The range of every tensor of a float32 TFLite file over faces uint8 [N, S, S].

    A face's lowest and highest value of a tensor are taken; the range leaves out the
    `OUTLIERS` of them on either side.
    """
    lows, highs = _extremes(model, graph, faces)
    limits = {
        key: (
            float(np.quantile(lows[key], OUTLIERS)),
            float(np.quantile(highs[key], 1 - OUTLIERS)),
        )
        for key in lows
    }
    return {
        key: values
        for key, values in limits.items()
        if key not in graph.nodes or has_range(graph, graph.nodes[key])
    }


def _extremes(
    model: bytes, graph: Graph, faces: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Each tensor's lowest and highest value, one per face."""
    with quiet(2), warnings.catch_warnings(action="ignore"):  # it advises against keeping tensors
        interpreter: Any = interpreter_module().Interpreter(
            model_content=model, experimental_preserve_all_tensors=True, num_threads=1
        )
    image = interpreter.get_input_details()[0]
    names = {tensor["name"]: tensor["index"] for tensor in interpreter.get_tensor_details()}
    written = {
        int(index)
        for operation in interpreter._get_ops_details()
        if operation["op_name"] != "DELEGATE"
        for index in operation["outputs"]
    }
    keys = tensor_keys(graph, [name for name, index in names.items() if index in written])
    if not keys:
        raise FerMobileError("no tensor of the TFLite file bears the name of a graph's node")
    found: dict[str, list[np.ndarray]] = {key: [] for key in keys.values()}
    for start in range(0, len(faces), _BATCH):
        batch = normalise(faces[start : start + _BATCH])[..., None]
        batch = np.repeat(batch, image["shape"][-1], -1)
        with quiet(2):  # the runtime writes a line when it creates its delegate
            interpreter.resize_tensor_input(image["index"], batch.shape)
            interpreter.allocate_tensors()
        interpreter.set_tensor(image["index"], batch)
        interpreter.invoke()
        for name, key in keys.items():
            values = interpreter.get_tensor(names[name]).reshape(len(batch), -1)
            found[key].append(np.stack([values.min(1), values.max(1)]))
    both = {key: np.concatenate(parts, 1) for key, parts in found.items()}
    return {k: v[0] for k, v in both.items()}, {k: v[1] for k, v in both.items()}
