"""What tests of the training share."""

import functools

import pytest

from fer_mobile.training import load_recipe
from fer_mobile.training import train as train_and_finish


def silently(line):
    pass


@pytest.fixture(scope="session")
def train():
    """`train` in silence, without what completes a run folder for exports."""
    return functools.partial(train_and_finish, finish=False, report=silently)


@pytest.fixture
def quick(tiny_recipe):
    """The tiny recipe with a network that trains in no time, and other values."""

    def make(*changes):
        start = ("model.architecture=simple_cnn", "model.options={size = 16}", "optimizer.ema=0.0")
        return load_recipe(tiny_recipe, (*start, *changes))

    return make
