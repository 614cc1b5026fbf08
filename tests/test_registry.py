"""Registries: entries of our own, of plugins, and what is refused."""

import json
import re
from pathlib import Path

import pytest

from fer_mobile import zoo
from fer_mobile.data.steps import STEPS
from fer_mobile.errors import DataError, ModelError
from fer_mobile.registry import PLUGINS_VARIABLE, Registry
from tests.command_line import python

PLUGIN = '''
"""A network of somebody else's: this file is all that it takes."""
import keras

from fer_mobile.data.steps import STEPS
from fer_mobile.zoo import Architecture, register

register(Architecture("tiny", "my_network", 18_440, 48, "my paper"))
STEPS.register("negative", lambda face: 255 - face)


@keras.saving.register_keras_serializable("my_network")
class Half(keras.layers.Layer):
    def call(self, x):
        return x / 2


def tiny(size=48, classes=8):
    image = keras.Input((size, size, 1), name="image")
    x = keras.layers.Flatten()(Half()(image))
    return keras.Model(image, keras.layers.Dense(classes, "softmax")(x), name="tiny")
'''

SCRIPT = """
import json
import sys
from pathlib import Path
from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.models import list_models
from fer_mobile.training.recipe import Recipe
source, target = sys.argv[1:]
checkpoint = load_checkpoint(source, value_range="0..1")
checkpoint.model.save(target)
Recipe.model_validate({"name": "mine", "model": {"architecture": "tiny"},
                       "data": {"preprocessing": ["negative"]}, "training": {"epochs": 1}})
row = next(row for row in list_models() if row["name"] == "tiny")
print(json.dumps([checkpoint.architecture, checkpoint.parameters, row["parameters"]]))
"""


def test_an_architecture_outside_the_package_is_one_file(tmp_path, monkeypatch):
    (tmp_path / "my_network.py").write_text(PLUGIN)
    monkeypatch.setenv(PLUGINS_VARIABLE, "my_network")
    # By its name with fresh weights, then from a file in a process that has not built it.
    for source in ("tiny", "saved.keras"):
        done = python(tmp_path, SCRIPT)(source, "saved.keras")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout.splitlines()[-1]) == ["tiny", 18_440, 18_440]


def test_the_studies_register_themselves():
    assert zoo.find("alexnet").module == "fer_mobile.studies.networks.alexnet"
    assert list(STEPS) == ["equalize", "dog", "gamma-0.75", "resize-98"]
    own = [a for a in zoo.ARCHITECTURES.values() if a.module.startswith("fer_mobile.")]
    assert len(own) == 24  # other tests register theirs


def test_a_name_is_given_once():
    registry = Registry[int]("number", error=ModelError)
    registry.register("one", 1)
    registry.register("one", 1)  # a module that is imported again
    with pytest.raises(ModelError, match="number 'one': expected a name of its own"):
        registry.register("one", 2)
    assert dict(registry) == {"one": 1}
    with pytest.raises(ModelError, match="Did you mean 'one'"):
        registry.find("onne")


def test_a_plugin_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setenv(PLUGINS_VARIABLE, " no_such_module ,")
    registry = Registry[int]("number", error=DataError)
    for _ in range(2):  # it is not forgotten
        with pytest.raises(DataError, match=r"plugin 'no_such_module': expected a module"):
            registry.find("one")


def test_the_network_of_the_docs_is_a_plugin(tmp_path, monkeypatch):
    page = (Path(__file__).parents[1] / "docs" / "studies.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(# my_network\.py\n.*?)```", page, re.DOTALL)
    (tmp_path / "my_network.py").write_text(code)
    monkeypatch.setenv(PLUGINS_VARIABLE, "my_network")
    script = "from fer_mobile import zoo; print(zoo.build('tiny').count_params())"
    done = python(tmp_path, script)()
    assert done.stdout.strip() == "18440", done.stderr
