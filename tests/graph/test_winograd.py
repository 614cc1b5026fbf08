"""Winograd's minimal filtering is exact, and is applied where it fits."""

import keras
import numpy as np
import pytest
from keras import layers

from fer_mobile import zoo
from fer_mobile.convert.converter import inference_function
from fer_mobile.golden import golden_faces
from fer_mobile.graph.from_keras import from_keras
from fer_mobile.graph.ir import map_sizes
from fer_mobile.graph.network import read_network
from fer_mobile.graph.passes import inference_graph
from fer_mobile.graph.to_tensorflow import to_tensorflow
from fer_mobile.graph.winograd import winograd
from fer_mobile.preprocess import normalise
from tests.networks import outputs


def convolution(size, channels, *, relu=True, padding="same", strides=1, kernel=3):
    image = keras.Input((*size, channels))
    x = layers.Conv2D(
        24, kernel, strides, padding, activation="relu" if relu else None, name="conv",
        bias_initializer="random_normal",
    )(image)  # fmt: skip
    return keras.Model(image, layers.MaxPooling2D(2)(x))


@pytest.mark.parametrize("size", [(12, 8), (7, 10), (2, 2)])
@pytest.mark.parametrize("relu", [True, False])
def test_one_convolution_is_exact(size, relu):
    model = convolution(size, 32, relu=relu)
    graph = winograd(from_keras(model))
    assert "conv/m3" in graph.nodes
    assert graph.nodes["conv/m3"].weights["kernel"].shape == (3, 1, 32, 24)
    images = np.random.default_rng(0).normal(0, 1, (3, *size, 32)).astype(np.float32)
    expected = outputs(model, images)
    assert expected.std() > 0.1
    assert np.abs(to_tensorflow(graph)(images) - expected).max() <= 1e-5


@pytest.mark.parametrize(
    "model",
    [
        convolution((12, 9), 32),
        convolution((12, 8), 8),
        convolution((12, 8), 32, padding="valid"),
        convolution((12, 8), 32, strides=2),
        convolution((12, 8), 32, kernel=5),
    ],
    ids=["odd width", "few channels", "no padding", "stride", "5×5"],
)
def test_what_does_not_fit_stays(model):
    graph = from_keras(model)
    assert winograd(graph).nodes.keys() == graph.nodes.keys()


@pytest.mark.parametrize("name", ["xcao", "xcao_two_stream"])
@pytest.mark.parametrize("size", [56, pytest.param(112, marks=pytest.mark.prove)])
def test_networks_are_exact(name, size):
    model = zoo.build(name, size=size)
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.moving_mean.assign(rng.normal(0.1, 0.1, layer.moving_mean.shape))
            layer.beta.assign(rng.normal(0, 0.2, layer.beta.shape))
    faces = normalise(golden_faces(size))[..., None]
    function = inference_function(read_network(model), winograd=True)
    assert np.abs(function(faces) - outputs(model, faces)).max() <= 1e-5
    graph = winograd(inference_graph(model))
    streams = 2 if "two" in name else 1
    # The 3×3 convolutions on maps of 14 px (and 28 px); those on 7 px are left, being odd.
    fitting = {56: 1, 112: 2}[size]
    assert sum(node.endswith("/m3") for node in graph.nodes) == streams * fitting


def test_sizes_are_those_that_keras_states():
    model = zoo.build("xcao", size=56)
    sizes = map_sizes(from_keras(model))
    for layer in model.layers:
        if len(layer.output.shape) == 4 and layer.name in sizes:
            assert sizes[layer.name] == layer.output.shape[1:3], layer.name
