"""Backends: the same recipe trains alike on each, and what one cannot do it refuses by name.

Keras takes its backend once for a process: TensorFlow runs here, JAX in one process for all tests.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from fer_mobile import zoo
from fer_mobile.errors import InputError
from fer_mobile.training import Callback, load_recipe
from fer_mobile.training.batches import Batches, BatchPlanner, row_weights
from fer_mobile.training.split import training_rows
from tests.training.on_jax import numbers

JAX = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
ON_JAX = Path(__file__).with_name("on_jax.py")

RECIPE = """
name = "{name}"
[model]
architecture = "small"
start = "start.keras"
options = {{ size = 24 }}
[data]
preprocessing = ["equalize"]
[training]
epochs = 3
batch_size = 16
mixup = 0.2
balance = {balance}
label_smoothing = 0.1
[optimizer]
name = "{optimizer}"
learning_rate = {rate}
schedule = "{schedule}"
ema = 0.9
clip_norm = 5.0
[augmentation]
rotation = 10
shift = 0.05
scale = 0.1
contrast = 0.2
brightness = 0.1
blur = 0.3
erase = 0.25
[distillation]
teachers = ["teacher.keras"]
value_range = "0..1"
weight = 0.5
views = 2
[calibration]
temperature = true
"""

SMALL = """
import keras
from fer_mobile.zoo import Architecture, register

register(Architecture("small", "small_network", 0, 24, "these tests"))


def small(size=24, classes=8):
    image = keras.Input((size, size, 1), name="image")
    x = keras.layers.MaxPooling2D(2)(image)
    x = keras.layers.Conv2D(4, 3, kernel_regularizer=keras.regularizers.L2(1e-3), name="conv")(x)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.5, name="norm")(x))
    x = keras.layers.Flatten()(keras.layers.MaxPooling2D(2)(x))
    return keras.Model(image, keras.layers.Dense(classes, "softmax", name="logits")(x))
