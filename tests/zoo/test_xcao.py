"""The thesis's parameter counts at every size, the cap, and the errors of the options."""

import keras
import numpy as np
import pytest

from fer_mobile import zoo
from fer_mobile.errors import ModelError
from fer_mobile.zoo.xcao_family import CONVOLUTIONS

COUNTS = {"xcao": 6_970_728, "xcao_two_stream": 7_509_672}


@pytest.mark.parametrize("size", [56, 112, 224])
@pytest.mark.parametrize("name", COUNTS)
def test_parameters_and_map_are_those_of_the_thesis(name, size):
    model = zoo.build(name, size=size)
    assert model.count_params() == COUNTS[name] == zoo.ARCHITECTURES[name].parameters
    assert model.input_shape == (None, size, size, 1)
    assert model.output_shape == (None, 8)
    assert model.get_layer("flatten").input.shape[1:] == (7, 7, 128)
    # Moving mean and variance of each normalisation are not trained.
    streams = 2 if "two" in name else 1
    fixed = 2 * (streams * sum(channels for _, channels in CONVOLUTIONS) + 8)
    assert zoo.trainable_parameters(model) == COUNTS[name] - fixed


def test_layers_are_those_of_the_thesis():
    model = zoo.build("xcao_two_stream")
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("Conv2D") == 14
    assert kinds.count("MaxPooling2D") == 10
    assert kinds.count("Add") == 1
    kernels = [model.get_layer(f"a_conv{i}").kernel.shape for i in range(7)]
    assert [(k[0], k[3]) for k in kernels] == [
        (7, 16), (1, 32), (3, 64), (3, 128), (3, 128), (3, 128), (3, 128),
    ]  # fmt: skip
    norm = model.get_layer("a_norm3")
    assert norm.input is model.get_layer("a_conv3").output  # after the ReLU of the convolution
    assert model.get_layer("a_conv3").activation is keras.activations.relu
    rates = {n: model.get_layer(n).rate for n in ("a_drop0", "b_drop6", "drop")}
    assert rates == {"a_drop0": 0.25, "b_drop6": 0.5, "drop": 0.5}


@pytest.mark.parametrize("name", COUNTS)
def test_weights_carry_over_between_sizes(name):
    small, large = zoo.build(name, size=56), zoo.build(name, size=224)
    assert [w.shape for w in small.weights] == [w.shape for w in large.weights]
    large.set_weights(small.get_weights())
    for mine, theirs in zip(large.get_weights(), small.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_the_poolings_are_chosen():
    model = zoo.build("xcao", size=56, pools=[4, 2, 0])
    assert {n for n in range(7) if f"a_pool{n}" in {x.name for x in model.layers}} == {0, 2, 4}
    assert model.count_params() == COUNTS["xcao"]


def test_seven_classes():
    assert zoo.build("xcao", size=56, classes=7).output_shape == (None, 7)


@pytest.mark.parametrize("size", [0, 1, 7, 48, 64, 57, 1000])
def test_a_size_that_does_not_halve_to_seven_is_refused(size):
    with pytest.raises(ModelError, match=rf"input size: .*found {size} px.*56, 112 or 224"):
        zoo.build("xcao", size=size)


@pytest.mark.parametrize("pools", [[], [0, 1], [0, 1, 2, 3], [0, 0, 1], [0, 1, 7], [-1, 0, 1]])
def test_wrong_poolings_are_refused(pools):
    with pytest.raises(ModelError, match=r"3 different numbers from 0 to 6.*Try \[0, 1, 2\]"):
        zoo.build("xcao", size=56, pools=pools)


def test_an_unknown_name_is_told_the_nearest():
    with pytest.raises(ModelError, match="Did you mean 'xcao_two_stream'"):
        zoo.build("xcao_two_streams")


def test_the_cap_is_ten_million_trainable_parameters():
    def model(units):
        image = keras.Input((1000,))
        return keras.Model(image, keras.layers.Dense(units, use_bias=False)(image), name="dense")

    zoo.check_cap(model(10_000))
    with pytest.raises(
        ModelError, match=r"at most 10,000,000 .*found 10,001,000.*parameter_cap=False"
    ):
        zoo.check_cap(model(10_001))
    zoo.check_cap(model(10_001), lifted=True)
    frozen = model(10_001)
    frozen.trainable = False
    zoo.check_cap(frozen)


def test_multiply_accumulates_of_a_face_by_hand():
    stream = 49 * 16 * 56**2 + 16 * 32 * 28**2 + 9 * 32 * 64 * 14**2 + 9 * 64 * 128 * 7**2
    stream += 3 * 9 * 128 * 128 * 7**2
    dense = 7 * 7 * 128 * 1024 + 1024 * 8
    assert zoo.count_macs(zoo.build("xcao_two_stream", size=56)) == 2 * stream + dense
