"""What an int8 export takes its activation ranges from, and that the file keeps to them."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from PIL import Image

from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.convert import export, verify
from fer_mobile.convert.calibration import find_calibration
from fer_mobile.convert.calibration_faces import (
    FEWEST_FACES,
    MOST_FACES,
    read_faces,
    vary_contrast,
)
from fer_mobile.convert.checks import OWN_PARITY
from fer_mobile.convert.converter import to_tflite
from fer_mobile.convert.int8 import to_int8
from fer_mobile.convert.observation import observe, observe_network, tensor_keys
from fer_mobile.convert.quantize import to_integer
from fer_mobile.convert.reference import reference_for_file
from fer_mobile.convert.training_ranges import keep_ranges
from fer_mobile.data import DataWarning
from fer_mobile.detect.framing import look_at_framing
from fer_mobile.errors import FerMobileError, InputError, MissingPackageError, ModelError
from fer_mobile.golden import golden_faces
from fer_mobile.graph.network import read_network
from fer_mobile.graph.ranges import RANGES_JSON, make_ranges, model_fingerprint, read_ranges
from fer_mobile.labels import LABELS
from fer_mobile.models import CHECKPOINT_JSON
from fer_mobile.preprocess import normalise
from fer_mobile.resources import photos_dir
from fer_mobile.runtime.interpreter import load_interpreter
from fer_mobile.runtime.tflite_model import TfliteModel
from tests.networks import SIZE, outputs, trained_two_streams, two_streams


@pytest.fixture(scope="module")
def model():
    return trained_two_streams()


@pytest.fixture(scope="module")
def network(model):
    return read_network(model)


@pytest.fixture(scope="module")
def float_file(network):
    return to_tflite(network, "float32")


@pytest.fixture(scope="module")
def graph(network):
    return network.require_graph()


@pytest.fixture(scope="module")
def limits(float_file, graph):
    return observe(float_file, graph, golden_faces(SIZE))


@pytest.fixture
def no_quantizer(monkeypatch):
    """Python's own way to say that a module is not there."""
    monkeypatch.setitem(sys.modules, "ai_edge_quantizer", None)


@pytest.fixture
def face_folder(tmp_path):
    """Golden faces as files, at two depths, with a damaged one and a text among them."""
    folder = tmp_path / "faces"
    (folder / "more").mkdir(parents=True)
    for i, face in enumerate(golden_faces(64)[:40]):
        Image.fromarray(face).save(folder / ("more" if i % 2 else "") / f"{i}.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 no more")
    (folder / "notes.txt").write_text("no photo")
    return folder


def predict(model, faces):
    """Probabilities of uint8 faces by a bare file, whatever its input and output are."""
    interpreter = load_interpreter(model)
    given, taken = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    found = []
    for face in faces:
        pixels = face[None, ..., None]
        values = {
            np.float32: lambda p: normalise(p),
            np.int8: lambda p: (p.astype(np.int16) - 128).astype(np.int8),
            np.uint8: lambda p: p,
        }[given["dtype"]](pixels)
        interpreter.set_tensor(given["index"], values)
        interpreter.invoke()
        scale, zero = taken["quantization"]
        row = interpreter.get_tensor(taken["index"])[0].astype(np.float32)
        found.append((row - zero) * scale if scale else row)
    return np.array(found)


@pytest.mark.parametrize("io", ["int8", "uint8", "float32"])
def test_file_is_integer_only_deterministic_and_true_to_the_float_one(
    float_file, graph, limits, io
):
    found = to_integer(float_file, graph, limits, io=io)
    assert found == to_integer(float_file, graph, limits, io=io)
    file = TfliteModel(found)
    assert not file.count_float_operations()
    assert file.count_operations()["CONV_2D"] >= 6
    interpreter = load_interpreter(found)
    for tensor in (interpreter.get_input_details()[0], interpreter.get_output_details()[0]):
        assert tensor["dtype"].__name__ == io
    faces = golden_faces(SIZE)
    difference = np.abs(predict(found, faces) - predict(float_file, faces))
    assert difference.mean() < 0.005
    assert difference.max() < 0.15