"""


class CopyFirst(Callback):
    """Copies the run folder as it is after an epoch."""

    def on_epoch_end(self, run, epoch):
        if epoch.epoch == 1:
            shutil.copytree(run.folder.path, Path("mixed", run.recipe.name))


@pytest.fixture(scope="module")
def folder(tmp_path_factory, small_npz, train):
    """A folder with two recipes, what they need, and the first one's run on TensorFlow."""
    folder = tmp_path_factory.mktemp("backends")
    (folder / "small_network.py").write_text(SMALL)
    for name, balance, optimizer, rate, schedule in (
        ("one", 0.5, "adamw", 5e-3, "cosine"),
        ("other", 0.0, "muon", 1e-3, "exponential"),
    ):
        (folder / f"{name}.toml").write_text(
            RECIPE.format(
                name=name, balance=balance, optimizer=optimizer, rate=rate, schedule=schedule
            )
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(folder)
        __import__("small_network")
        keras.utils.set_random_seed(0)
        zoo.build("small", size=24).save("start.keras")
        zoo.build("small", size=20).save("teacher.keras")
        train("one.toml", "keras/one", data=small_npz, callbacks=[CopyFirst()])
        train("other.toml", "keras/other", data=small_npz)
    return folder


@pytest.fixture(scope="module")
def on_jax(folder, small_npz):
    """What the process on JAX says of its runs, which are in the folder."""
    environment = os.environ | JAX | {"FER_MOBILE_PLUGINS": "small_network"}
    environment["XLA_FLAGS"] = "--xla_backend_optimization_level=0"  # compiles in half the time
    # The trainings of the process compile the same.
    environment["JAX_COMPILATION_CACHE_DIR"] = str(folder / "compiled")
    environment["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    environment["PYTHONPATH"] = f"{folder}{os.pathsep}{environment.get('PYTHONPATH', '')}"
    done = subprocess.run(
        [sys.executable, ON_JAX, small_npz],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def history(run):
    return np.genfromtxt(run / "history.csv", delimiter=",", names=True)


@pytest.mark.parametrize("name", ["one", "other"])
def test_losses_follow_those_of_the_other_backend(name, folder, on_jax):
    here, there = (history(folder / backend / name) for backend in ("keras", "device"))
    assert here["loss"][-1] < 0.97 * here["loss"][0]
    # OpenCV warps to bytes and by 1/32 of a pixel, the device in floats.
    for column in ("loss", "valid_loss"):
        np.testing.assert_allclose(there[column], here[column], rtol=0.01)


def test_teacher_targets_are_those_of_the_other_backend(folder, on_jax):
    assert on_jax["asked"] == 1
    files = [folder / backend / "one" / "teacher_targets.npz" for backend in ("keras", "device")]
    files.append(folder / "device" / "other" / "teacher_targets.npz")
    contents = [np.load(file) for file in files]
    assert contents[0]["targets"].shape == (2, 80, 8)
    for content in contents[1:]:
        batches = [json.loads(str(c["about"]))["batches"] for c in (contents[0], content)]
        assert batches[0] == batches[1]
        np.testing.assert_allclose(content["targets"], contents[0]["targets"], atol=0.02)


def test_runs_leave_the_same_files(folder, on_jax):
    left = [sorted(p.name for p in (folder / b / "one").iterdir()) for b in ("keras", "device")]
    assert left[0] == left[1]
    facts = [
        json.loads((folder / b / "one/provenance.json").read_text()) for b in ("keras", "device")
    ]
    assert [f["backend"].split()[0] for f in facts] == ["keras:", "device:"]
    assert ["jax" in f["backend"] for f in facts] == [False, True]
    for key in ("dataset", "initial_weights", "teachers", "recipe", "recipe_sha256", "seeds"):
        assert facts[0][key] == facts[1][key]


@pytest.mark.parametrize("name", ["one", "other"])
def test_a_run_goes_on_with_the_other_backend(name, folder, on_jax):
    """One of the two had an epoch by Keras, and has a rest while the other catches up."""
    whole, resumed = (history(folder / kind / name) for kind in ("device", "mixed"))
    for column in ("epoch", "loss", "valid_loss"):
        np.testing.assert_allclose(resumed[column], whole[column], rtol=0.01)


def test_a_run_of_the_device_goes_on_with_keras(folder, on_jax, train, small_npz):
    assert list(history(folder / "left" / "one")["epoch"][None]) == [1]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        train("one.toml", "left/one", data=small_npz, resume=True)
    whole, resumed = (history(folder / kind / "one") for kind in ("keras", "left"))
    for column in ("epoch", "loss", "valid_loss"):
        # Roundings of the first epoch grow from step to step: with one thread of TensorFlow to
        # 0.5% in the second epoch and 1.4% in the third.
        np.testing.assert_allclose(resumed[column], whole[column], rtol=0.03)


def test_a_recipe_says_when_to_stop(on_jax):
    epochs, reason = on_jax["stopped"]
    assert epochs == 1
    assert reason.endswith("on the training batches")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("augmix", "augmentation.augmix of one: expected 0 with `backend='device'`"),
        ("epochs", "training.epochs of one: expected that of one, to be trained side by side"),
        ("size", "model.options.size of one"),
        ("weight", "distillation.weight of one"),
    ],
)
def test_what_the_device_cannot_do_is_refused_by_name(name, message, on_jax, folder):
    assert message in on_jax["refused"][name]
    assert not (folder / "refused").exists()


def test_faces_are_drawn_as_on_the_processor(on_jax):
    assert max(on_jax["drawing_errors"]) < 4e-3


def test_the_device_backend_needs_jax(train, tiny_recipe, tmp_path):
    with pytest.raises(InputError, match=r"backend='device'.*expected Keras on JAX"):
        train(tiny_recipe, tmp_path / "run", backend="device")
    with pytest.raises(InputError, match=r"parallel: expected none with"):
        train(tiny_recipe, tmp_path / "run", backend="device", parallel="data")
    assert not (tmp_path / "run").exists()


def test_without_jax_the_command_line_says_what_to_install(fer_mobile, tiny_recipe, small_npz):
    without = "import sys; sys.modules['jax'] = None"
    fer_mobile.command = (sys.executable, "-B", "-c", f"{without}; {fer_mobile.command[-1]}")
    line = fer_mobile.refused("train", tiny_recipe, "--data", small_npz, "--backend", "device")
    assert "training: expected the package jax, found it is not installed" in line
    assert "pip install 'fer-mobile[jax]'" in line


@pytest.mark.parametrize("name", ["one", "other"])
def test_rates_weights_targets_and_changes_are_exactly_the_same(name, folder, on_jax, small_npz):
    here = numbers(load_recipe(folder / f"{name}.toml"), small_npz)
    there = on_jax["numbers"][["one", "other"].index(name)]
    assert here.keys() == there.keys()
    for key, values in here.items():
        assert values == there[key], key
    assert np.mean(here["weights"]) == pytest.approx(1)
    assert len(set(here["weights"])) == (1 if name == "other" else 2)


def test_batches_are_made_of_these_numbers(folder, small_npz):
    recipe = load_recipe(folder / "one.toml", ["distillation.teachers=[]"])
    learn, _ = training_rows(recipe, small_npz)
    planner, batches = BatchPlanner(recipe, len(learn), 24), Batches(learn, recipe, 24)
    batches.set_epoch(1)
    plan = planner.plan(1, planner.order(1), 2)
    _, targets, weights = batches[2]
    smooth = 0.9 * learn.targets[plan.rows] + 0.1 / 8
    share = plan.mixup[:, None]
    np.testing.assert_allclose(targets, share * smooth + (1 - share) * smooth[::-1], atol=1e-6)
    np.testing.assert_allclose(weights, plan.mix(row_weights(learn, 0.5)[plan.rows]), atol=1e-6)
