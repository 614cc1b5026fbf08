"""The share of int8 values at the ends of their range, in a right file and a wrong one."""

import numpy as np
import pytest

from fer_mobile.convert.calibration import Calibration
from fer_mobile.convert.checks import MOST_SATURATED
from fer_mobile.convert.converter import to_tflite
from fer_mobile.convert.int8 import to_int8
from fer_mobile.convert.observation import observe_network
from fer_mobile.convert.saturation import saturation
from fer_mobile.golden import golden_faces
from fer_mobile.graph.network import read_network
from fer_mobile.runtime.interpreter import load_interpreter
from fer_mobile.runtime.tflite_model import TfliteModel
from tests.networks import SIZE, two_streams


@pytest.fixture(scope="module")
def network():
    return read_network(two_streams())


def as_input(faces):
    return (faces.astype(np.int16) - 128).astype(np.int8)[..., None]


def test_ranges_of_the_faces_hold_them(network):
    faces = golden_faces(SIZE)
    model = to_int8(network, Calibration("golden", faces))
    share, tensor = saturation(model, TfliteModel(model), as_input(faces))
    assert 0 < share < 0.02
    assert tensor


def test_a_range_that_is_too_narrow_is_named(network):
    faces = golden_faces(SIZE)
    limits = observe_network(network, faces)
    low, high = limits["dense/relu"]
    narrow = limits | {"dense/relu": (low, high / 20)}
    model = to_int8(network, Calibration("narrow", faces, narrow))
    share, tensor = saturation(model, TfliteModel(model), as_input(faces))
    assert share > 0.1
    assert "dense" in tensor


def test_the_values_that_made_the_range_are_no_saturation():
    """Of two labels' logits for 8 faces one is 6%."""
    faces = golden_faces(SIZE)[:8]
    model = to_int8(read_network(two_streams(classes=2)), Calibration("golden", faces))
    graph = TfliteModel(model)
    interpreter = load_interpreter(model, delegates=False, preserve_all_tensors=True)
    interpreter.resize_tensor_input(graph.inputs[0].index, as_input(faces).shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(graph.inputs[0].index, as_input(faces))
    interpreter.invoke()
    logits = interpreter.get_tensor(graph.operations[-1].inputs[0])
    assert np.isin(logits, (-128, 127)).mean() > MOST_SATURATED
    assert saturation(model, graph, as_input(faces))[0] <= MOST_SATURATED


def test_a_float_model_has_none(network):
    faces = golden_faces(SIZE)
    model = to_tflite(network, "float32")
    inputs = (faces / np.float32(255))[..., None].astype(np.float32)
    assert saturation(model, TfliteModel(model), inputs) == (0, "")
