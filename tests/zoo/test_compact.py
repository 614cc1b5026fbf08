"""Our own small network: its size, its options, its errors."""

import pytest

from fer_mobile import zoo
from fer_mobile.errors import ModelError


def test_parameters_are_as_registered_and_under_a_million():
    model = zoo.build("compact")
    assert model.count_params() == zoo.ARCHITECTURES["compact"].parameters == 679_848
    assert model.input_shape == (None, 48, 48, 1)
    assert model.output_shape == (None, 8)


def test_an_option_that_it_does_not_have_is_named():
    with pytest.raises(ModelError, match=r"option of compact 'sise': .* Did you mean 'size'\?"):
        zoo.build("compact", sise=64)


def test_width_multiplies_the_channels_and_size_leaves_parameters_alone():
    wide = zoo.build("compact", width=1.5)
    assert wide.get_layer("stem_conv").filters == 48
    assert zoo.build("compact", size=64).count_params() == zoo.build("compact").count_params()


def test_blocks_say_how_many_each_stage_has():
    deep = zoo.build("compact", size=56, blocks=[1, 3, 2])
    # Two 3×3 convolutions of 64 channels without bias, each with a batch normalisation.
    assert deep.count_params() == 679_848 + 2 * (9 * 64 * 64 + 4 * 64)
    maps = [deep.get_layer(f"stage{stage}_0_add").output.shape[1:] for stage in range(3)]
    assert maps == [(28, 28, 32), (14, 14, 64), (7, 7, 128)]


@pytest.mark.parametrize("blocks", [[1, 2], [1, 2, 2, 1], [1, 0, 2], []])
def test_other_than_three_stages_of_blocks_are_refused(blocks):
    with pytest.raises(ModelError, match=r"blocks.*three numbers from 1 on"):
        zoo.build("compact", blocks=blocks)


@pytest.mark.parametrize("size", [8, 44, 50])
def test_a_size_that_does_not_halve_three_times_is_refused(size):
    with pytest.raises(ModelError, match="a multiple of 8 px"):
        zoo.build("compact", size=size)
