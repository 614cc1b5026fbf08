"""What a recipe can choose beside the network: steps, sampling, optimizers, when to stop."""

import json
import shutil

import keras
import numpy as np
import pytest

from fer_mobile.checkpoint import RunFolder, load_checkpoint
from fer_mobile.convert import export
from fer_mobile.data import load_dataset
from fer_mobile.errors import ModelError, RecipeError
from fer_mobile.evaluation import evaluate
from fer_mobile.golden import golden_faces
from fer_mobile.labels import LABELS
from fer_mobile.preprocess import normalise
from fer_mobile.training.callbacks import last_progress
from fer_mobile.training.muon import Muon
from fer_mobile.training.optimizer import make_optimizer
from fer_mobile.training.recipe import override
from fer_mobile.training.run import Epoch
from fer_mobile.training.schedule import learning_rates
from fer_mobile.training.split import training_rows
from tests.networks import SIZE, brightness_classes


def test_preprocessing_is_the_same_in_training_and_afterwards(train, quick, small_npz, tmp_path):
    recipe = quick('data.preprocessing=["equalize", "dog"]', "model.options={size = 24}")
    best = train(recipe, tmp_path / "run", data=small_npz)
    assert evaluate(tmp_path / "run", small_npz).scores.confusion == best.scores.confusion
    plain = keras.models.load_model(tmp_path / "run" / "best.keras", compile=False)
    plain.save(tmp_path / "plain.keras")
    with pytest.raises(ModelError, match=r"without preprocessing.* found equalize, dog"):
        export(tmp_path / "run", out=tmp_path, quantize="none")
    own = {"labels": LABELS, "value_range": "0..1"}
    loss = evaluate(tmp_path / "plain.keras", small_npz, **own).scores.loss
    assert loss != pytest.approx(
        best.scores.loss, abs=1e-3
    )  # without the steps it sees other faces


def test_an_unknown_step_is_named(quick):
    with pytest.raises(RecipeError, match="Did you mean 'equalize'"):
        quick('data.preprocessing=["equalise"]')


def test_sampling_makes_the_classes_equal(quick, small_npz):
    learn = {
        name: training_rows(quick(f"data.sampling={name}"), small_npz)[0]
        for name in ("all", "under", "over")
    }
    counts = {name: rows.counts() for name, rows in learn.items()}
    there = [count for count in counts["all"].values() if count]
    assert len(set(there)) > 1
    assert [c for c in counts["under"].values() if c] == [min(there)] * len(there)
    assert [c for c in counts["over"].values() if c] == [max(there)] * len(there)
    pictures = {image.tobytes() for image in learn["all"].images}
    assert {image.tobytes() for image in learn["over"].images} == pictures
    kept = {image.tobytes() for image in learn["under"].images}
    assert len(kept) == len(learn["under"])  # none twice
    assert kept < pictures


def test_a_share_of_valid_judges(quick, small_npz):
    valid = load_dataset(small_npz, split="valid")
    _, judged = training_rows(quick("training.valid_fraction=0.25"), small_npz)
    expected = {name: max(1, round(n / 4)) if n else 0 for name, n in valid.counts().items()}
    assert judged.counts() == expected


@pytest.mark.parametrize("name", ["adam", "adamw", "muon", "adagrad", "adadelta", "sgd"])
def test_every_optimizer_learns(name, quick):
    recipe = quick(f"optimizer.name={name}", "learning_rate=0.01", "optimizer.schedule=constant")
    optimizer = make_optimizer(recipe, 20)
    assert optimizer.__class__.__name__.lower() == name
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.layers.Flatten(), keras.layers.Dense(16), keras.layers.Dense(8, "softmax")]
    )
    model.compile(optimizer, "sparse_categorical_crossentropy", run_eagerly=True)  # nothing traced
    faces, labels = normalise(golden_faces(SIZE))[..., None], brightness_classes()
    losses = [float(model.train_on_batch(faces, labels)) for _ in range(8)]
    assert losses[-1] < losses[0]


def test_muon_moves_a_convolution_alike_in_all_directions():
    kernel = keras.Variable(np.zeros((3, 3, 8, 16), np.float32), name="kernel")
    rng = np.random.default_rng(0)
    directions = np.linalg.qr(rng.normal(size=(72, 16)))[0]
    gradient = directions * np.logspace(-2, 0, 16)  # a hundred times as steep along the last
    optimizer = Muon(learning_rate=0.01, weight_decay=0.0)
    optimizer.build([kernel])
    optimizer.apply([keras.ops.convert_to_tensor(gradient.reshape(kernel.shape), "float32")])
    moved = keras.ops.convert_to_numpy(kernel).reshape(72, 16)
    lengths = -(directions * moved).sum(0) / (0.01 * 0.2 * np.sqrt(72))
    # Five iterations leave a length between 0.68 and 1.14 (Jordan et al., 2024).
    assert lengths.min() > 0.65
    assert lengths.max() < 1.2


