"""A recipe with every combination of some values."""

import json

import pytest

from fer_mobile.errors import InputError
from fer_mobile.studies.run_suite import SuiteOptions
from fer_mobile.studies.suite import make_recipe
from fer_mobile.studies.sweep import make_sweep
from tests.studies.test_compare import DEFAULTS

RECIPE = make_recipe("mine", "simple_cnn", {"size": 16}, DEFAULTS)
TOML = """
name = "mine"
[model]
architecture = "simple_cnn"
options = {size = 16}
[data]
protocol = "fer2013-4"
[training]
epochs = 1
batch_size = 16
"""


def test_every_combination_has_a_run():
    suite = make_sweep(RECIPE, ["model.options.kernel=2,3", "learning_rate=0.01, 0.001"])
    assert [run.row for run in suite.runs] == [
        "kernel=2, learning_rate=0.01", "kernel=2, learning_rate=0.001",
        "kernel=3, learning_rate=0.01", "kernel=3, learning_rate=0.001",
    ]  # fmt: skip
    assert len({run.name for run in suite.runs}) == 4
    last = suite.runs[-1]
    assert last.name == "mine-kernel-3-learning-rate-0.001"
    assert last.recipe.model.options == {"size": 16, "kernel": 3}
    assert last.recipe.optimizer.learning_rate == 0.001


def test_a_comma_in_brackets_parts_no_values():
    steps = 'data.preprocessing=[],["equalize","gamma-0.75"]'
    first, second = make_sweep(RECIPE, [steps]).runs
    assert first.recipe.data.preprocessing == ()
    assert second.recipe.data.preprocessing == ("equalize", "gamma-0.75")


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ([], "grid: expected keys with values, each key once, found none"),
        (["epochs"], "grid: expected key=value,value"),
        (["epochs=1,,2"], "grid: expected key=value,value"),
        (["epochs=1", "epochs=2"], "each key once"),
        (["learning_rat=1,2"], "learning_rat"),
        (["optimizer.name=adam,adams"], "adams"),
        (["model.options.kernl=2,3"], "option of simple_cnn 'kernl': .* Did you mean 'kernel'"),
        (["learning_rate=0.1", "optimizer.learning_rate=0.2"], "set once, found learning_rate=0.1"),
        (["learning_rate=0.1,0.10"], "one recipe for learning_rate=0.1 and learning_rate=0.10"),
        (["name=a,b"], "one recipe for name=a and name=b"),
        ([f"seed={','.join(map(str, range(101)))}"], "at most 100 runs, found 101"),
    ],
)
def test_a_wrong_grid_is_refused(grid, message):
    with pytest.raises(InputError, match=message):
        make_sweep(RECIPE, grid)


def test_what_changes_every_recipe_leaves_the_grid_alone():
    change = SuiteOptions(overrides=["batch_size=8"]).change
    assert len(make_sweep(RECIPE, ["epochs=1,2"], change).runs) == 2
    for options in (SuiteOptions(overrides=["training.epochs=3"]), SuiteOptions(quick=True)):
        with pytest.raises(InputError, match="set once, found epochs=1, and another value"):
            make_sweep(RECIPE, ["epochs=1,3"], options.change)


def test_the_command_sweeps_a_recipe(fer_mobile, small_npz):
    (fer_mobile.folder / "mine.toml").write_text(TOML)
    done = fer_mobile(
        "compare", "sweep", "mine.toml", "--grid", "model.options.kernel=2,3", "--data", small_npz
    )
    assert done.returncode == 0, done.stderr
    assert "sweep-mine: 2 of 2 runs have figures" in done.stdout
    folder = fer_mobile.folder / "comparisons"
    rows = json.loads((folder / "sweep-mine.json").read_text(encoding="utf-8"))["rows"]
    assert [row["row"] for row in rows] == ["kernel=2", "kernel=3"]
    assert rows[0]["parameters"] < rows[1]["parameters"]
    page = (folder / "sweep-mine.html").read_text(encoding="utf-8")
    assert "kernel=3" in page
    assert "printed" not in page
    assert "--grid" in fer_mobile.refused("compare", "sweep", "mine.toml")
    said = fer_mobile.refused("compare", "two-conv", "--cores", 2)
    assert "--cores: expected --engine ray with it" in said
    assert "a recipe's file or name" in fer_mobile.refused("compare", "sweep")
