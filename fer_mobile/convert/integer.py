"""A float32 TFLite file as a full-integer one, by ai-edge-quantizer, from activation ranges."""

from __future__ import annotations

import importlib.util
import inspect
import warnings
from typing import Final

import numpy as np

from fer_mobile.convert.observation import tensor_keys
from fer_mobile.errors import FerMobileError, MissingPackageError
from fer_mobile.graph.ir import Graph
from fer_mobile.graph.ranges import Limits, propagate_ranges
from fer_mobile.quiet import quiet
from fer_mobile.runtime.flatbuffer import pack_model, unpack_model
from fer_mobile.runtime.tflite_model import TfliteModel

PACKAGE: Final = "ai-edge-quantizer"


def quantizer_installed() -> bool:
    """Whether `to_integer` can work."""
    return importlib.util.find_spec("ai_edge_quantizer") is not None


def quantizer_knows(graph: Graph) -> bool:
    """Whether `to_integer` leaves no operation in float: ai-edge-quantizer has no leaky ReLU."""
    return all(node.op != "leaky_relu" for node in graph.nodes.values())


def to_integer(model: bytes, graph: Graph, limits: Limits, *, io: str = "int8") -> bytes:
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


def _statistics(model: bytes, graph: Graph, limits: Limits) -> dict[str, dict[str, np.ndarray]]:
    """The ranges as the quantizer's calibration result: by tensor, each of the tensor's rank."""
    file = TfliteModel(model)
    every = propagate_ranges(graph, limits)
    ends = {
        file.inputs[0].name: next(iter(graph.nodes)),
        file.outputs[0].name: next(reversed(graph.nodes)),
    }
    ranks = {tensor.name: len(tensor.shape) for tensor in file.tensors}
    keys = tensor_keys(graph, list(ranks)) | ends
    written = {tensor.name for tensor in file.computed()}
    missing = sorted(name for name in written if keys.get(name) not in every)
    if missing:
        raise FerMobileError(f"no activation range is known of the tensor {missing[0]!r}")
    return {
        name: {
            "min": np.full((1,) * ranks[name], every[keys[name]][0], np.float32),
            "max": np.full((1,) * ranks[name], every[keys[name]][1], np.float32),
        }
        for name in (*ends, *sorted(written - set(ends)))
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
