"""First convolutions on rows of pixels are exact, for every kernel and channel count."""

import keras
import numpy as np
import pytest
from keras import layers

from fer_mobile import zoo
from fer_mobile.graph.from_keras import from_keras
from fer_mobile.graph.space_to_depth import space_to_depth
from fer_mobile.graph.to_tensorflow import to_tensorflow
from tests.networks import outputs


def network(kernel, channels, width=12, *, padding="same", relu=True, streams=1):
    image = keras.Input((10, width, channels), name="image")
    maps = [
        layers.Conv2D(
            6, kernel, padding=padding, activation="relu" if relu else None,
            bias_initializer="random_normal", name=f"conv{i}",
        )(image)
        for i in range(streams)
    ]  # fmt: skip
    x = layers.Add()(maps) if streams > 1 else maps[0]
    return keras.Model(image, layers.MaxPooling2D(2)(x))


@pytest.mark.parametrize("kernel", [3, 5, 7])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("relu", [True, False])
def test_exact(kernel, channels, relu):
    model = network(kernel, channels, relu=relu)
    graph = space_to_depth(from_keras(model))
    assert graph.nodes["conv0"].weights["kernel"].shape == (kernel, 1, (kernel + 1) * channels, 12)
    images = np.random.default_rng(0).random((3, 10, 12, channels), dtype=np.float32)
    expected = outputs(model, images)
    assert expected.std() > 0.01
    assert np.abs(to_tensorflow(graph)(images) - expected).max() <= 2e-6


def test_streams_share_the_rows():
    graph = space_to_depth(from_keras(network(7, 1, streams=2)))
    readers = [node.name for node in graph.users("image/rows7")]
    assert readers == ["conv0", "conv1"]
    two = space_to_depth(from_keras(zoo.build("xcao_two_stream", size=56)))
    assert [node.name for node in two.users("image/rows7")] == ["a_conv0", "b_conv0"]


@pytest.mark.parametrize(
    "model",
    [
        network(7, 1, width=13),
        network(4, 1),
        network(7, 5),
        network(1, 1),
        network(3, 1, padding="valid"),
    ],
    ids=["odd width", "even kernel", "many channels", "1×1", "no padding"],
)
def test_what_does_not_fit_stays(model):
    graph = from_keras(model)
    assert space_to_depth(graph).nodes.keys() == graph.nodes.keys()
