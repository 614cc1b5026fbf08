"""Training over two devices, made of one processor: the same training as on one."""

import csv
import os
import subprocess
import sys

import numpy as np
import pytest

from fer_mobile.errors import InputError
from fer_mobile.training import load_recipe
from tests.command_line import CommandLine

TWO = {
    "KERAS_BACKEND": "jax",
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
}


RECIPE = """
name = "small"
[model]
architecture = "two_conv"
options = { size = 24 }
[training]
epochs = 2
batch_size = 8
precision = "float32"
[optimizer]
learning_rate = 2e-3
ema = 0.9
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory, small_npz):
    """The same recipe trained on one device and over two, by rows and by weights."""
    folder = tmp_path_factory.mktemp("parallel")
    recipe = folder / "small.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    command = CommandLine(folder)
    for name, options in {"one": (), "data": ("data",), "model": ("model",)}.items():
        flags = [f"--parallel={mode}" for mode in options]
        done = command("train", recipe, "--data", small_npz, "--out", name, *flags, **TWO)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.prove
@pytest.mark.parametrize("mode", ["data", "model"])
def test_two_devices_learn_what_one_learns(runs, mode):
    one, two = (curve(runs / name) for name in ("one", mode))
    assert len(two) == 2
    assert one[1][0] < 0.95 * one[0][0]
    np.testing.assert_allclose(two, one, rtol=5e-3)


ONE_STEP = """
import keras, numpy as np
from fer_mobile.training.parallel import distributed

rows = np.random.default_rng(0).normal([[0.0, 3.0]], [[1.0, 2.0]], (8, 2)).astype("float32")
rows[4:] += 5  # the second device's half
with distributed("data", len(rows)):
    norm = keras.layers.BatchNormalization(momentum=0.0)
    model = keras.Sequential([keras.Input((2,)), norm])
    model.compile("sgd", "mse")
    model.fit(rows, rows, batch_size=len(rows), verbose=0)
np.testing.assert_allclose(np.asarray(norm.moving_mean), rows.mean(0), rtol=1e-5)
np.testing.assert_allclose(np.asarray(norm.moving_variance), rows.var(0), rtol=1e-5)
assert len(norm.gamma.value.sharding.device_set) == 2
with distributed("model", len(rows)):
    dense = keras.Sequential([keras.Input((2,)), keras.layers.Dense(6)]).layers[0]
assert [part.data.shape for part in dense.kernel.value.addressable_shards] == [(2, 3), (2, 3)]
"""


@pytest.mark.prove
def test_batch_statistics_are_of_the_whole_batch_and_weights_are_shared_out():
    # The batch's halves are far apart: the statistics of either have a smaller variance.
    done = subprocess.run([sys.executable, "-c", ONE_STEP], env=os.environ | TWO, check=False)
    assert done.returncode == 0


def curve(run):
    """Losses of training and of validation, epoch by epoch."""
    with (run / "history.csv").open(newline="") as file:
        return [(float(row["loss"]), float(row["valid_loss"])) for row in csv.DictReader(file)]


@pytest.mark.prove
def test_a_batch_that_devices_cannot_share_is_refused(fer_mobile, tiny_recipe, small_npz):
    said = fer_mobile.refused(
        "train", tiny_recipe, "--data", small_npz, "--parallel=data",
        "--set", "training.batch_size=5", **TWO,
    )  # fmt: skip
    assert "training.batch_size: expected a multiple of 2 devices, found batches of 5" in said
    assert not (fer_mobile.folder / "runs").exists()


def test_other_backends_and_modes_are_refused(train, tiny_recipe, small_npz, tmp_path):
    assert os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow"
    for mode, message in {
        "data": "pip install 'fer-mobile\\[jax\\]'",
        "dat": "Did you mean",
    }.items():
        with pytest.raises(InputError, match=message):
            train(load_recipe(tiny_recipe), tmp_path / "run", data=small_npz, parallel=mode)
    assert not (tmp_path / "run").exists()