def test_weights_lie_in_the_flatbuffer_itself(float_file, graph, limits):
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAsModel(to_integer(float_file, graph, limits), 0)
    buffers = [model.Buffers(i) for i in range(model.BuffersLength())]
    assert not any(buffer.Offset() for buffer in buffers)
    assert max(buffer.DataLength() for buffer in buffers) == 16 * 16 * 32  # flatten → dense


def test_kernels_have_a_scale_for_each_channel(float_file, graph, limits):
    interpreter = load_interpreter(to_integer(float_file, graph, limits))
    scales = {
        tensor["name"]: len(tensor["quantization_parameters"]["scales"])
        for tensor in interpreter.get_tensor_details()
        if tensor["dtype"] is np.int8
    }
    assert scales["b_conv2/Conv2D"] == 16
    assert scales["dense/MatMul"] == 32
    assert scales["logits/MatMul"] == 8


def test_tensors_get_the_ranges_that_are_given(float_file, graph, limits):
    wanted = dict(limits) | {"merge": (-1.0, 3.0)}
    interpreter = load_interpreter(to_integer(float_file, graph, wanted))
    tensors = {t["name"]: t["quantization"] for t in interpreter.get_tensor_details()}
    keys = tensor_keys(graph, list(tensors))
    steps = {key: tensors[name][0] for name, key in keys.items() if tensors[name][0]}
    for key, (low, high) in wanted.items():
        assert steps[key] == pytest.approx((max(high, 0) - min(low, 0)) / 255, rel=1e-5)
    assert steps["flatten"] == steps["merge"]
    assert interpreter.get_input_details()[0]["quantization"] == (pytest.approx(1 / 255), -128)
    assert interpreter.get_output_details()[0]["quantization"] == (1 / 256, -128)


def test_a_tensor_without_a_range_is_an_error(float_file, graph, limits):
    with pytest.raises(FerMobileError, match=r"merge|flatten"):
        to_integer(float_file, graph, {k: v for k, v in limits.items() if k != "merge"})


def test_observed_ranges_are_those_of_the_activations(model, limits):
    import keras

    inner = keras.Model(model.inputs, model.get_layer("dense").output)
    values = outputs(inner, normalise(golden_faces(SIZE))[..., None])
    low, high = limits["dense/relu"]
    assert low == 0
    assert high == pytest.approx(np.quantile(values.max(1), 0.99), rel=1e-4)
    assert "image" not in limits
    assert "a_pool0" not in limits  # follows from its input's


def test_the_converted_rgb_model_says_the_same(model):
    gray, rgb = (
        to_int8(network, find_calibration(network))
        for network in (read_network(model, color=color) for color in ("gray", "rgb"))
    )
    assert not TfliteModel(rgb).count_float_operations()
    faces = golden_faces(SIZE)[:32]
    interpreter = load_interpreter(rgb)
    image, output = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    assert image["dtype"] is np.uint8
    differences = []
    for face, expected in zip(faces, predict(gray, faces), strict=True):
        interpreter.set_tensor(image["index"], np.repeat(face[None, ..., None], 3, -1))
        interpreter.invoke()
        found = interpreter.get_tensor(output["index"])[0] / 256
        differences.append(np.abs(found - expected).max())
    assert np.mean(differences) < 0.02  # the gray is rounded once more


def test_ranges_are_kept_and_found_by_the_model_they_belong_to(model, limits, tmp_path):
    make_ranges(tmp_path, model, limits=limits, origin="128 golden faces")
    found = find_calibration(read_network(model), tmp_path)
    assert found.origin == "ranges of the training run, from 128 golden faces"
    (tmp_path / CHECKPOINT_JSON).touch()
    shipped = find_calibration(read_network(model), tmp_path)
    assert shipped.origin == "ranges shipped with the model, from 128 golden faces"
    assert found.limits == limits
    rgb = find_calibration(read_network(model, color="rgb"), tmp_path)
    assert rgb.limits == limits
    unchanged = find_calibration(read_network(model, rewrite=False), tmp_path)
    assert unchanged.limits is None
    assert "rewritten" in unchanged.origin


