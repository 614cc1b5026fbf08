"""A converter that silently writes a broken file: verify says so, and export writes nothing.

Given a traced function of a Keras 3 model and the model, TensorFlow's converter loses the
weights: a file of some 70 KB that loads.  Traced for any batch it gives NaN; traced
for a batch of one it cannot be given another.
"""

import logging

import pytest

from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.contract import describe_tensor
from fer_mobile.convert import export, verify
from fer_mobile.convert.converter import INPUT_NAME, OUTPUT_NAME, import_tensorflow
from fer_mobile.errors import FerMobileError
from fer_mobile.model_file import attach, model_checksum
from fer_mobile.quiet import quiet
from fer_mobile.runtime.interpreter import load_interpreter
from fer_mobile.runtime.tflite_model import TfliteModel
from tests.conftest import EXPORTED


@pytest.fixture(scope="module", params=[1, None], ids=["batch of one", "any batch"])
def broken(request):
    tf = import_tensorflow()
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    model = load_checkpoint(EXPORTED).model
    function = tf.function(lambda image: {OUTPUT_NAME: model(image)})
    spec = tf.TensorSpec([request.param, *model.input_shape[1:]], tf.float32, name=INPUT_NAME)
    with quiet():
        concrete = function.get_concrete_function(spec)
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], model)
        content = bytes(converter.convert())
    assert len(content) < 100_000  # of 3 MB
    return content


def described(tensor, name):
    return describe_tensor(name, tensor.shape, tensor.dtype, tensor.scale, None)


def test_verify_fails_it(broken, exports, tmp_path):
    right = exports("none")
    interpreter, graph = load_interpreter(broken), TfliteModel(broken)
    contract = right.contract.model_copy(
        update={
            "model_sha256": model_checksum(broken),
            "input": described(graph.inputs[0], INPUT_NAME),
            "output": described(graph.outputs[0], OUTPUT_NAME),
        }
    )
    path = tmp_path / "broken.tflite"
    path.write_bytes(attach(broken, contract))
    found = verify(path)
    failed = {check.name: check.detail for check in found.checks if not check.passed}
    assert not found.passed
    assert "size" in failed
    if -1 not in interpreter.get_input_details()[0]["shape_signature"]:
        assert "expected a graph that runs on" in failed["contract and graph"]
    else:
        assert {"finite", "parity"} <= failed.keys()


def test_export_writes_nothing(broken, monkeypatch, tmp_path):
    monkeypatch.setattr("fer_mobile.convert.built_model.to_tflite", lambda *_, **__: broken)
    with pytest.raises(FerMobileError, match="the converted model is wrong and was not written"):
        export(EXPORTED, quantize="none", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
