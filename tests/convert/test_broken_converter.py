"""A converter that silently writes a broken file: verify says so, and export writes nothing.

Given a traced function of a Keras 3 model and the model, TensorFlow's converter loses the
weights: a file of some 70 KB that loads.  Traced for any batch it gives NaN; traced
for a batch of one it cannot be given another.
"""

import logging
from dataclasses import dataclass

import pytest

from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.contract import describe_tensor
from fer_mobile.convert import export, verify
from fer_mobile.convert.converter import INPUT_NAME, OUTPUT_NAME, import_tensorflow
from fer_mobile.errors import FerMobileError
from fer_mobile.model_file import attach, model_checksum, read_contract
from fer_mobile.models import DEFAULT, shipped_models
from fer_mobile.quiet import quiet
from fer_mobile.runtime.tflite_model import TfliteModel


@dataclass(frozen=True)
class Broken:
    content: bytes
    name: str
    batch: int | None


@pytest.fixture(
    scope="module",
    params=[pytest.param((DEFAULT, 1), marks=pytest.mark.prove), ("compact", None)],
    ids=["batch of one", "any batch"],
)
def broken(request):
    name, batch = request.param
    tf = import_tensorflow()
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    model = load_checkpoint(name).model
    function = tf.function(lambda image: {OUTPUT_NAME: model(image)})
    spec = tf.TensorSpec([batch, *model.input_shape[1:]], tf.float32, name=INPUT_NAME)
    with quiet():
        concrete = function.get_concrete_function(spec)
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], model)
        content = bytes(converter.convert())
    assert len(content) < 100_000  # of megabytes
    return Broken(content, name, batch)


def described(tensor, name):
    return describe_tensor(name, tensor.shape, tensor.dtype, tensor.scale, None)


def test_verify_fails_it(broken, tmp_path):
    graph = TfliteModel(broken.content)
    contract = read_contract(shipped_models()[broken.name].files["float16"]).model_copy(
        update={
            "precision": "float32",
            "model_sha256": model_checksum(broken.content),
            "input": described(graph.inputs[0], INPUT_NAME),
            "output": described(graph.outputs[0], OUTPUT_NAME),
        }
    )
    path = tmp_path / "broken.tflite"
    path.write_bytes(attach(broken.content, contract))
    found = verify(path)
    failed = {check.name: check.detail for check in found.checks if not check.passed}
    assert not found.passed
    assert "size" in failed
    if broken.batch == 1:
        assert "expected a graph that runs on" in failed["contract and graph"]
    else:
        assert {"finite", "parity"} <= failed.keys()


@pytest.mark.parametrize("broken", [("compact", None)], indirect=True)
def test_export_writes_nothing(broken, monkeypatch, tmp_path):
    monkeypatch.setattr("fer_mobile.convert.built_model.to_tflite", lambda *_, **__: broken.content)
    with pytest.raises(FerMobileError, match="the converted model is wrong and was not written"):
        export(broken.name, quantize="none", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
