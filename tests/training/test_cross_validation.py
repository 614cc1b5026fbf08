"""Folds of the training rows, and the operating point chosen on them."""

import importlib
import json

import numpy as np
import pytest

from fer_mobile.data import load_dataset
from fer_mobile.errors import DataError, InputError, RecipeError
from fer_mobile.training import load_recipe
from fer_mobile.training.split import held_out, training_rows

TINY = ["model.architecture=simple_cnn", "model.options={size=16}", "epochs=1", "data.folds=2"]


@pytest.fixture(scope="module")
def operating_point():
    """The module of `benchmarks/operating_point.py`."""
    return importlib.import_module("benchmarks.operating_point")


def test_folds_part_the_rows_and_keep_equal_images_together(small_npz):
    rows = load_dataset(small_npz, split="train", training=True)
    folds = rows.folds(3)
    assert set(folds) == {0, 1, 2}
    twice = rows.take(np.r_[np.arange(len(rows)), np.arange(len(rows))])
    assert (twice.folds(3) == np.r_[folds, folds]).all()
    with pytest.raises(InputError, match="count: expected 1 or more folds, found 0"):
        rows.folds(0)


def test_every_training_row_is_judged_by_a_network_that_never_saw_it(
    operating_point, tiny_recipe, small_npz, tmp_path, monkeypatch
):
    monkeypatch.setenv("FER_MOBILE_DATA", str(small_npz))
    recipe = load_recipe(tiny_recipe, TINY)
    rows, probabilities = operating_point.out_of_fold(recipe, tmp_path, 2)
    every = load_dataset(small_npz, split="train", training=True)
    assert len(rows) == len(every) == len(probabilities)
    assert {i.tobytes() for i in rows.images} == {i.tobytes() for i in every.images}
    for fold in (0, 1):
        figures = json.loads((tmp_path / f"tiny_fold{fold}" / "valid.json").read_text())
        assert figures["split"] == f"train, fold {fold + 1} of 2"
        part = recipe.data.model_copy(update={"folds": 2, "fold": fold})
        held = held_out(recipe.model_copy(update={"data": part}))
        assert figures["n"] == len(held)
    table = operating_point.measure(rows, probabilities, every.targets.mean(0))
    assert [row["prior"] for row in table] == list(operating_point.STRENGTHS)
    for row in table:
        for figures in row["recall"].values():
            low, high = figures["interval"]
            assert low <= figures["recall"] <= high


def test_the_strength_chosen_gives_little_accuracy_away(operating_point):
    table = [
        {"prior": 0.0, "accuracy": 0.900, "balanced_accuracy": 0.70},
        {"prior": 0.5, "accuracy": 0.898, "balanced_accuracy": 0.75},
        {"prior": 1.0, "accuracy": 0.880, "balanced_accuracy": 0.80},
    ]
    assert operating_point.choose(table) == 0.5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["data.folds=1"], r"data\.folds: at least 2, or 0 for none, found 1\.$"),
        (["data.folds=2", "data.fold=2"], r"data\.fold: 0 to 1, of 2 `folds`, found 2\.$"),
        (["data.fold=2"], r"data\.fold: 0 without `folds`, found 2\.$"),
        (["data.folds=1", "data.fold=2"], r"data\.folds: at least 2"),
    ],
)
def test_folds_that_are_none_are_refused(tiny_recipe, changes, message):
    with pytest.raises(RecipeError, match=message):
        load_recipe(tiny_recipe, changes)


def test_more_folds_than_faces_are_refused(tiny_recipe, small_npz):
    recipe = load_recipe(tiny_recipe, ["data.folds=100000"])
    with pytest.raises(DataError, match=r"faces in train, fold 1 of 100000, found none\. Make few"):
        training_rows(recipe, small_npz)
