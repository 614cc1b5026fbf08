"""Shipped models by name; a copy for another protocol is an int8 file alone."""

import pytest

from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.errors import ModelError
from fer_mobile.evaluation import evaluate
from fer_mobile.explain import explain
from fer_mobile.labels import LABELS_7
from fer_mobile.model_file import read_contract
from fer_mobile.models import list_models, shipped_models
from fer_mobile.resources import photos_dir
from fer_mobile.training import find_recipe, load_recipe

COPIES = sorted(shipped_models(copies=True).keys() - shipped_models().keys())


def test_a_copy_is_shipped():
    assert COPIES == ["compact_fer2013"]


@pytest.mark.parametrize("name", COPIES)
class TestCopy:
    def test_is_listed_with_its_figures(self, name):
        (row,) = [row for row in list_models() if row["name"] == name]
        assert row["files"].keys() == {"int8"}
        (int8,) = [figures for figures in row["figures"] if figures["precision"] == "int8"]
        assert int8["protocol"] == "fer2013"
        assert tuple(int8["recall"]) == LABELS_7

    def test_says_how_its_weights_are_made(self, name):
        with pytest.raises(ModelError, match=f"an int8 file alone. Train the recipe '{name}'"):
            load_checkpoint(name)
        assert load_recipe(find_recipe(name)).name == name

    def test_answers_what_its_contract_says(self, name, shared_data):
        found = evaluate(name, shared_data, protocol="fer2013")
        contract = read_contract(shipped_models(copies=True)[name].files["int8"])
        (figures,) = [row for row in contract.figures if row.precision == "int8"]
        assert found.scores.n == figures.n
        assert found.scores.accuracy == pytest.approx(figures.accuracy, abs=0.002)

    def test_sees_a_smile_by_its_name(self, name):
        (found,) = explain(photos_dir() / "astronaut-smile.jpg", name)
        assert found.label == "happiness"