def test_ranges_of_other_weights_are_refused(model, limits, tmp_path):
    make_ranges(tmp_path, model, limits=limits, origin="128 golden faces")
    other = two_streams()
    other.set_weights(model.get_weights())
    assert model_fingerprint(other) == model_fingerprint(model)
    kernel = other.get_layer("a_conv1").kernel
    values = kernel.numpy()
    values.flat[0] = np.nextafter(values.flat[0], 1)
    kernel.assign(values)
    with pytest.raises(ModelError, match="the ranges of these weights"):
        find_calibration(read_network(other), tmp_path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"format_version": 1', '"format_version": 2'),
        lambda text: json.dumps(json.loads(text) | {"limits": {"merge": [2.0, 1.0]}}),
        lambda text: json.dumps(json.loads(text) | {"limits": {"merge": [0.0, float("inf")]}}),
    ],
    ids=["half", "newer", "reversed", "infinite"],
)
def test_damaged_ranges_are_refused(model, limits, tmp_path, damage):
    make_ranges(tmp_path, model, limits=limits, origin="128 golden faces")
    file = tmp_path / RANGES_JSON
    read_ranges(file, model_fingerprint(model))
    file.write_text(damage(file.read_text()))
    with pytest.raises(ModelError, match="activation ranges"):
        find_calibration(read_network(model), tmp_path)


def test_ranges_of_a_network_that_diverged_are_refused(model, limits, tmp_path):
    name = next(iter(limits))
    with pytest.raises(ModelError, match=f"activations of {name}: expected a finite range"):
        make_ranges(tmp_path, model, limits=limits | {name: (0, np.inf)}, origin="faces")
    assert not (tmp_path / RANGES_JSON).exists()


def test_without_the_quantizer_the_golden_faces_serve_and_it_is_said(
    model, network, limits, tmp_path, no_quantizer
):
    make_ranges(tmp_path, model, limits=limits, origin="128 golden faces")
    found = find_calibration(network, tmp_path)
    assert found.limits is None
    assert "golden faces" in found.origin
    assert "fer-mobile[export]" in found.origin
    file = to_int8(network, found)
    assert not TfliteModel(file).count_float_operations()
    faces = golden_faces(SIZE)
    expected = predict(to_tflite(network, "float32"), faces)
    assert np.abs(predict(file, faces) - expected).mean() < 0.01
    with pytest.raises(MissingPackageError, match="ai-edge-quantizer"):
        to_integer(to_tflite(network, "float32"), network.require_graph(), limits)


def test_layers_that_the_quantizer_does_not_know_are_integer_all_the_same(tmp_path):
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    x = layers.Conv2D(8, 3, padding="same")(image := keras.Input((SIZE, SIZE, 1)))
    x = layers.Flatten()(layers.MaxPooling2D()(layers.LeakyReLU(negative_slope=0.1)(x)))
    leaky = keras.Model(image, layers.Dense(8, activation="softmax")(x))
    make_ranges(tmp_path, leaky, limits={}, origin="128 golden faces")
    network = read_network(leaky)
    found = find_calibration(network, tmp_path)
    assert found.limits is None
    assert "ai-edge-quantizer does not know" in found.origin
    file = to_int8(network, found)
    assert "LEAKY_RELU" in TfliteModel(file).count_operations()
    assert not TfliteModel(file).count_float_operations()
    faces = golden_faces(SIZE)
    expected = outputs(leaky, normalise(faces)[..., None])
    assert expected.std(0).max() > 0.01
    assert np.abs(predict(file, faces) - expected).mean() < 0.002


def test_faces_of_a_folder(face_folder):
    with pytest.warns(DataWarning, match=r"40 faces; left out: 1 that .* read \(broken\.jpg\)$"):
        faces = read_faces(face_folder, SIZE)
    assert faces.shape == (40, SIZE, SIZE)
    assert faces.dtype == np.uint8
    wanted = {face.tobytes() for face in golden_faces(SIZE)[:40]}
    assert len(wanted & {face.tobytes() for face in read_faces(face_folder, SIZE)}) >= 39


def test_what_is_skipped_of_a_folder_is_named(face_folder):
    (face_folder / "linked").symlink_to(photos_dir())
    (face_folder / "one.dng").write_bytes(b"raw")
    named = r"\(broken\.jpg\); 1 skipped: link to a folder \(linked\); 1 .* RAW photo \(one\.dng\)$"
    with pytest.warns(DataWarning, match=named):
        assert len(read_faces(face_folder, SIZE)) == 40


