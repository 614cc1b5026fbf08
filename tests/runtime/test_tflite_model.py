"""A file's graph as read from the flatbuffer, held against the interpreter's own account."""

import numpy as np
import pytest

from fer_mobile.errors import ModelError
from fer_mobile.model_file import split
from fer_mobile.models import shipped_models
from fer_mobile.resources import models_dir
from fer_mobile.runtime.flatbuffer import pack_model, unpack_model
from fer_mobile.runtime.interpreter import load_interpreter
from fer_mobile.runtime.tflite_model import TfliteModel

FILES = [file for model in shipped_models(copies=True).values() for file in model.files.values()]
YUNET = models_dir() / "yunet" / "face_detection_yunet.tflite"


def bare(file):
    content = file.read_bytes()
    return content if file == YUNET else split(content)[0]


@pytest.mark.parametrize("file", [*FILES, YUNET], ids=lambda file: file.stem)
def test_it_says_what_the_interpreter_says(file):
    content = bare(file)
    model = TfliteModel(content)
    interpreter = load_interpreter(content, delegates=False, preserve_all_tensors=True)
    details = {detail["index"]: detail for detail in interpreter.get_tensor_details()}
    for tensor in model.tensors:
        detail = details[tensor.index]
        assert (tensor.name, tensor.dtype) == (detail["name"], np.dtype(detail["dtype"]).name)
        assert tensor.shape == tuple(detail["shape"])
        if tensor.scale is not None:
            assert (tensor.scale, tensor.zero_point) == detail["quantization"]
    for ours, theirs in (
        (model.inputs, interpreter.get_input_details()),
        (model.outputs, interpreter.get_output_details()),
    ):
        assert [tensor.index for tensor in ours] == [detail["index"] for detail in theirs]
    operations = interpreter._get_ops_details()
    assert [op.name for op in model.operations] == [op["op_name"] for op in operations]
    for ours, theirs in zip(model.operations, operations, strict=True):
        assert ours.inputs == tuple(i for i in theirs["inputs"] if i >= 0)
        assert ours.outputs == tuple(theirs["outputs"])


def test_which_operations_compute_in_float():
    names = {file.stem: TfliteModel(bare(file)).count_float_operations() for file in FILES}
    assert names["compact_int8"] == {}
    assert {"CONV_2D", "SOFTMAX"} <= names["compact_float16"].keys()
    assert "DEQUANTIZE" not in names["compact_float16"]  # unpacks weights, computes nothing


def test_every_kept_tensor_can_be_read():
    content = bare(shipped_models()["compact"].files["int8"])
    interpreter = load_interpreter(content, delegates=False, preserve_all_tensors=True)
    interpreter.invoke()
    for tensor in TfliteModel(content).computed():
        assert interpreter.get_tensor(tensor.index).shape == tensor.shape


def test_a_model_packed_again_gives_the_same():
    content = bare(shipped_models()["compact"].files["int8"])
    again = pack_model(unpack_model(content))
    assert TfliteModel(again).operations == TfliteModel(content).operations
    assert pack_model(unpack_model(again)) == again


@pytest.mark.parametrize("change", ["name", "tensor"])
def test_a_damaged_graph_is_an_error_of_ours(change):
    flat = unpack_model(bare(shipped_models()["compact"].files["int8"]))
    main = flat.subgraphs[0]
    if change == "name":
        main.tensors[1].name = b"\xff\xfe"
    else:
        main.operators[0].outputs = [len(main.tensors)]
    with pytest.raises(ModelError, match=r"odd\.tflite: expected a readable .* graph"):
        TfliteModel(pack_model(flat), "odd.tflite")


@pytest.mark.parametrize("length", [0, 8, 100, 5000])
def test_bytes_that_are_no_graph(length):
    with pytest.raises(ModelError):
        TfliteModel((b"\0\0\0\0TFL3" + b"\xff" * 5000)[:length])
