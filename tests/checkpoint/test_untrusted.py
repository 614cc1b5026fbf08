"""A .keras file from a stranger is refused before any code in it runs."""

import json
import zipfile
from pathlib import Path

import keras
import pytest
import tensorflow as tf

from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.errors import ModelError

PLANTED = "import pathlib\npathlib.Path(__file__).with_name('ran').touch()\ndef run(x): return x\n"


@pytest.fixture
def planted(tmp_path, monkeypatch) -> Path:
    """A folder of modules, `planted.py` among them, which leaves the file `ran` when it runs."""
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "planted.py").write_text(PLANTED)
    monkeypatch.syspath_prepend(str(folder))
    return folder


def with_layer(path: Path, layer: dict) -> Path:
    """A .keras file whose one layer is of the given configuration."""
    plain = path.with_name("plain.keras")
    keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2, name="dense")]).save(plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w") as target:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename == "config.json":
                config = json.loads(content)
                layers = config["config"]["layers"]
                layers[-1] = {**layers[-1], "registered_name": None, **layer}
                content = json.dumps(config).encode()
            target.writestr(entry, content)
    return path


def function(module: str, name: str) -> dict:
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


def calling(module: str, name: str) -> dict:
    config = {"name": "dense", "function": function(module, name), "arguments": {}}
    return {"module": "keras.layers", "class_name": "Lambda", "config": config}


@pytest.mark.parametrize(
    "layer",
    [
        calling("planted", "run"),  # run by Keras 3.8: CVE-2025-1550
        {"module": "planted", "class_name": "run", "config": {}},
        calling("keras.config", "enable_unsafe_deserialization"),  # 3.10: CVE-2025-9906
    ],
    ids=["function", "class", "switch"],
)
def test_a_layer_that_runs_code_is_refused(layer, planted, tmp_path):
    file = with_layer(tmp_path / "model.keras", layer)
    with pytest.raises(ModelError, match=r"model\.keras"):
        load_checkpoint(file)
    assert not (planted / "ran").exists()


def test_a_saved_model_elsewhere_is_refused(tmp_path):  # loaded by Keras 3.13.1: CVE-2026-1462
    module = tf.Module()
    signature = tf.TensorSpec((None, 4), tf.float32)
    module.call = tf.function(lambda x: {"y": x}, input_signature=[signature])
    elsewhere = str(tmp_path / "elsewhere")
    tf.saved_model.save(module, elsewhere, signatures={"serve": module.call})
    config = {"name": "dense", "filepath": elsewhere, "call_endpoint": "serve"}
    layer = {"module": "keras.layers", "class_name": "TFSMLayer", "config": config}
    with pytest.raises(ModelError, match=r"model\.keras"):
        load_checkpoint(with_layer(tmp_path / "model.keras", layer))


def test_bytecode_is_refused(planted, tmp_path):
    def run(x):
        Path(ran).touch()
        return x

    ran = str(planted / "ran")
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Lambda(run)])
    model.save(tmp_path / "model.keras")
    (planted / "ran").unlink(missing_ok=True)  # building it ran it
    with pytest.raises(ModelError, match=r"model\.keras"):
        load_checkpoint(tmp_path / "model.keras")
    assert not (planted / "ran").exists()