def test_faces_of_a_dataset_are_those_to_learn_from(small_npz):
    assert len(read_faces(small_npz, SIZE)) == 80


@pytest.mark.parametrize("labels", [("calm", "odd"), ("happy", "odd")])
@pytest.mark.parametrize("name", ["list.csv", "manifest.csv"])
def test_faces_of_a_list_are_cut_out_whatever_their_labels_are(tmp_path, labels, name):
    rows = ["path,label,split,x,y,width,height"]
    for number, face in enumerate(golden_faces(112)[:40]):
        photo = np.full((300, 400), 128, np.uint8)
        photo[20:132, 30:142] = face
        Image.fromarray(photo).save(tmp_path / f"{number}.png")
        rows.append(f"{number}.png,{labels[number % 2]},train,30,20,112,112")
    rows.append(f"39.png,{labels[0]},valid,0,0,20,20")
    (tmp_path / name).write_text("\n".join(rows))
    faces = read_faces(tmp_path / name if name == "list.csv" else tmp_path, 112)
    assert len(faces) == 40
    assert faces.std((1, 2)).min() > 10  # no gray of the photos
    assert look_at_framing(faces).with_face == 40


def test_faces_of_fer2013_without_votes(tmp_path):
    faces, usages = golden_faces(48)[:40], ["Training"] * 40 + ["PublicTest"]
    texts = [" ".join(map(str, face.ravel())) for face in golden_faces(48)[:41]]
    rows = [f"{n % 7},{text},{usages[n]}" for n, text in enumerate(texts)]
    (tmp_path / "fer2013.csv").write_text("\n".join(["emotion,pixels,Usage", *rows]))
    for path in (tmp_path, tmp_path / "fer2013.csv"):
        np.testing.assert_array_equal(read_faces(path, 48), faces)


