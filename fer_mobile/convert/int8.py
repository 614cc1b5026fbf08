"""A network as a full-integer file.

ai-edge-quantizer writes the file where it is installed and knows all operations.  TensorFlow's
own converter takes its place otherwise; it cannot be given ranges, only faces.
"""

from __future__ import annotations

from fer_mobile.convert.calibration import Calibration
from fer_mobile.convert.converter import to_tflite
from fer_mobile.convert.observation import observe
from fer_mobile.convert.quantize import (
    quantizer_installed,
    quantizer_knows,
    tensors_without_range,
    to_integer,
)
from fer_mobile.graph.network import Network
from fer_mobile.runtime.tflite_model import TfliteModel
from fer_mobile.types import TensorType


def to_int8(network: Network, calibration: Calibration, *, io: TensorType = "int8") -> bytes:
    """Convert a network to a bare full-integer TFLite model; `io` as for `to_tflite`."""
    graph, limits = network.graph, calibration.limits or {}
    if graph is None or not quantizer_installed() or not quantizer_knows(graph):
        return to_tflite(network, "int8", faces=calibration.faces, io=io)
    model = to_tflite(network, "float32", raw_rgb=False)
    if tensors_without_range(TfliteModel(model), graph, limits):
        limits = observe(model, graph, calibration.faces) | limits
    return to_integer(model, graph, limits, io="uint8" if network.color == "rgb" else io)
