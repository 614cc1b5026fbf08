"""A really trained tiny model: what a run leaves, and what kills and resumption do to it."""

import csv
import json
import shutil
import signal
import sys

import keras
import numpy as np
import pytest
from PIL import Image

from fer_mobile.contract import read_contract
from fer_mobile.errors import DataError, ModelError, RecipeError
from fer_mobile.evaluation import evaluate
from fer_mobile.metrics import score
from fer_mobile.models import DEFAULT, tflite_file
from fer_mobile.training import load_recipe
from fer_mobile.training.fit import COLUMNS, train


def history(folder):
    with (folder / "history.csv").open(newline="") as file:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]


def silently(line):
    pass


def test_a_run_learns_and_keeps_its_records(trained_run):
    rows = history(trained_run)
    assert tuple(rows[0]) == COLUMNS
    assert [row["epoch"] for row in rows] == [1, 2]
    assert rows[-1]["loss"] < 0.93 * rows[0]["loss"]
    with Image.open(trained_run / "curves.png") as picture:
        picture.load()
        assert picture.format == "PNG"
        assert min(picture.size) > 300
        assert len(picture.convert("RGB").getcolors(10**6)) > 20  # something is drawn
    assert json.loads((trained_run / "state.json").read_text()) == {"epochs_done": 2}
    assert sorted(path.name for path in trained_run.iterdir()) == [
        "best.keras", "curves.png", "history.csv", "last.keras",
        "recipe.json", "state.json", "valid.json",
    ]  # fmt: skip


def test_the_best_weights_give_the_recorded_figures(trained_run, small_npz):
    model = keras.models.load_model(trained_run / "best.keras", compile=False)
    assert model.dtype_policy.name == "float32"
    recorded = json.loads((trained_run / "valid.json").read_text())
    found = evaluate(trained_run, small_npz)
    assert found.as_dict()["confusion"] == recorded["confusion"]
    assert recorded["accuracy"] == pytest.approx(
        max(row["accuracy"] for row in history(trained_run))
    )


def test_evaluation_in_training_is_that_of_evaluate(trained_run, small_npz):
    from fer_mobile.data import load_dataset
    from fer_mobile.preprocess import normalise, resize

    valid = load_dataset(small_npz, split="valid")
    model = keras.models.load_model(trained_run / "best.keras", compile=False)
    faces = normalise(np.stack([resize(image, 16) for image in valid.images]))[..., None]
    by_hand = score(model.predict(faces, verbose=0), valid.labels, valid.names)
    assert by_hand.confusion == evaluate(trained_run, small_npz).scores.confusion


def test_a_finished_run_resumes_to_its_figures(trained_run, small_npz, tiny_recipe, tmp_path):
    copy = shutil.copytree(trained_run, tmp_path / "copy")
    before = (copy / "history.csv").read_text()
    found = train(load_recipe(tiny_recipe), copy, data=small_npz, resume=True, report=silently)
    assert (copy / "history.csv").read_text() == before
    assert found.accuracy == json.loads((copy / "valid.json").read_text())["accuracy"]


def test_a_folder_with_a_run_is_not_overwritten(trained_run, small_npz, tiny_recipe):
    recipe = load_recipe(tiny_recipe)
    with pytest.raises(RecipeError, match=r"found a run\. Give another --out.*--resume"):
        train(recipe, trained_run, data=small_npz, report=silently)
    other = load_recipe(tiny_recipe, ["learning_rate=1e-2"])
    with pytest.raises(RecipeError, match=r"a run of the same recipe to resume.*recipe\.json"):
        train(other, trained_run, data=small_npz, resume=True, report=silently)


XCAO = ["model.architecture=xcao", "model.options={size = 56}"]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ("model.architecture=xcao_three", ModelError, "Did you mean 'xcao"),
        ("model.options.size=57", ModelError, "Set size to 56"),
        ("model.options.depth=3", RecipeError, "arguments of xcao, found .*depth"),
        ("model.options.dropout=[0.5]", RecipeError, "arguments of xcao"),
        ("model.options.dropout=[3, 0, 0]", RecipeError, "arguments of xcao"),
        ("model.options.pools=3", RecipeError, "arguments of xcao"),
        ("train_protocol=fer2013", DataError, "the 8 labels of ferplus-strict, found 7"),
        ("data.protocol=ferplus", DataError, "Did you mean"),
    ],
)
def test_a_recipe_that_cannot_be_trained_leaves_no_run(
    tiny_recipe, small_npz, tmp_path, change, error, message
):
    recipe = load_recipe(tiny_recipe, [*XCAO, change])
    with pytest.raises(error, match=message):
        train(recipe, tmp_path / "run", data=small_npz, report=silently)
    assert not (tmp_path / "run").exists()


def test_mixed_precision_balance_and_mixup_train_too(tiny_recipe, small_npz, tmp_path):
    recipe = load_recipe(
        tiny_recipe,
        [*XCAO, "epochs=1", "batch_size=16", "precision=mixed_bfloat16", "mixup=0.2", "balance=0.5",
         "label_smoothing=0.1", "optimizer.name=sgd", "fraction=0.5", "protocol=fer2013"],
    )  # fmt: skip
    run = tmp_path / "run"
    found = train(recipe, run, data=small_npz, throughput=False, report=silently)
    assert set(found.recall) == set(read_contract(tflite_file(DEFAULT)).labels) - {"contempt"}
    assert np.isfinite(history(run)[0]["loss"])
    model = keras.models.load_model(run / "best.keras", compile=False)
    assert {w.dtype for w in model.weights} == {"float32"}
    assert model.get_layer("a_conv0").compute_dtype == "float32"
    assert keras.mixed_precision.dtype_policy().name == "float32"  # the caller's again


KILLED = """
import os, signal
from fer_mobile.training.batches import Batches

give = Batches.__getitem__

def give_or_die(self, index):
    if (self.epoch, index) == (1, 10):
        os.kill(os.getpid(), signal.SIGKILL)
    return give(self, index)

Batches.__getitem__ = give_or_die
"""
"""Kills the process in the middle of the second epoch, however fast it is."""


def test_a_kill_costs_at_most_the_epoch_it_falls_into(
    fer_mobile, trained_run, small_npz, tiny_recipe, tmp_path
):
    folder = tmp_path / "killed"
    fer_mobile.command = (sys.executable, "-c", f"{KILLED}\n{fer_mobile.command[-1]}")
    done = fer_mobile("train", tiny_recipe, "--data", small_npz, "--out", folder)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert json.loads((folder / "state.json").read_text()) == {"epochs_done": 1}
    (killed,) = history(folder)

    lines = []
    train(load_recipe(tiny_recipe), folder, data=small_npz, resume=True, report=lines.append)
    assert "epochs 2 to 2" in lines[0]
    assert [line.split()[0] for line in lines[1:]] == ["epoch", "throughput:"]
    rows, undisturbed = history(folder), history(trained_run)
    assert [row["epoch"] for row in rows] == [1, 2]
    assert rows[0] == killed  # what was done is not done again
    for row, expected in zip(rows, undisturbed, strict=True):
        # Batches, weights, averages and the optimizer's state are those of an undisturbed run
        # (dropout, which this recipe does without, draws other masks after a resumption).
        assert row["loss"] == pytest.approx(expected["loss"], rel=1e-3)
        assert row["valid_loss"] == pytest.approx(expected["valid_loss"], rel=1e-3)
    assert not list(folder.glob(".*part*"))
