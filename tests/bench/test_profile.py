import numpy as np
import pytest

from fer_mobile.bench.operation_costs import cut_graph, operation_costs
from fer_mobile.bench.profile import profile
from fer_mobile.model_file import split
from fer_mobile.models import DEFAULT, shipped_models
from fer_mobile.runtime.classifier import load_classifier
from fer_mobile.runtime.interpreter import load_interpreter
from fer_mobile.runtime.tflite_model import TfliteModel

FILES = shipped_models()[DEFAULT].files


@pytest.mark.parametrize("precision", ["int8", "float16"])
def test_a_graph_cut_behind_its_last_operation_is_the_whole_graph(precision):
    bare, contract = split(FILES[precision].read_bytes())
    operations = operation_costs(TfliteModel(bare))
    outputs = []
    for model in (bare, cut_graph(bare, len(operations))):
        interpreter = load_interpreter(model)
        (image,) = interpreter.get_input_details()
        values = np.random.default_rng(0).uniform(0, 1, contract.input.shape)
        if precision == "int8":
            values = values * 255 - 128
        interpreter.set_tensor(image["index"], values.astype(image["dtype"]))
        interpreter.invoke()
        (output,) = interpreter.get_output_details()
        outputs.append(interpreter.get_tensor(output["index"]))
    assert np.array_equal(*outputs)
    assert outputs[0].shape == (1, len(contract.labels))


@pytest.mark.parametrize("precision", ["int8", "float16"])
def test_what_an_operation_computes_is_counted(precision):
    operations = operation_costs(TfliteModel(split(FILES[precision].read_bytes())[0]))
    dense = [op for op in operations if op.name == "FULLY_CONNECTED"]
    assert [op.macs for op in dense] == [7 * 7 * 128 * 1024, 1024 * 8]
    assert dense[0].output == (1, 1024)
    width = 1 if precision == "int8" else 4  # float16 is unpacked to float32
    biases = 4 * 1024
    assert dense[0].weight_bytes == width * dense[0].macs + biases
    assert {op.integer for op in operations if op.macs} == {precision == "int8"}
    convolutions = [op for op in operations if op.name == "CONV_2D"]
    assert convolutions[-1].macs == 14 * 14 * 128 * (3 * 3 * 128)
    assert operations[-1].name == "SOFTMAX"


def test_the_profile_adds_up_to_an_inference():
    found = profile(FILES["int8"])
    assert [op.operation for op in found][-1] == "SOFTMAX"
    assert sum(op.share for op in found) == pytest.approx(1)
    largest = max(found, key=lambda op: op.ms)
    # Which convolution or dense layer it is depends on the processor.
    assert largest.operation in ("CONV_2D", "FULLY_CONNECTED")
    classifier = load_classifier(FILES["int8"])
    face = np.zeros((1, classifier.size, classifier.size), np.uint8)
    import timeit

    whole = min(timeit.repeat(lambda: classifier.classify(face), number=20, repeat=5)) / 20 * 1000
    assert whole / 4 < sum(op.ms for op in found) < whole * 4  # a busy machine scatters
