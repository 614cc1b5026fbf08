"""A `.keras` file with code in it is refused before Keras opens it."""

import json
import shutil
import zipfile

import keras
import pytest
from keras import layers

from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.errors import ModelError
from fer_mobile.models import shipped_models

SHIPPED = shipped_models()["compact"].checkpoint


@pytest.fixture
def keras_stays_closed(monkeypatch):
    def load_model(*_, **__):
        raise AssertionError("Keras was given the file")

    monkeypatch.setattr(keras.saving, "load_model", load_model)


def network(*inner):
    x = image = keras.Input((16, 16, 1))
    for layer in (*inner, layers.Flatten(), layers.Dense(8, activation="softmax")):
        x = layer(x)
    return keras.Model(image, x)


def with_config(path, change):
    """The shipped weights under a changed config.json."""
    with zipfile.ZipFile(SHIPPED) as old, zipfile.ZipFile(path, "w") as new:
        for entry in old.namelist():
            data = old.read(entry)
            if entry == "config.json":
                config = json.loads(data)
                data = json.dumps(change(config) or config)
            new.writestr(entry, data)
    return path


def test_a_lambda_layer_is_refused(tmp_path, keras_stays_closed):
    path = tmp_path / "code.keras"
    network(layers.Lambda(lambda x: x * 2)).save(path)
    with pytest.raises(ModelError, match=r"without code in the file, found a Lambda\."):
        load_checkpoint(path)


def test_a_lambda_layer_in_a_model_in_the_model_is_refused(tmp_path, keras_stays_closed):
    inner = keras.Sequential([keras.Input((16, 16, 1)), layers.Lambda(lambda x: x * 2)])
    network(inner).save(tmp_path / "code.keras")
    with pytest.raises(ModelError, match="found a Lambda"):
        load_checkpoint(tmp_path / "code.keras")


def test_a_layer_that_nobody_here_registered_is_refused(tmp_path, keras_stays_closed):
    @keras.saving.register_keras_serializable("elsewhere")
    class Stranger(layers.Layer):
        def call(self, x):
            return x

    network(Stranger()).save(tmp_path / "own.keras")
    del keras.saving.get_custom_objects()["elsewhere>Stranger"]
    with pytest.raises(ModelError, match="found Stranger of "):
        load_checkpoint(tmp_path / "own.keras")


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("subprocess", "Popen"),
        ("keras.utils", "get_file"),
        ("keras.config", "enable_unsafe_deserialization"),
        ("keras.src.utils.file_utils", "get_file"),
        ("keras_other.layers", "Dense"),
        ("keras.layers", "TFSMLayer"),
    ],
)
def test_what_acts_when_it_is_named_is_refused(tmp_path, keras_stays_closed, module, name):
    def change(config):
        layer = next(x for x in config["config"]["layers"] if x["class_name"] == "Dense")
        layer["config"]["kernel_initializer"] = {
            "module": module,
            "class_name": name,
            "config": {},
            "registered_name": name,
        }

    with pytest.raises(ModelError, match=f"found (a )?{name}"):
        load_checkpoint(with_config(tmp_path / "forged.keras", change))


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, " " * 20_000_001])
def test_a_description_that_is_none(tmp_path, keras_stays_closed, text):
    path = tmp_path / "odd.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", text)
    with pytest.raises(ModelError, match="a Keras 3 model file") as raised:
        load_checkpoint(path)
    assert "\n" not in str(raised.value)


def test_what_keras_itself_has_is_read(tmp_path):
    shutil.copy(SHIPPED, tmp_path / "own.keras")
    assert load_checkpoint(tmp_path / "own.keras", value_range="0..1").size == 56
    network(
        layers.RandomFlip(),
        layers.Conv2D(4, 3, activation="gelu", kernel_regularizer=keras.regularizers.L2(1e-4)),
        layers.LayerNormalization(),
    ).save(tmp_path / "plain.keras")
    assert load_checkpoint(tmp_path / "plain.keras", value_range="0..1").labels == ()
