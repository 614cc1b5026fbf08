"""The same file gives the same labels in every runtime."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from fer_mobile.golden import golden_faces
from fer_mobile.models import shipped_models
from fer_mobile.preprocess import normalise
from tests.command_line import python

ROOT = Path(__file__).parents[1]
HERE = Path(sys.executable)
PRECISIONS = ("none", "float16", "dynamic", "int8")


@pytest.fixture(scope="module")
def runtimes():
    """The module of `benchmarks/runtimes.py`."""
    return importlib.import_module("benchmarks.runtimes")


@pytest.fixture(scope="module")
def files(exports, tmp_path_factory):
    made = {quantize: exports(quantize) for quantize in PRECISIONS}
    made["onnx"] = exports("none", format="onnx")
    size = made["none"].contract.input.shape[1]
    images = tmp_path_factory.mktemp("images") / "images.npy"
    np.save(images, normalise(golden_faces(size))[..., None])
    return {name: done.path for name, done in made.items()} | {"images": images}


@pytest.mark.parametrize("precision", PRECISIONS)
def test_tensorflow_agrees(runtimes, files, precision, tmp_path):
    outputs = []
    for module in ("ai_edge_litert.interpreter", "tensorflow.lite.python.interpreter"):
        done = python(tmp_path, runtimes.WORKER)(
            module, files[precision], files["images"], f"{module}.npy"
        )
        assert done.returncode == 0, done.stderr
        outputs.append(np.load(tmp_path / f"{module}.npy"))
    expected, found = outputs
    name = {"none": "float32"}.get(precision, precision)
    assert runtimes.compare(found, expected, name)["agrees"]


def test_onnx_runtime_agrees(runtimes, files):
    images = files["images"]
    expected = runtimes.run(HERE, "ai_edge_litert.interpreter", files["none"], images)
    found = runtimes.run(HERE, "onnxruntime", files["onnx"], images)
    assert runtimes.compare(found, expected, "onnx")["agrees"]


def test_a_disagreement_is_seen(runtimes):
    expected = np.array([[0.9, 0.1], [0.51, 0.49]], np.float32)
    assert runtimes.compare(expected, expected, "int8")["agrees"]
    tie = np.array([[0.9, 0.1], [0.49, 0.51]], np.float32)
    assert runtimes.compare(tie, expected, "int8")["agrees"]
    assert not runtimes.compare(tie, expected, "float32")["agrees"]
    assert not runtimes.compare(expected[:, ::-1], expected, "int8")["agrees"]


def test_what_a_runtime_refuses_is_a_reason(runtimes, files, tmp_path):
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(files["int8"].read_bytes()[:5000])
    said = runtimes.run(HERE, "ai_edge_litert.interpreter", broken, files["images"])
    assert isinstance(said, str)
    assert "Error" in said


@pytest.mark.prove
def test_every_runtime(runtimes, tmp_path):
    rows = runtimes.matrix(tmp_path)
    assert len(rows) == 17 * len(shipped_models())
    assert all(row["runs"] and row["agrees"] for row in rows)
