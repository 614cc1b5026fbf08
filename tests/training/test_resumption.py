"""Going on with a run: with its recipe, its labels and its files, whatever became of them."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from fer_mobile.checkpoint import RunFolder, load_checkpoint
from fer_mobile.errors import DataError, ModelError, RecipeError
from fer_mobile.golden import golden_faces
from fer_mobile.training.callbacks import Callback
from tests.conftest import small_columns

OWN = ("data.protocol=own", "batch_size=8")


def faces(folder, labels, count=24):
    """A dataset: a folder for each label."""
    for number, face in enumerate(golden_faces(48)[:count]):
        place = folder / labels[number % len(labels)]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(face).save(place / f"{number}.png")
    return folder


@pytest.fixture
def own(tmp_path):
    return faces(tmp_path / "own", ("calm", "odd", "wild"))


@pytest.fixture
def run(train, quick, own, tmp_path):
    """The folder of a run of one epoch."""
    return train(quick("epochs=1", *OWN), tmp_path / "run", data=own).folder


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("epochs", [1, 2])
@pytest.mark.parametrize("labels", [("eager", "tired", "zany"), ("eager", "tired")])
def test_other_labels_are_refused_before_anything_is_written(
    train, quick, run, tmp_path, labels, epochs
):
    other, before = faces(tmp_path / "other", labels), contents(run)
    expected = r"^other: expected the labels of the run to resume, calm, odd, wild, found eager, "
    with pytest.raises(DataError, match=expected):
        train(quick(f"epochs={epochs}", *OWN), run, data=other, resume=True)
    assert contents(run) == before


def test_more_faces_are_reported_and_recorded(train, quick, run, own):
    faces(own, ("calm", "odd", "wild"), 36)
    lines = []
    train(quick("epochs=2", *OWN), run, data=own, resume=True, report=lines.append)
    dataset = RunFolder(run).read_provenance().dataset
    train_faces = sum(counts["train"] for counts in dataset.counts.values())
    (told,) = [line for line in lines if "other faces" in line]
    assert told.startswith("tiny: 1 epoch so far of other faces (")
    assert f"; now {train_faces} train, {36 - train_faces} validate)" in told
    assert dataset.kind == "a folder for each class; before, 1 epoch of other faces"
    train(quick("epochs=3", *OWN), run, data=own, resume=True)
    assert RunFolder(run).read_provenance().dataset == dataset


def test_a_finished_run_takes_no_other_faces(train, quick, run, own):
    faces(own, ("calm", "odd", "wild"), 36)
    before = contents(run)
    with pytest.raises(DataError, match=r"which is finished, found others \(.*more training\.epoc"):
        train(quick("epochs=1", *OWN), run, data=own, resume=True)
    assert contents(run) == before


def test_the_same_faces_may_lie_elsewhere(train, quick, run, own, tmp_path):
    lines, moved = [], own.rename(tmp_path / "moved")
    train(quick("epochs=2", *OWN), run, data=moved, resume=True, report=lines.append)
    assert not any("other faces" in line for line in lines)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "3", '"text"', '{"dataset": 3}', "\x00\udcff", "[" * 9999],
    ids=["empty", "open", "list", "number", "text", "values", "bytes", "deep"],
)  # fmt: skip
@pytest.mark.parametrize(
    "name", ["recipe.json", "state.json", "valid.json", "provenance.json", "history.csv"]
)
def test_a_damaged_file_is_named(
    train, trained_run, tiny_recipe, small_npz, tmp_path, name, content
):
    run = shutil.copytree(trained_run, tmp_path / "run")
    (run / name).write_text(content, errors="surrogateescape")
    before = contents(run)
    with pytest.raises(
        ModelError, match=rf"{name}: .* found a damaged one .* another folder\.$"
    ) as raised:
        train(tiny_recipe, run, data=small_npz, resume=True)
    assert "\n" not in str(raised.value)
    if name != "history.csv":
        with pytest.raises(ModelError, match=rf"{name}: .* found a damaged one "):
            load_checkpoint(run)
    assert contents(run) == before


@pytest.mark.parametrize("name", ["recipe.json", "valid.json", "history.csv"])
def test_a_missing_file_is_named(train, trained_run, tiny_recipe, small_npz, tmp_path, name):
    run = shutil.copytree(trained_run, tmp_path / "run")
    (run / name).unlink()
    with pytest.raises(ModelError, match=rf"{name}: .* \(No such file"):
        train(tiny_recipe, run, data=small_npz, resume=True)


def test_a_damaged_calibration_is_named(trained_run, tmp_path):
    run = shutil.copytree(trained_run, tmp_path / "run")
    (run / "calibration.json").write_text('{"temperature": 0}')
    with pytest.raises(ModelError, match=r"calibration\.json: .*\(temperature: input should be "):
        load_checkpoint(run)


def test_fewer_rows_than_epochs_are_damage(train, trained_run, tiny_recipe, small_npz, tmp_path):
    run = shutil.copytree(trained_run, tmp_path / "run")
    lines = (run / "history.csv").read_text().splitlines()
    (run / "history.csv").write_text("\n".join(lines[:2]) + "\n")
    with pytest.raises(ModelError, match=r"history\.csv: .*damaged one \(1 of 2 epochs\)"):
        train(tiny_recipe, run, data=small_npz, resume=True)


@pytest.mark.parametrize("content", [b"", b"no archive"])
def test_damaged_weights_are_named(train, quick, run, own, content):
    (run / "last.keras").write_bytes(content)
    before = contents(run)
    with pytest.raises(ModelError, match=r"last\.keras: expected weights and optimizer"):
        train(quick("epochs=2", *OWN), run, data=own, resume=True)
    assert contents(run) == before


def test_a_recipe_that_is_none_is_not_one_with_other_values(
    train, trained_run, tiny_recipe, small_npz, tmp_path
):
    run = shutil.copytree(trained_run, tmp_path / "run")
    recipe = json.loads((run / "recipe.json").read_text())
    recipe["training"]["epoch"] = 3
    (run / "recipe.json").write_text(json.dumps(recipe))
    with pytest.raises(RecipeError, match=r"recipe\.json: .*found 'training\.epoch'"):
        train(tiny_recipe, run, data=small_npz, resume=True)


def test_a_run_without_a_finished_epoch_is_told_to_go_on(trained_run, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    shutil.copy(trained_run / "recipe.json", run)
    with pytest.raises(ModelError, match=r"without a finished epoch\. .* `train\(resume=True\)`"):
        load_checkpoint(run)
    with pytest.raises(ModelError, match=r"or a run folder, found a folder\.$"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize(
    ("change", "stopped", "again"),
    [
        ("training.patience=2", "no better epoch in 2", 5),
        ("stop_accuracy=0.01", "accuracy ", 2),
    ],
)
def test_a_stopped_run_goes_on_for_more_epochs(
    train, quick, small_npz, tmp_path, change, stopped, again
):
    """Patience counts anew; an accuracy that was reached ends the run after an epoch."""
    changes, run = (change, "optimizer.learning_rate=1e-12"), tmp_path / "run"
    first = train(quick("epochs=8", *changes), run, data=small_npz)
    assert first.stopped.startswith(stopped)
    lines = []
    longer = quick("epochs=9", *changes)
    result = train(longer, run, data=small_npz, resume=True, report=lines.append)
    assert lines[0].startswith("tiny: 9 epochs, not 8; the rate follows the longer run")
    assert ("patience counts anew" in lines[0]) == ("patience" in change)
    assert any(f"epochs {first.epochs + 1} to 9" in line for line in lines)
    assert (result.epochs, result.stopped[: len(stopped)]) == (again, stopped)
    assert RunFolder(run).read_recipe().training.epochs == 9
    before = contents(run)
    assert train(longer, run, data=small_npz, resume=True) == result
    assert contents(run) == before


def test_a_longer_run_is_not_forgotten_where_it_is_killed(train, quick, small_npz, tmp_path):
    class Killed(Callback):
        def on_epoch_begin(self, run):
            raise KeyboardInterrupt

    changes, run = ("training.patience=2", "optimizer.learning_rate=1e-12"), tmp_path / "run"
    train(quick("epochs=8", *changes), run, data=small_npz)
    longer = quick("epochs=9", *changes)
    with pytest.raises(KeyboardInterrupt):
        train(longer, run, data=small_npz, resume=True, callbacks=[Killed()])
    assert train(longer, run, data=small_npz, resume=True).epochs == 5


@pytest.fixture
def other_valid(tmp_path):
    """The small dataset with other faces to validate."""
    columns = small_columns()
    valid = columns["split"] == 1
    columns["images"][valid] = 255 - columns["images"][valid]
    np.savez(tmp_path / "other.npz", **columns)
    return tmp_path / "other.npz"


def test_other_validation_faces_are_noticed(train, quick, small_npz, other_valid, tmp_path):
    run, lines = tmp_path / "run", []
    train(quick("epochs=1", "calibration.prior=0.5"), run, data=small_npz)
    before = contents(run)
    with pytest.raises(DataError, match="the faces of the run to resume, which is finished"):
        train(quick("epochs=1", "calibration.prior=0.5"), run, data=other_valid, resume=True)
    assert contents(run) == before
    longer = quick("epochs=2", "calibration.prior=0.5")
    train(longer, run, data=other_valid, resume=True, report=lines.append)
    assert any("1 epoch so far of other faces" in line for line in lines)


@pytest.mark.parametrize("calibration", ["calibration.prior=0.5", "calibration.temperature=true"])
def test_a_finished_run_keeps_its_figures_on_faces_it_does_not_know(
    train, quick, small_npz, other_valid, tmp_path, calibration
):
    recipe, run = quick("epochs=1", calibration), tmp_path / "run"
    train(recipe, run, data=small_npz)
    state = json.loads((run / "state.json").read_text())
    assert len(state.pop("valid_digest")) == 64
    (run / "state.json").write_text(json.dumps(state))  # as earlier versions wrote it
    before = contents(run)
    train(recipe, run, data=other_valid, resume=True)
    assert contents(run) == before
    lines: list[str] = []
    longer = quick("epochs=2", calibration)
    train(longer, run, data=small_npz, resume=True, report=lines.append)
    assert not any("other faces" in line for line in lines)


def test_a_run_killed_before_it_was_calibrated_is_completed(train, quick, small_npz, tmp_path):
    recipe, run = quick("epochs=1", "calibration.prior=0.5"), tmp_path / "run"
    train(recipe, run, data=small_npz)
    whole = json.loads((run / "valid.json").read_text())
    (run / "calibration.json").unlink()
    train(recipe, run, data=small_npz, resume=True)
    assert (run / "calibration.json").is_file()
    assert json.loads((run / "valid.json").read_text()) == whole
