"""The choice of the runtime, its silence and its errors, on the shipped detector's file."""

import subprocess
import sys

import numpy as np
import pytest

from fer_mobile.errors import InputError, ModelError
from fer_mobile.resources import models_dir
from fer_mobile.runtime import interpreter as module
from fer_mobile.runtime.interpreter import load_interpreter, runtime_name

YUNET = models_dir() / "yunet" / "face_detection_yunet.tflite"


def run_yunet(interpreter) -> dict[str, np.ndarray]:
    return interpreter.get_signature_runner()(image=np.full((1, 96, 64, 3), 127, np.uint8))


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.fixture
def fresh_choice():
    module._runtime.cache_clear()
    yield
    module._runtime.cache_clear()


def test_path_and_bytes_and_threads_give_the_same():
    from_path = run_yunet(load_interpreter(YUNET))
    from_bytes = run_yunet(load_interpreter(YUNET.read_bytes(), threads=2))
    assert from_path.keys() == from_bytes.keys()
    for name, value in from_path.items():
        np.testing.assert_allclose(value, from_bytes[name], atol=1e-5)


def test_runtime_name_states_package_and_version():
    package, version = runtime_name().split()
    assert package in ("ai-edge-litert", "tflite-runtime", "tensorflow")
    assert version[0].isdigit()


def test_nothing_is_written_to_the_console():
    done = python(
        "from fer_mobile.runtime.interpreter import load_interpreter, runtime_name\n"
        f"from pathlib import Path; load_interpreter(Path({str(YUNET)!r})); runtime_name()"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_stderr_works_again_afterwards():
    done = python(
        "import os; from fer_mobile.runtime.interpreter import load_interpreter\n"
        f"from pathlib import Path; load_interpreter(Path({str(YUNET)!r})); os.write(2, b'heard')"
    )
    assert done.stderr == "heard"


def test_tensorflow_serves_when_it_is_what_is_installed(fresh_choice, monkeypatch):
    expected = run_yunet(load_interpreter(YUNET))
    module._runtime.cache_clear()
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    monkeypatch.setitem(sys.modules, "tflite_runtime.interpreter", None)
    found = run_yunet(load_interpreter(YUNET))
    assert runtime_name().startswith("tensorflow ")
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, atol=1e-3)


def test_no_runtime_says_what_to_install(fresh_choice, monkeypatch):
    for _, name in module.RUNTIMES:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match=r"none of them installed\. .*pip install ai-edge-litert"):
        load_interpreter(YUNET)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (b"just some text", "something else"),
        (b"\0\0\0\0TFL3" + b"\xff" * 100, "not a valid Flatbuffer"),
        (YUNET.read_bytes()[:5000], "not a valid Flatbuffer"),
    ],
)
def test_bytes_that_are_no_model(content, found):
    with pytest.raises(ModelError, match=found):
        load_interpreter(content)


def test_missing_file_and_folder_are_named(tmp_path):
    for path in (tmp_path / "no.tflite", tmp_path):
        with pytest.raises(ModelError, match=str(path)):
            load_interpreter(path)


def test_a_model_that_is_too_new_is_said_in_one_line():
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.tools import flatbuffer_utils

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(YUNET.read_bytes(), 0))
    for code in model.operatorCodes:
        code.version = 99
    with pytest.raises(
        ModelError, match=rf"that {runtime_name()} can run, found .*version"
    ) as error:
        load_interpreter(bytes(flatbuffer_utils.convert_object_to_bytearray(model)))
    assert "\n" not in str(error.value)
