"""benchmarks/train_on_device.py: several recipes in one program that makes their batches itself."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fer_mobile.training import load_recipe
from fer_mobile.training.fit import train

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "train_on_device.py"
JAX = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}

RECIPE = """
name = "{name}"
[model]
architecture = "{architecture}"
options = {{ size = 24 }}
[training]
epochs = 6
batch_size = 8
mixup = 0.2
balance = 0.25
[optimizer]
name = "muon"
learning_rate = {rate}
ema = 0.9
[augmentation]
rotation = 10
noise = 0.05
erase = 0.25
[distillation]
teachers = {teachers}
[calibration]
temperature = true
"""

SAME_FACES = """
import sys
import cv2, jax, jax.numpy as jnp, numpy as np
sys.path.insert(0, sys.argv[1])
from train_on_device import draw, render
from fer_mobile.data.augmentation import Augmentation
from fer_mobile.golden import golden_faces

faces = golden_faces(48)[:32]
options = Augmentation(rotation=20, scale=0.2, shift=0.1, brightness=0.1, contrast=0.3, blur=0.5)
what = draw(jax.random.key(1), len(faces), options)
drawn = np.asarray(render(jnp.asarray(faces), what, 56))
what = {key: np.asarray(value) for key, value in what.items()}
assert 8 < what["blurred"].sum() < 24 and set(what["flip"]) == {-1, 1}
for i, face in enumerate(faces):
    face = face.astype(np.float32) / 255
    turned = np.array([[np.cos(what["angle"][i]), -np.sin(what["angle"][i])],
                       [np.sin(what["angle"][i]), np.cos(what["angle"][i])]])
    turned = turned * 48 / 56 * what["scale"][i]
    turned[:, 0] *= what["flip"][i]
    start = 23.5 + what["shift"][i] * 48 - turned @ [27.5, 27.5]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    want = cv2.warpAffine(face, np.c_[turned, start], (56, 56), flags=flags,
                          borderMode=cv2.BORDER_REPLICATE)
    if what["blurred"][i]:
        want = cv2.GaussianBlur(want, (0, 0), what["sigma"][i] * 56 / 48)
    want = want.mean() + (want - want.mean()) * what["gain"][i] + what["offset"][i]
    # OpenCV's warp has 1/32 of a pixel.
    assert np.abs(np.clip(want, 0, 1) - drawn[i]).mean() < 2e-3
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory, small_npz):
    """A teacher's run, and those of two that learned from it side by side."""
    folder = tmp_path_factory.mktemp("on-device")
    for name, architecture, rate, teachers in (
        ("teacher", "two_conv", 2e-3, "[]"),
        ("one", "two_conv", 2e-3, '["runs/teacher"]'),
        ("other", "compact", 4e-3, '["runs/teacher"]'),
    ):
        recipe = RECIPE.format(name=name, architecture=architecture, rate=rate, teachers=teachers)
        (folder / f"{name}.toml").write_text(recipe, encoding="utf-8")
    for together in (["teacher"], ["one", "other"]):
        recipes = [f"{name}.toml" for name in together]
        done = script(folder, *recipes, "--runs", "runs", "--data", small_npz, "--every=2")
        assert done.returncode == 0, done.stderr
        assert "epoch   6" in done.stdout
    return folder / "runs"


def script(folder, *arguments):
    return subprocess.run(
        [sys.executable, SCRIPT, *arguments],
        cwd=folder, env=os.environ | JAX, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.prove
@pytest.mark.parametrize("name", ["teacher", "one", "other"])
def test_a_run_is_one_that_train_can_end(runs, small_npz, name, monkeypatch):
    monkeypatch.chdir(runs.parent)
    with (runs / name / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["2", "4", "6"]
    assert float(rows[-1]["loss"]) < 0.95 * float(rows[0]["loss"])
    said = json.loads((runs / name / "valid.json").read_text(encoding="utf-8"))
    recipe = load_recipe(runs.parent / f"{name}.toml")
    found = train(recipe, runs / name, data=small_npz, resume=True, report=print)
    assert (runs / name / "calibration.json").is_file()
    # The same weights on the other backend, but for a temperature.
    assert found.accuracy == pytest.approx(said["accuracy"], abs=0.05)


@pytest.mark.prove
def test_recipes_that_cannot_share_their_batches_are_refused(runs, small_npz):
    done = script(runs.parent, "one.toml", "teacher.toml", "--runs", "no", "--data", small_npz)
    assert (
        "teacher: expected size, data, augmentation, teachers and [training] of one" in done.stderr
    )


@pytest.mark.prove
def test_faces_are_changed_as_drawn(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", SAME_FACES, SCRIPT.parent],
        env=os.environ | JAX, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
