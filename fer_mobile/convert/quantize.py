"""A float32 TFLite file as a full-integer one, by ai-edge-quantizer, from activation ranges."""

from __future__ import annotations

import importlib.util
import inspect
import warnings
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_mobile.convert.observation import tensor_keys
from fer_mobile.errors import FerMobileError, MissingPackageError
from fer_mobile.graph.ir import Graph
from fer_mobile.graph.ranges import Limits, propagate_ranges
from fer_mobile.quiet import quiet
from fer_mobile.runtime.flatbuffer import pack_model, unpack_model
from fer_mobile.runtime.tflite_model import TfliteModel
from fer_mobile.types import TensorType

PACKAGE: Final = "ai-edge-quantizer"

Values = NDArray[np.float32]


def quantizer_installed() -> bool:
    """Whether `to_integer` can work."""
    return importlib.util.find_spec("ai_edge_quantizer") is not None


def quantizer_knows(graph: Graph) -> bool:
    """Whether `to_integer` leaves no operation in float: ai-edge-quantizer has no leaky ReLU."""
    return all(node.op != "leaky_relu" for node in graph.nodes.values())


def to_integer(model: bytes, graph: Graph, limits: Limits, *, io: TensorType = "int8") -> bytes:
    """Quantize a float32 TFLite file of `graph`: int8 weights (per channel) and activations.

    `io` is the type of the input and the output: int8, uint8 or float32.  Equal arguments
    give equal bytes.  Raises MissingPackageError without ai-edge-quantizer.
    """
    try:
        with quiet():
            from ai_edge_quantizer import quantizer, recipe
            from ai_edge_quantizer.qtyping import TFLOperationName
    except ImportError as error:
        raise MissingPackageError("ranges for int8", package=PACKAGE, extra="export") from error
    with quiet(), warnings.catch_warnings(action="ignore"):
        work = quantizer.Quantizer(bytearray(model), recipe.static_wi8_ai8())
        if io != "int8":
            for end in (TFLOperationName.INPUT, TFLOperationName.OUTPUT):
                work.update_quantization_recipe(
                    ".*", end, algorithm_key=quantizer.AlgorithmName.NO_QUANTIZE
                )
        # Its report, which early versions do not have, would cost time and be muted.
        report = "enable_progress_report" in inspect.signature(work.quantize).parameters
        options = {"enable_progress_report": False} if report else {}
        done = work.quantize(_statistics(model, graph, limits), **options)
    integer = _in_one_piece(done.quantized_model)
    return _bytes_at_ends(integer) if io == "uint8" else integer


def tensors_without_range(file: TfliteModel, graph: Graph, limits: Limits) -> list[str]:
    """The tensors that a float32 file of `graph` computes and whose range `limits` do not give."""
    keys, every = _keys(file, graph), propagate_ranges(graph, limits)
    return sorted({t.name for t in file.computed() if keys.get(t.name) not in every})


def _keys(file: TfliteModel, graph: Graph) -> dict[str, str]:
    """The key in `Limits` of each tensor of a graph's float32 file."""
    return tensor_keys(graph, [tensor.name for tensor in file.tensors]) | {
        file.inputs[0].name: next(iter(graph.nodes)),
        file.outputs[0].name: next(reversed(graph.nodes)),
    }


def _statistics(model: bytes, graph: Graph, limits: Limits) -> dict[str, dict[str, Values]]:
    """The ranges as the quantizer's calibration result: by tensor, each of the tensor's rank."""
    file = TfliteModel(model)
    missing = tensors_without_range(file, graph, limits)
    if missing:
        raise FerMobileError(f"no activation range is known of the tensor {missing[0]!r}")
    keys, every = _keys(file, graph), propagate_ranges(graph, limits)
    ranks = {tensor.name: len(tensor.shape) for tensor in file.tensors}
    ends = [file.inputs[0].name, file.outputs[0].name]
    inner = sorted({tensor.name for tensor in file.computed()} - set(ends))
    return {
        name: {
            end: np.full((1,) * ranks[name], limit, np.float32)
            for end, limit in zip(("min", "max"), every[keys[name]], strict=True)
        }
        for name in (*ends, *inner)
    }


def _in_one_piece(model: bytes) -> bytes:
    """A model whose weights lie in the flatbuffer.

    The quantizer writes them behind it, which older runtimes and most tools do not follow.
    """
    graph = unpack_model(model)
    for buffer in graph.buffers:
        if buffer.offset:
            buffer.data = np.frombuffer(model, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0
    return pack_model(graph)


def _bytes_at_ends(model: bytes) -> bytes:
    """A model with float32 input and output as one with uint8, converted in the graph."""
    with quiet():
        import tensorflow as tf
        from tensorflow.lite.python.util import modify_model_io_type

        return bytes(modify_model_io_type(model, tf.uint8, tf.uint8))