def test_most_faces_are_spread_over_all(shared_data):
    faces = read_faces(shared_data, 48)
    assert len(faces) == MOST_FACES
    from fer_mobile.data import load_dataset

    images = load_dataset(shared_data, split="train").images
    assert (faces[0] == images[0]).all()
    assert (faces[500] == images[len(images) // 2]).all()


def test_too_few_faces(face_folder):
    for path in sorted(face_folder.rglob("*.png"))[: 41 - FEWEST_FACES]:
        path.unlink()
    with pytest.raises(
        InputError, match=f"^calibrate: .*at least {FEWEST_FACES} .*found {FEWEST_FACES - 1} in"
    ):
        read_faces(face_folder, SIZE)


def test_no_faces(tmp_path):
    with pytest.raises(InputError, match="found none"):
        read_faces(tmp_path, SIZE)
    with pytest.raises(InputError, match=r"no .*nowhere"):
        read_faces(tmp_path / "nowhere", SIZE)


def test_images_without_faces(tmp_path):
    with Image.open(photos_dir() / "rocket.jpg") as photo:
        for i in range(FEWEST_FACES + 8):
            photo.crop((5 * i, 3 * i, 5 * i + 200, 3 * i + 200)).save(tmp_path / f"{i}.png")
    with pytest.raises(InputError, match=r"images of faces.* found a face in 0 of 40.* Cut"):
        read_faces(tmp_path, SIZE)


@pytest.fixture
def run(model, tmp_path):
    """A run folder, written by hand."""
    folder = tmp_path / "run"
    folder.mkdir()
    model.save(folder / "best.keras")
    recipe = {
        "name": "small",
        "model": {"architecture": "xcao", "options": {"size": SIZE}},
        "data": {"protocol": "ferplus-strict", "train_protocol": None},
        "training": {"epochs": 1, "seed": 0},
    }
    figures = {
        "protocol": "ferplus-strict",
        "split": "valid",
        "n": 8,
        "accuracy": 0.1,
        "balanced_accuracy": 0.1,
        "recall": dict.fromkeys(LABELS),
    }
    (folder / "recipe.json").write_text(json.dumps(recipe))
    (folder / "valid.json").write_text(json.dumps(figures))
    return folder


def test_export_with_own_faces_and_with_those_of_the_training(run, face_folder, tmp_path):
    keep_ranges(run, golden_faces(48)[:40], lambda line: None)
    with_ranges = export(run, out=tmp_path / "ranges")
    assert with_ranges.calibration == "ranges of the training run, from 40 training faces"
    assert with_ranges.verification.passed
    own = export(run, out=tmp_path / "own", calibrate=face_folder)
    assert own.calibration == f"40 faces of {face_folder.name}"
    assert own.as_dict()["calibration"] == own.calibration == own.contract.ranges
    assert own.path.read_bytes() != with_ranges.path.read_bytes()
    (check,) = [c for c in own.verification.checks if c.name == OWN_PARITY]
    assert "80 of the calibration: same label" in check.detail  # the 40, and mirrored

    # The same by hand, with the right weights and with wrong ones.
    reference = reference_for_file(own.path, face_folder, run)
    assert verify(own.path, reference).passed
    two_streams(seed=2).save(tmp_path / "other.keras")
    reference = reference_for_file(own.path, face_folder, tmp_path / "other.keras", "0..1")
    assert {c.name for c in verify(own.path, reference).checks if not c.passed} == {OWN_PARITY}
    with pytest.raises(
        ModelError,
        match=r"checkpoint: expected a model of 16 px for neutral, .*, found compact of 56 px for",
    ):
        reference_for_file(own.path, face_folder, "compact")
    with pytest.raises(ModelError, match=r"the float weights that .*tflite was made from"):
        reference_for_file(own.path, face_folder)
    with pytest.raises(InputError, match="faces: expected a folder"):
        reference_for_file(own.path, tmp_path / "nowhere", run)


def test_few_training_faces_are_joined_by_the_bundled_ones(run):
    """Alone their ranges are too narrow for other faces, and the export is refused."""
    reports = []
    dark = golden_faces(48)[:5] // 8
    keep_ranges(run, dark, reports.append)
    (line,) = reports
    assert line.endswith("from 5 training faces and 128 bundled ones")
    network = read_network(load_checkpoint(run).model)
    bundled = observe_network(network, vary_contrast(golden_faces(network.size)))
    for name, (low, high) in find_calibration(network, run).limits.items():
        assert low <= 0.9 * bundled[name][0]
        assert high >= 0.9 * bundled[name][1]


def test_ranges_of_a_run_are_made_again_for_other_weights_only(run):
    reports, faces = [], golden_faces(48)[:40]
    keep_ranges(run, faces, reports.append)
    kept = (run / RANGES_JSON).read_bytes()
    keep_ranges(run, faces, reports.append)
    assert reports == ["ranges.json: activation ranges for int8 exports, from 40 training faces"]
    two_streams(seed=2).save(run / "best.keras")
    other = load_checkpoint(run).model
    with pytest.raises(ModelError, match=r"the ranges of these weights.*resume the training run"):
        find_calibration(read_network(other), run)
    keep_ranges(run, faces, reports.append)
    assert reports[1] == reports[0]
    assert (run / RANGES_JSON).read_bytes() != kept
    assert find_calibration(read_network(other), run).limits


@pytest.mark.parametrize("lacking", ["tensorflow", "layers"])
def test_a_run_without_ranges_says_why(run, monkeypatch, lacking):
    def missing():
        raise MissingPackageError("export", package="tensorflow", extra="export")

    if lacking == "layers":
        monkeypatch.setattr(
            "fer_mobile.convert.training_ranges.quantizer_knows", lambda graph: False
        )
    else:
        monkeypatch.setattr("fer_mobile.convert.converter.import_tensorflow", missing)
    reports = []
    keep_ranges(run, golden_faces(48)[:40], reports.append)
    (line,) = reports
    assert "no ranges.json, so that int8 exports take the bundled faces" in line
    assert {
        "tensorflow": "the package tensorflow",
        "layers": "layers that ai-edge-quantizer knows",
    }[lacking] in line
    assert not (run / RANGES_JSON).exists()


def test_faces_are_only_for_int8(run, face_folder, tmp_path):
    with pytest.raises(InputError, match="calibrate: expected `quantize='int8'`"):
        export(run, quantize="float16", calibrate=face_folder, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
