"""What a `.keras` file's input holds: read from its first layer, or stated, never assumed."""

import keras
import numpy as np
import pytest
from keras import layers

from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.errors import InputError, ModelError

LIMITS = {"0..1": (0, 1), "-1..1": (-1, 1), "0..255": (0, 255)}


def network(*inner):
    keras.utils.set_random_seed(0)
    ends = (layers.Flatten(), layers.Dense(3, activation="softmax"))
    return keras.Sequential([keras.Input((16, 16, 1)), *inner, *ends])


def functional(*inner):
    x = image = keras.Input((16, 16, 1))
    for layer in network(*inner).layers:
        x = layer(x)
    return keras.Model(image, x)


def check(path, model, value_range, stated=None):
    """The loaded network gives for values of 0 to 1 what the model gives for its own."""
    low, high = LIMITS[value_range]
    values = np.random.default_rng(0).random((4, 16, 16, 1)).astype(np.float32)
    expected = model.predict(low + (high - low) * values, verbose=0)
    model.save(path)
    loaded = load_checkpoint(path, ("a", "b", "c"), stated).model
    np.testing.assert_allclose(loaded.predict(values, verbose=0), expected, atol=1e-5)


def adapted(mean, deviation):
    return layers.Normalization(mean=mean, variance=deviation**2)


@pytest.mark.parametrize("make", [network, functional])
@pytest.mark.parametrize(
    ("scale", "offset", "value_range"),
    [
        (1 / 255, 0.0, "0..255"),
        (1 / 127.5, -1.0, "0..255"),
        (1 / 255, -0.5, "0..255"),
        (2.0, -1.0, "0..1"),
        (255 / 128, -1.0, "0..1"),
        (255.0, 0.0, "0..1"),
        (0.5, 0.5, "-1..1"),
        ([127.5], [127.5], "-1..1"),
    ],
)
def test_a_network_that_rescales_says_what_it_takes(tmp_path, make, scale, offset, value_range):
    check(tmp_path / "own.keras", make(layers.Rescaling(scale, offset)), value_range)


@pytest.mark.parametrize(
    "inner",
    [
        (adapted(129.0, 65.0),),
        (layers.RandomFlip(), layers.Rescaling(1 / 255)),
        (keras.Sequential([layers.RandomRotation(0.1), layers.Rescaling(1 / 127.5, -1)]),),
    ],
    ids=["normalised", "flipped", "model in model"],
)
def test_what_comes_before_or_around_it_does_not_hide_it(tmp_path, inner):
    check(tmp_path / "own.keras", network(*inner), "0..255")


UNSAID = [
    (),
    (layers.Conv2D(2, 3),),
    (layers.Rescaling(1.0),),
    (layers.Rescaling(3.0, -0.7),),
    (adapted(0.5, 0.25),),
]


@pytest.mark.parametrize("inner", UNSAID, ids=["none", "conv", "identity", "odd", "normalised"])
def test_a_network_that_does_not_say_it_is_refused(tmp_path, inner):
    network(*inner).save(tmp_path / "own.keras")
    with pytest.raises(
        ModelError, match=r"own: expected `value_range`, .*: 0\.\.1 or -1\.\.1 or 0"
    ):
        load_checkpoint(tmp_path / "own.keras", ("a", "b", "c"))
    with pytest.raises(ModelError, match=r"unknown, too: `labels`, a name for each of its 3 out"):
        load_checkpoint(tmp_path / "own.keras")


@pytest.mark.parametrize("value_range", LIMITS)
@pytest.mark.parametrize("inner", [(), (layers.Rescaling(3.0, -0.7),)], ids=["none", "rescales"])
def test_it_is_stated_for_a_network_that_does_not_say_it(tmp_path, inner, value_range):
    check(tmp_path / "own.keras", network(*inner), value_range, value_range)


def test_two_readers_of_the_input_say_nothing(tmp_path):
    image = keras.Input((16, 16, 1))
    x = layers.Add()([layers.Rescaling(1 / 255)(image), image])
    outputs = layers.Dense(3, activation="softmax")(layers.Flatten()(x))
    model = keras.Model(image, outputs)
    model.save(tmp_path / "own.keras")
    with pytest.raises(ModelError, match="`value_range`"):
        load_checkpoint(tmp_path / "own.keras")
    check(tmp_path / "own.keras", model, "0..255", "0..255")


def test_what_is_stated_may_not_contradict_what_is_read(tmp_path):
    network(layers.Rescaling(1 / 255)).save(tmp_path / "own.keras")
    with pytest.raises(
        ModelError, match=r"`value_range` of own: expected its own, 0\.\.255, found 0"
    ):
        load_checkpoint(tmp_path / "own.keras", value_range="0..1")
    with pytest.raises(
        ModelError, match=r"`value_range` of compact: expected its own, 0\.\.1, found"
    ):
        load_checkpoint("compact", value_range="0..255")
    with pytest.raises(InputError, match="value_range: expected"):
        load_checkpoint(tmp_path / "own.keras", value_range="0-255")


@pytest.mark.parametrize(
    ("shape", "hint"),
    [((16, 16, 3), "attach a contract"), ((None, None, 1), "fixed size"), ((16, 24, 1), "")],
)
def test_another_size_or_number_of_channels_is_refused(tmp_path, shape, hint):
    image = keras.Input(shape)
    x = layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(image))
    keras.Model(image, x).save(tmp_path / "own.keras")
    with pytest.raises(ModelError, match=rf"\[N, S, S, 1\], found .*{hint}"):
        load_checkpoint(tmp_path / "own.keras", value_range="0..1")