def test_muon_goes_on_as_if_undisturbed(train, quick, small_npz, tmp_path):
    recipe = quick("optimizer.name=muon", "optimizer.ema=0.9", "epochs=2")

    def copy_after_one(line):
        if line.startswith("epoch   1"):
            shutil.copytree(tmp_path / "whole", tmp_path / "left")

    train(recipe, tmp_path / "whole", data=small_npz, report=copy_after_one)
    train(recipe, tmp_path / "left", data=small_npz, resume=True)
    left, whole = (
        np.loadtxt(tmp_path / name / "history.csv", delimiter=",", skiprows=1)[:, :5]
        for name in ("left", "whole")
    )
    np.testing.assert_allclose(left, whole, rtol=1e-3)


def test_learning_rates(quick):
    falling = quick("optimizer.schedule=exponential", "optimizer.decay=0.5", "epochs=3")
    every = learning_rates(falling.optimizer, 3, 20)
    assert every.shape == (60,)
    assert every[[0, 20, 40]] == pytest.approx([5e-4, 2.5e-4, 1.25e-4])
    steady = quick("optimizer.schedule=constant")
    assert set(learning_rates(steady.optimizer, 2, 20)) == {np.float32(5e-4)}
    cosine = learning_rates(quick("training.epochs=3").optimizer, 3, 20)
    assert cosine[[0, 10, 20]] == pytest.approx([0, 2.5e-4, 5e-4])
    assert cosine[40] == pytest.approx(2.5e-4)
    assert 0 < cosine[-1] < 2e-6
    short = learning_rates(quick("optimizer.warmup_epochs=9").optimizer, 1, 1)
    assert short == pytest.approx([5e-4])


@pytest.mark.parametrize("schedule", ["cosine", "exponential", "constant"])
def test_an_optimizer_follows_the_learning_rates(schedule, quick):
    recipe = quick(f"optimizer.schedule={schedule}", "optimizer.name=sgd", "momentum=0", "epochs=2")
    recipe = override(recipe, ["weight_decay=0"])
    optimizer, variable = make_optimizer(recipe, 3), keras.Variable(0.0)
    optimizer.build([variable])
    moved = []
    for _ in range(8):
        before = float(variable)
        optimizer.apply([keras.ops.convert_to_tensor(-1.0)])
        moved.append(float(variable) - before)
    expected = learning_rates(recipe.optimizer, 2, 3)
    np.testing.assert_allclose(moved, [*expected, *expected[[-1, -1]]], rtol=1e-3, atol=1e-9)
    restored = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert float(restored.learning_rate) == pytest.approx(expected[0])


def test_a_training_stops_at_an_accuracy_and_stays_stopped(train, quick, small_npz, tmp_path):
    recipe, said = quick("training.stop_accuracy=0.01", "epochs=5"), []
    first = train(recipe, tmp_path / "run", data=small_npz, report=said.append)
    state = json.loads((tmp_path / "run" / "state.json").read_text())
    assert state["epochs_done"] == 1
    assert "on the training batches" in state["stopped"]
    assert f"stopped: {state['stopped']}" in said
    # What is said of its weights is how long they were trained, not how long they might have been.
    assert load_checkpoint(tmp_path / "run").provenance.epochs == state["epochs_done"] == 1
    again = train(recipe, tmp_path / "run", data=small_npz, resume=True)
    assert again.scores == first.scores
    assert json.loads((tmp_path / "run" / "state.json").read_text()) == state


def test_a_training_that_gets_no_better_is_stopped(train, quick, small_npz, tmp_path):
    changes = ("training.patience=2", "epochs=9", "optimizer.learning_rate=1e-12")
    train(quick(*changes), tmp_path / "run", data=small_npz)
    state = RunFolder(tmp_path / "run").read_state()
    assert (state.epochs_done, state.stopped) == (3, "no better epoch in 2")


def epochs(*accuracies_and_losses):
    return [
        Epoch(number, 1.0, accuracy, accuracy, loss, 1.0, 0.5, 1.0)
        for number, (accuracy, loss) in enumerate(accuracies_and_losses, 1)
    ]


@pytest.mark.parametrize(
    ("history", "last"),
    [
        (epochs((0.3, 2.0), (0.3, 1.9), (0.3, 1.8)), 2),  # on few faces: it learns all the same
        (epochs((0.3, 2.0), (0.4, 2.1), (0.3, 2.2)), 1),
        (epochs((0.3, 2.0), (0.3, 1.999), (0.3, 1.998)), 0),  # as good as nothing
        (epochs((0.3, 2.0), (0.3, 1.985), (0.3, 1.97)), 2),  # little by little
        (epochs((0.3, float("nan")), (0.3, float("nan"))), 0),
    ],
)
def test_a_better_score_or_a_lower_loss_is_progress(history, last):
    assert last_progress(history) == last


def test_the_history_has_the_accuracy_in_training(trained_run):
    head, *rows = (trained_run / "history.csv").read_text().splitlines()
    column = head.split(",").index("train_accuracy")
    assert all(0 < float(row.split(",")[column]) <= 1 for row in rows)
