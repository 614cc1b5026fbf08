"""A network as a TensorFlow Lite model in one of four precisions."""

from __future__ import annotations

import errno
import functools
import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_mobile.arrays import Pixels
from fer_mobile.contract import Precision
from fer_mobile.errors import InputError, MissingPackageError
from fer_mobile.graph.network import Network
from fer_mobile.graph.to_tensorflow import to_tensorflow
from fer_mobile.graph.winograd import winograd as winograd_pass
from fer_mobile.preprocess import LUMA, normalise
from fer_mobile.quiet import quiet
from fer_mobile.types import TensorType

INPUT_NAME: Final = "image"
OUTPUT_NAME: Final = "probabilities"


def import_tensorflow() -> Any:
    """TensorFlow, imported in silence; MissingPackageError when it is not installed."""
    try:
        with quiet():
            import tensorflow as tf
    except ImportError as error:
        raise MissingPackageError("export", package="tensorflow", extra="export") from error
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    return tf


def inference_function(network: Network, *, winograd: bool = False) -> Callable[[Any], Any]:
    """A function from images to probabilities that holds the network's weights as constants.

    The images are float32 [N, S, S, 1] in 0-1, or [N, S, S, 3] with the color "rgb".  With
    `winograd`, a graph that was rewritten goes through that pass, too.  A model that has no
    graph is frozen as it is.
    """
    graph = network.graph
    if graph is None:
        frozen = _freeze(network.model)
        return frozen if network.color == "gray" else lambda image: frozen(_luma(image))
    return to_tensorflow(winograd_pass(graph) if network.rewrite and winograd else graph)


def _luma(image: Any) -> Any:
    return import_tensorflow().tensordot(image, np.array(LUMA, np.float32)[:, None] / sum(LUMA), 1)


def _freeze(model: Any) -> Callable[[Any], Any]:
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    tf = import_tensorflow()
    call = tf.function(lambda image: model(image, training=False))
    concrete = call.get_concrete_function(tf.TensorSpec([None, *model.input_shape[1:]], tf.float32))
    frozen = convert_variables_to_constants_v2(concrete)
    return lambda image: frozen(image)[0]


def _save_model(network: Network, folder: str, *, winograd: bool, raw: bool) -> None:
    """Write a SavedModel with one named signature, the batch open.

    With `raw` it takes pixels uint8 0-255 and divides them by 255 itself.
    """
    tf = import_tensorflow()
    call = inference_function(network, winograd=winograd)
    shape = [None, network.size, network.size, 3 if network.color == "rgb" else 1]
    module = tf.Module()
    module.call = tf.function(
        lambda image: {OUTPUT_NAME: call(tf.cast(image, tf.float32) / 255.0 if raw else image)},
        input_signature=[tf.TensorSpec(shape, tf.uint8 if raw else tf.float32, name=INPUT_NAME)],
    )
    with quiet():
        signature = module.call.get_concrete_function()
        try:
            tf.saved_model.save(module, folder, signatures={"serving_default": signature})
        except tf.errors.ResourceExhaustedError as error:  # TensorFlow's name for a full disk
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), folder) from error


def to_tflite(
    network: Network,
    precision: Precision,
    *,
    faces: Pixels | None = None,
    io: TensorType = "int8",
    winograd: bool = False,
    raw_rgb: bool = True,
) -> bytes:
    """Convert a network; returns the bare TFLite model.

    With the color "rgb" the input is uint8 [N, S, S, 3] in every precision (and an int8
    model's output uint8), which is what tools that know only RGB images give.

    Args:
        network: what is converted.
        precision: of its weights.
        faces: uint8 [N, S, S], whose activations set the ranges of int8; they should reach 0
            and 255.
        io: type of an int8 model's input and output.
        winograd: for a float32 file that is to be run, not quantized: a third fewer products
            in its 3×3 convolutions.
        raw_rgb: off, a float model takes RGB in 0-1 instead of bytes.

    Raises InputError for int8 without faces, MissingPackageError without TensorFlow.
    """
    if precision == "int8" and faces is None:
        raise InputError("faces", expected="faces that set the ranges of int8", found="none")
    tf = import_tensorflow()
    rgb = network.color == "rgb"
    if rgb:
        io = "uint8"
    with tempfile.TemporaryDirectory() as folder:
        raw = rgb and raw_rgb and precision != "int8"
        _save_model(network, folder, winograd=winograd, raw=raw)
        with quiet():
            converter = tf.lite.TFLiteConverter.from_saved_model(folder)
            if precision != "float32":
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
            if precision == "dynamic":
                # One scale for each dense layer: runtimes before 2.17, Android's among them, know
                # no other, and the labels are none the worse.
                converter._experimental_disable_per_channel_quantization_for_dense_layers = True
            if precision == "float16":
                converter.target_spec.supported_types = [tf.float16]
            if faces is not None and precision == "int8":
                samples = functools.partial(_samples, faces, 3 if rgb else 1)
                converter.representative_dataset = samples
                converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
                converter.inference_input_type = getattr(tf, io)
                converter.inference_output_type = getattr(tf, io)
            return bytes(converter.convert())


def _samples(faces: Pixels, channels: int) -> Iterator[dict[str, NDArray[np.float32]]]:
    for face in normalise(faces):
        yield {INPUT_NAME: np.repeat(face[None, ..., None], channels, -1)}
