"""Graph rewrites are exact, with the normalisations of a trained network."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from fer_mobile import zoo
from fer_mobile.convert.converter import inference_function
from fer_mobile.errors import UnsupportedLayerError
from fer_mobile.golden import golden_faces
from fer_mobile.graph.fold_batch_norm import fold_batch_norm
from fer_mobile.graph.from_keras import from_keras
from fer_mobile.graph.network import read_network
from fer_mobile.graph.passes import PASSES
from fer_mobile.graph.to_tensorflow import to_tensorflow
from fer_mobile.preprocess import normalise
from tests.networks import outputs

EXACT = 2e-5
"""What float32 rounding makes of a probability when the order of sums differs."""

POOLS = {56: ([0, 1, 2], [4, 5, 6]), 112: ([0, 1, 2, 3], [0, 2, 4, 6])}


@pytest.fixture(autouse=True)
def the_same_weights():
    """Whatever ran before in this process: with some weights outputs hardly depend on the face."""
    keras.utils.set_random_seed(0)


def shaken(model, *, negative=()):
    """The model with normalisations as if trained; layers in `negative` get negative scales."""
    rng = np.random.default_rng(1)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            width = layer.moving_mean.shape[0]
            if layer.gamma is not None:
                gamma = rng.uniform(0.5, 1.5, width)
                gamma[1::7] = 0
                gamma[::3] *= -1 if layer.name in negative else 1
                layer.gamma.assign(gamma)
            if layer.beta is not None:
                layer.beta.assign(rng.normal(0, 0.3, width))
            layer.moving_mean.assign(rng.normal(0.1, 0.1, width))
            layer.moving_variance.assign(rng.uniform(0.7, 1.3, width))
    if "logits_norm" not in {layer.name for layer in model.layers}:
        return model
    # As training would have it, so that the outputs depend on the face.
    logits = keras.Model(model.inputs, model.get_layer("logits").output)
    values = outputs(logits, faces(model.input_shape[1]))
    model.get_layer("logits_norm").moving_mean.assign(values.mean(0))
    model.get_layer("logits_norm").moving_variance.assign(values.var(0))
    return model


def faces(size):
    return normalise(golden_faces(size)[:24])[..., None]


def difference(model, function, size):
    expected = np.asarray(model(tf.constant(faces(size)), training=False))
    assert expected.std(0).max() > 0.002  # the outputs depend on the face
    return np.abs(np.asarray(function(tf.constant(faces(size)))) - expected).max()


def count(graph, op):
    return sum(node.op == op for node in graph.nodes.values())


@pytest.mark.parametrize(
    ("name", "size", "pools"),
    [
        ("xcao", 56, POOLS[56][0]),
        *(pytest.param("xcao", 56, pools, marks=pytest.mark.prove) for pools in POOLS[56][1:]),
        ("xcao_two_stream", 56, POOLS[56][0]),
        pytest.param("xcao_two_stream", 56, POOLS[56][1], marks=pytest.mark.prove),
        *(
            pytest.param(name, 112, pools, marks=pytest.mark.prove)
            for name in ("xcao", "xcao_two_stream")
            for pools in POOLS[112]
        ),
    ],
)
def test_all_rewrites_are_exact(name, size, pools):
    model = shaken(zoo.build(name, size=size, pools=pools))
    graph = from_keras(model)
    for change in PASSES:
        graph = change(graph)
        assert difference(model, to_tensorflow(graph), size) <= EXACT, change.__name__
    assert difference(model, inference_function(read_network(model)), size) <= EXACT


def test_compact_loses_all_its_normalisations_exactly():
    model = shaken(zoo.build("compact"))
    graph = from_keras(model)
    assert count(graph, "affine") == 13
    for change in PASSES:
        graph = change(graph)
        assert difference(model, to_tensorflow(graph), 48) <= EXACT, change.__name__
    assert count(graph, "affine") == 0
    assert count(graph, "pad") == 1  # the first convolution reads rows as channels


@pytest.mark.parametrize("name", ["xcao", "xcao_two_stream"])
def test_normalisations_fold_into_their_neighbours(name):
    model = shaken(zoo.build(name, size=56))
    plain = from_keras(model)
    folded = fold_batch_norm(plain)
    streams = 2 if "two" in name else 1
    assert count(plain, "affine") == 7 * streams + 1
    # What is left are additions before the four padded 3×3 convolutions that have neighbours.
    left = [node for node in folded.nodes.values() if node.op == "affine"]
    assert len(left) == 5 * streams, [n.name for n in left]
    assert all((node.weights["scale"] == 1).all() for node in left)


def test_a_negative_scale_stays_and_stays_exact():
    model = shaken(zoo.build("xcao_two_stream", size=56), negative=("a_norm2", "b_norm6"))
    graph = fold_batch_norm(from_keras(model))
    kept = {n.name for n in graph.nodes.values() if n.op == "affine" and (n.weights["scale"] < 0).any()}  # fmt: skip  # noqa: E501
    assert kept == {"a_norm2", "b_norm6"}
    assert difference(model, inference_function(read_network(model)), 56) <= EXACT


def other_network(kind):
    image = keras.Input((32, 32, 1))
    x = layers.Conv2D(8, 3, strides=2, padding="valid", use_bias=False)(image)
    x = layers.BatchNormalization()(x)  # before the activation: folds whatever its sign
    x = layers.Activation("relu")(x)
    x = layers.Conv2D(8, 3, padding="valid", activation="relu")(x)
    x = layers.BatchNormalization(scale=False)(x)
    if kind == "depthwise":
        x = layers.DepthwiseConv2D(3)(x)
    if kind == "relu6":
        x = layers.ReLU(max_value=1.0)(x)
    if kind == "half leaky":
        x = layers.ReLU(negative_slope=0.3)(x)
    if kind == "leaky":
        x = layers.LeakyReLU(negative_slope=0.3)(layers.Conv2D(8, 3, padding="valid")(x))
        x = layers.BatchNormalization()(x)
    if kind == "dilated":
        x = layers.Conv2D(8, 3, dilation_rate=2)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(16)(x)
    x = layers.BatchNormalization(center=False)(x)
    x = layers.Dense(8, name="logits")(x)
    x = layers.BatchNormalization(name="logits_norm")(x)
    return keras.Model(image, layers.Softmax()(x))


@pytest.mark.parametrize("kind", ["plain", "leaky"])
def test_normalisations_disappear(kind):
    model = shaken(other_network(kind))
    assert count(fold_batch_norm(from_keras(model)), "affine") == 0
    assert difference(model, inference_function(read_network(model)), 32) <= EXACT


def joined(join, *, pooled):
    """Two streams that end in a normalisation and are joined, flat or as maps."""
    image = keras.Input((32, 32, 1))
    ends = []
    for filters in (4, 4):
        x = layers.Conv2D(filters, 5, strides=4, activation="relu")(image)
        x = layers.BatchNormalization()(x)
        ends.append(layers.GlobalAveragePooling2D()(x) if pooled else layers.Flatten()(x))
    x = layers.Dense(8, name="logits")(join(ends))
    return keras.Model(image, layers.Softmax()(layers.BatchNormalization(name="logits_norm")(x)))


@pytest.mark.parametrize("pooled", [True, False])
@pytest.mark.parametrize(
    "join",
    [layers.Concatenate(), layers.Maximum(), layers.Add(), lambda ends: layers.Add()(ends[:1] * 2)],
    ids=["concat", "maximum", "add", "twice"],
)
def test_joined_streams_are_exact(join, pooled):
    model = shaken(joined(join, pooled=pooled))
    assert difference(model, inference_function(read_network(model)), 32) <= EXACT


@pytest.mark.parametrize("kind", ["depthwise", "relu6", "half leaky", "dilated"])
def test_unknown_layers_are_left_as_they_are(kind):
    model = shaken(other_network(kind))
    with pytest.raises(UnsupportedLayerError):
        from_keras(model)
    assert difference(model, inference_function(read_network(model)), 32) <= EXACT


def test_a_sequential_model_is_read():
    model = keras.Sequential(
        [
            keras.Input((32, 32, 1)),
            layers.Conv2D(8, 7, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(8, name="logits"),
            layers.BatchNormalization(name="logits_norm"),
            layers.Softmax(),
        ]
    )
    shaken(model)
    assert count(fold_batch_norm(from_keras(model)), "affine") == 0
    assert difference(model, inference_function(read_network(model)), 32) <= EXACT
