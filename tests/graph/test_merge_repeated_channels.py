"""A gray face given thrice is read once, exactly."""

import keras
import numpy as np
import pytest
from keras import layers

from fer_mobile.graph.from_keras import from_keras
from fer_mobile.graph.merge_repeated_channels import merge_repeated_channels
from fer_mobile.graph.to_tensorflow import to_tensorflow
from tests.networks import outputs


def network(copies=3, channels=1, readers=1, other=False):
    image = keras.Input((10, 12, channels), name="image")
    parts = [image] * copies
    if other:
        parts[-1] = layers.MaxPooling2D(3, 1, "same")(image)
    x = layers.Concatenate(name="copies")(parts)
    maps = [layers.Conv2D(6, 3, bias_initializer="random_normal")(x) for _ in range(readers)]
    return keras.Model(image, layers.Add()(maps) if readers > 1 else maps[0])


@pytest.mark.parametrize("copies", [2, 3])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("readers", [1, 2])
def test_exact(copies, channels, readers):
    model = network(copies, channels, readers)
    graph = merge_repeated_channels(from_keras(model))
    assert "copies" not in graph.nodes
    kernels = [n.weights["kernel"] for n in graph.nodes.values() if n.op == "conv"]
    assert [kernel.shape for kernel in kernels] == [(3, 3, channels, 6)] * readers
    images = np.random.default_rng(0).random((3, 10, 12, channels), dtype=np.float32)
    expected = outputs(model, images)
    assert expected.std() > 0.1
    assert np.abs(to_tensorflow(graph)(images) - expected).max() <= 1e-5


def dense_reader():
    image = keras.Input((10, 12, 1), name="image")
    x = layers.Flatten()(layers.Concatenate(name="copies")([image, image]))
    return keras.Model(image, layers.Dense(8)(x))


@pytest.mark.parametrize(
    "make", [lambda: network(other=True), dense_reader], ids=["other", "dense"]
)
def test_what_does_not_fit_stays(make):
    graph = from_keras(make())
    assert merge_repeated_channels(graph).nodes.keys() == graph.nodes.keys()
