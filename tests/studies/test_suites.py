"""The definitions of the suites: complete, buildable by name, and with the sources' figures."""

import inspect

import pytest

from fer_mobile.data.protocols import vocabulary
from fer_mobile.errors import InputError
from fer_mobile.studies.suite import COLUMNS
from fer_mobile.studies.suites import SUITES, find_suite
from fer_mobile.zoo import ARCHITECTURES

RUNS = [run for suite in SUITES.values() for run in suite.runs]


def test_every_comparison_of_the_studies_is_there():
    assert sorted(SUITES) == [
        "emotion-11", "four-class-cnn", "thesis-fig26", "thesis-table3", "thesis-table4",
        "thesis-table5", "thesis-table6", "thesis-table7", "transfer-6", "two-conv",
    ]  # fmt: skip
    with pytest.raises(InputError, match="Did you mean 'thesis-table5'"):
        find_suite("thesis-tabel5")


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_a_run_asks_for_what_its_architecture_has(run):
    architecture = ARCHITECTURES[run.recipe.model.architecture]
    builder = getattr(architecture.load_module(), architecture.name)
    inspect.signature(builder).bind(classes=8, **run.recipe.model.options)
    assert len(vocabulary(run.recipe.data.protocol)) in (4, 7, 8)
    assert set(run.printed) <= set(COLUMNS)
    assert not set(run.printed) - {"epoch_s"} or run.printed.get("accuracy", 1) <= 1


def test_runs_of_one_name_are_one_recipe():
    recipes = {}
    for run in RUNS:
        assert recipes.setdefault(run.name, run.recipe) == run.recipe


@pytest.mark.parametrize("suite", SUITES.values(), ids=SUITES)
def test_what_is_printed_is_shown(suite):
    assert set(suite.columns) <= set(COLUMNS)
    assert list(suite.setup) == ["data", "size", "epochs", "processor"]
    assert any(set(run.printed) & set(suite.columns) for run in suite.runs)


def test_a_row_of_imagenet_weights_has_one_from_scratch_beside_it():
    for suite in SUITES.values():
        models = [run.recipe.model for run in suite.runs]
        networks = {imagenet: set() for imagenet in (True, False)}
        for model in models:
            network = model.options.get("base", model.architecture)
            networks[model.options.get("weights") == "imagenet"].add(network)
        assert networks[True] <= networks[False], suite.name


def test_the_shares_by_label_are_those_of_the_confusion_matrix():
    """Table 7 prints them in whole per cent; surprise's 385 of 1,171 is its only 32."""
    (run,) = SUITES["thesis-table7"].runs
    shares = {label: int(100 * share + 1e-9) for label, share in run.printed_recall.items()}
    assert shares == {
        "neutral": 81, "happiness": 91, "sadness": 48, "surprise": 32,
        "fear": 34, "disgust": 17, "anger": 50, "contempt": 0,
    }  # fmt: skip
