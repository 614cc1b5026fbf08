"""A network as an ONNX model, by tf2onnx, and its outputs in ONNX Runtime."""

from __future__ import annotations

import logging
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_mobile.arrays import Probabilities
from fer_mobile.convert.converter import (
    INPUT_NAME,
    OUTPUT_NAME,
    import_tensorflow,
    inference_function,
)
from fer_mobile.errors import MissingPackageError
from fer_mobile.graph.network import Network
from fer_mobile.quiet import quiet

OPSET: Final = 18


def to_onnx(network: Network) -> bytes:
    """A checked float32 ONNX model: "image" [N, S, S, 1] in 0-1 to "probabilities" [N, C]."""
    tf = import_tensorflow()
    try:
        with quiet():
            import onnx
            import tf2onnx
    except ImportError as error:
        raise MissingPackageError(
            "ONNX export", package=error.name or "tf2onnx", extra="onnx"
        ) from error
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    call = inference_function(network)
    shape = [None, network.size, network.size, 1]
    signature = [tf.TensorSpec(shape, tf.float32, name=INPUT_NAME)]
    with quiet():
        function = tf.function(lambda image: tf.identity(call(image), OUTPUT_NAME))
        proto, _ = tf2onnx.convert.from_function(function, signature, opset=OPSET)
    # tf2onnx appends ":0" to what TensorFlow named.
    produced = proto.graph.output[0].name
    for node in proto.graph.node:
        node.output[:] = [OUTPUT_NAME if name == produced else name for name in node.output]
        node.input[:] = [OUTPUT_NAME if name == produced else name for name in node.input]
    proto.graph.output[0].name = OUTPUT_NAME
    onnx.checker.check_model(proto, full_check=True)
    return bytes(proto.SerializeToString())


def run_onnx(model: bytes, images: NDArray[np.float32]) -> Probabilities:
    """Probabilities float32 [N, C] of images float32 [N, S, S, 1] in ONNX Runtime, one thread."""
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingPackageError("running ONNX", package="onnxruntime", extra="onnx") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    outputs: list[Probabilities] = session.run(
        [OUTPUT_NAME], {session.get_inputs()[0].name: images}
    )
    return outputs[0]
