"""Quantization-aware fine-tuning: what it computes is what the int8 file computes."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest
from keras import ops

from fer_mobile import zoo
from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.convert.calibration import Calibration, find_calibration
from fer_mobile.convert.int8 import to_int8
from fer_mobile.convert.observation import observe_network
from fer_mobile.errors import ModelError, RecipeError, UnsupportedLayerError
from fer_mobile.golden import golden_faces
from fer_mobile.graph.fold_batch_norm import fold_batch_norm
from fer_mobile.graph.from_keras import from_keras
from fer_mobile.graph.network import read_network
from fer_mobile.preprocess import normalise
from fer_mobile.runtime.interpreter import load_interpreter
from fer_mobile.training.quantize_aware import (
    FineTuning,
    learned_limits,
    quantize_aware,
    round_kernel,
    round_to_range,
    unfold,
)
from fer_mobile.training.recipe import find_recipe, load_recipe
from tests.networks import SIZE, brightness_classes, outputs, trained_two_streams, two_streams


@pytest.fixture(scope="module")
def network():
    return trained_two_streams()


@pytest.fixture(scope="module")
def faces():
    return golden_faces(SIZE)


def predicted(model, faces):
    return outputs(model, normalise(faces)[..., None])


def file_says(model, faces):
    """Probabilities by an int8 file."""
    interpreter = load_interpreter(model)
    image, output = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    interpreter.resize_tensor_input(image["index"], [len(faces), SIZE, SIZE, 1])
    interpreter.allocate_tensors()
    values = (faces.astype(np.int16) - 128).astype(np.int8)[..., None]
    interpreter.set_tensor(image["index"], values)
    interpreter.invoke()
    return (interpreter.get_tensor(output["index"]).astype(np.float32) + 128) / 256


def int8_file(model, faces, limits):
    return to_int8(read_network(model), Calibration("test", faces, limits))


def gradient(function, values):
    import tensorflow as tf

    values = tf.constant(values)
    with tf.GradientTape() as tape:
        tape.watch(values)
        result = tf.reduce_sum(function(values))
    return tape.gradient(result, values).numpy()


@pytest.mark.parametrize("bits", [8, 4])
def test_kernels_are_rounded_per_output_channel(bits):
    kernel = np.random.default_rng(0).normal(size=(3, 3, 4, 5)).astype(np.float32)
    kernel *= np.float32(10.0) ** np.arange(-2, 3, dtype=np.float32)
    rounded = ops.convert_to_numpy(round_kernel(kernel, bits))
    largest = 2 ** (bits - 1) - 1
    steps = np.abs(kernel).max((0, 1, 2)) / largest
    levels = rounded / steps
    assert np.abs(levels - np.round(levels)).max() < 1e-3
    assert np.abs(levels).max() == pytest.approx(largest)
    assert (np.abs(rounded - kernel) <= steps * 0.501).all()
    assert (gradient(lambda k: round_kernel(k, bits), kernel) == 1).all()


@pytest.mark.parametrize(("low", "high"), [(-0.7, 3.1), (0.0, 6.0), (0.5, 2.0), (-2.0, -1.0)])
def test_values_are_rounded_as_tflite_does(low, high):
    values = np.linspace(-4, 8, 999, dtype=np.float32)
    wide_low, wide_high = min(low, 0), max(high, 0)
    scale = (wide_high - wide_low) / 255
    zero_point = round(-128 - wide_low / scale)
    levels = np.clip(np.round(values / scale) + zero_point, -128, 127)
    found = ops.convert_to_numpy(round_to_range(values, low, high))
    assert np.abs(found - (levels - zero_point) * scale).max() < 1.01 * scale  # ties
    assert np.mean(np.abs(found - (levels - zero_point) * scale) > 1e-4) < 0.01
    assert ops.convert_to_numpy(round_to_range(np.zeros(1, np.float32), low, high)) == 0
    passed = gradient(lambda v: round_to_range(v, low, high), values)
    assert (passed[(values > wide_low + scale) & (values < wide_high - scale)] == 1).all()
    assert (passed[(values < wide_low - scale) | (values > wide_high + scale)] == 0).all()


def test_ranges_are_observed_while_training_only(network, faces):
    model = quantize_aware(fold_batch_norm(from_keras(network)))
    layer = model.get_layer("dense.relu.range")
    pixels = normalise(faces)[..., None]
    model(pixels)
    assert float(layer.high) == 0
    for start in range(0, 128, 32):
        model(pixels[start : start + 32], training=True)
    low, high = learned_limits(model, fold_batch_norm(from_keras(network)))["dense/relu"]
    assert low == 0
    observed = observe_network(read_network(network), faces)["dense/relu"][1]
    assert high == pytest.approx(observed, rel=0.15)


def test_the_int8_file_computes_what_the_model_computes(network, faces):
    graph = fold_batch_norm(from_keras(network))
    # Ranges so wide that their coarse steps show.
    limits = {
        name: (6 * low, 6 * high)
        for name, (low, high) in observe_network(read_network(network), faces).items()
    }
    aware = quantize_aware(graph, limits)
    for name, pair in learned_limits(aware, graph).items():
        assert pair == pytest.approx(limits[name])
    expected, found = predicted(aware, faces), file_says(int8_file(network, faces, limits), faces)
    rounded = np.round(expected * 256) / 256
    off = np.abs(rounded - found).mean()
    assert (rounded.argmax(1) == found.argmax(1)).mean() >= 0.97
    assert np.abs(predicted(network, faces) - expected).mean() > 4 * off


@pytest.mark.parametrize("bias", [True, False])
def test_weights_come_back_to_their_architecture(faces, bias):
    source = two_streams(seed=3, bias=bias)
    graph = from_keras(source)
    into = two_streams(seed=4, bias=bias)
    assert np.abs(predicted(into, faces) - predicted(source, faces)).max() > 0.05
    unfold(quantize_aware(fold_batch_norm(graph)), graph, into)
    assert np.abs(predicted(into, faces) - predicted(source, faces)).max() < 1e-5


def test_a_norm_that_cannot_be_folded_is_refused():
    image = keras.Input((8, 8, 1))
    x = keras.layers.BatchNormalization()(keras.layers.MaxPooling2D()(image))
    x = keras.layers.Dense(8, activation="softmax")(keras.layers.Flatten()(x))
    with pytest.raises(UnsupportedLayerError, match="not folded"):
        quantize_aware(fold_batch_norm(from_keras(keras.Model(image, x))))


@pytest.mark.prove
def test_fine_tuning_brings_back_what_too_narrow_ranges_cost(network, faces):
    """Ranges a third as wide as they should be cost dearly; weights learn to fit into them."""
    labels, pixels = brightness_classes(), normalise(faces)[..., None]
    limits = {
        name: (low / 3, high / 3)
        for name, (low, high) in observe_network(read_network(network), faces).items()
    }

    def accuracy(probabilities):
        return (probabilities.argmax(1) == labels).mean()

    in_float = accuracy(predicted(network, faces))
    before = accuracy(file_says(int8_file(network, faces, limits), faces))
    graph = from_keras(network)
    aware = quantize_aware(fold_batch_norm(graph), limits)
    aware.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    aware.fit(pixels, labels, batch_size=32, epochs=25, verbose=0)
    tuned = two_streams()
    unfold(aware, graph, tuned)
    after = accuracy(file_says(int8_file(tuned, faces, limits), faces))
    assert in_float > 0.9
    assert before < in_float - 0.2
    assert after > in_float - 0.05


TUNING = """
name = "tuned"
[model]
architecture = "compact"
start = "{start}"
[model.options]
size = 32
width = 0.25
blocks = [1, 1, 1]
[training]
epochs = 1
batch_size = 20
precision = "float32"
[optimizer]
learning_rate = 5e-4
[quantization]
aware = true
"""


@pytest.fixture(scope="module")
def tuning_recipe(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recipe")
    zoo.build("compact", size=32, width=0.25, blocks=[1, 1, 1]).save(folder / "start.keras")
    path = folder / "tuned.toml"
    path.write_text(TUNING.format(start=(folder / "start.keras").as_posix()), encoding="utf-8")
    return path


def test_a_recipe_fine_tunes_a_run(train, tuning_recipe, small_npz, tmp_path):
    run = tmp_path / "run"
    recipe = load_recipe(tuning_recipe)
    train(recipe, run, data=small_npz)
    first = json.loads((run / "ranges.json").read_text())["limits"]
    assert {"stem_relu", "stage0_0_relu1", "logits"} <= set(first)
    source = load_checkpoint(run)
    start = zoo.build("compact", **recipe.model.options)
    assert source.parameters == start.count_params()
    found = find_calibration(read_network(source.model), run)
    assert found.origin.endswith("from quantization-aware fine-tuning")
    assert {name: list(pair) for name, pair in found.limits.items()} == first
    # The checkpoint that a resumed training goes on from computes the same.
    faces = golden_faces(32)[:32]
    last = keras.models.load_model(run / "last.keras")
    aware = quantize_aware(fold_batch_norm(from_keras(source.model)), found.limits)
    assert np.abs(predicted(last, faces) - predicted(aware, faces)).max() < 0.02


def test_a_start_of_another_architecture_is_refused(train, tuning_recipe, small_npz, tmp_path):
    recipe = load_recipe(tuning_recipe, ["model.options.width=0.5"])
    with pytest.raises(RecipeError, match="architecture and options"):
        train(recipe, tmp_path / "run", data=small_npz)
    assert not (tmp_path / "run").exists()


def test_a_start_of_other_layers_is_refused(tmp_path):
    zoo.build("simpler_cnn").save(tmp_path / "leaky.keras")
    with pytest.raises(RecipeError, match=r"model\.start: expected .*leaky_relu"):
        FineTuning(tmp_path / "leaky.keras", zoo.build("simpler_cnn"))


def test_mixed_precision_and_unknown_starts_are_refused(train, tuning_recipe, small_npz, tmp_path):
    with pytest.raises(RecipeError, match="float32"):
        train(load_recipe(tuning_recipe, ["precision=mixed_bfloat16"]), tmp_path, data=small_npz)
    with pytest.raises(ModelError, match="nowhere"):
        train(load_recipe(tuning_recipe, ["start=nowhere"]), tmp_path, data=small_npz)
    assert not list(tmp_path.iterdir())


def test_the_shipped_recipe_differs_from_its_start_in_training_only():
    tuned = load_recipe(find_recipe("xcao_two_stream_qat"))
    start = load_recipe(find_recipe("xcao_two_stream"))
    assert tuned.model.start == start.name
    assert tuned.model.model_copy(update={"start": None}) == start.model
    for section in ("data", "augmentation"):
        assert getattr(tuned, section) == getattr(start, section)
