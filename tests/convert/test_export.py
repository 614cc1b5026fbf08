"""Exports of the shipped model in every form, and what is refused before a file appears."""

import json
import shutil
import subprocess

import keras
import numpy as np
import pytest
from keras import layers

from fer_mobile import zoo
from fer_mobile.contract import UNKNOWN
from fer_mobile.convert import export, verify
from fer_mobile.convert.onnx import run_onnx
from fer_mobile.errors import InputError, ModelError
from fer_mobile.golden import golden_faces, reference_faces
from fer_mobile.labels import LABELS
from fer_mobile.model_file import read_contract, split
from fer_mobile.models import DEFAULT, list_models, shipped_models
from fer_mobile.preprocess import normalise
from fer_mobile.resources import photos_dir
from fer_mobile.runtime.classifier import load_classifier
from fer_mobile.runtime.interpreter import load_interpreter
from tests.conftest import EXPORTED
from tests.networks import outputs

BYTES = {"float32": 4, "float16": 2, "dynamic": 1, "int8": 1}
"""Of a parameter."""
OWN = {"labels": LABELS, "value_range": "0..1"}
"""What is stated of a `.keras` file."""
PRECISIONS = {"none": "float32", "float16": "float16", "dynamic": "dynamic", "int8": "int8"}


@pytest.fixture(scope="module")
def source():
    return keras.models.load_model(shipped_models()[EXPORTED].checkpoint, compile=False)


@pytest.mark.parametrize("quantize", PRECISIONS)
@pytest.mark.parametrize(
    ("model", "parameters", "trainable"),
    [
        ("compact", 828_328, 825_704),
        pytest.param(DEFAULT, 7_509_672, 7_507_160, marks=pytest.mark.prove),
    ],
)
def test_every_quantization_is_written_with_its_contract(
    exports, model, parameters, trainable, quantize
):
    done = exports(quantize, model=model)
    precision = PRECISIONS[quantize]
    assert done.path.name == f"{model}_{precision}.tflite"
    assert 0.98 < done.path.stat().st_size / (BYTES[precision] * parameters) < 1.2
    assert done.verification.passed
    assert {check.name for check in done.verification.checks} >= {
        "checksum", "contract beside", "contract and graph", "finite", "batch invariance", "parity",
    }  # fmt: skip
    contract = read_contract(done.path)
    assert contract == done.contract
    assert contract.trainable_parameters == trainable
    said = "ranges shipped with the model, from 1,000 training faces"
    assert contract.ranges == (said if precision == "int8" else None)
    assert (contract.precision, contract.labels, contract.parameters) == (
        precision,
        LABELS,
        parameters,
    )
    beside = done.path.with_suffix(".json").read_text(encoding="utf-8")
    assert beside == contract.to_json()
    assert len(contract.reference_outputs) == len(reference_faces(48))
    assert {figures.precision for figures in contract.figures} >= {"float32", "int8"}
    assert json.dumps(done.as_dict())


def test_parity_is_with_the_float_source_itself(exports, source):
    faces = golden_faces(56)
    expected = outputs(source, normalise(faces)[..., None])
    found = load_classifier(exports("none").path).classify(faces)
    assert np.abs(found - expected).max() <= 1e-5


def test_int8_is_integer_from_end_to_end(exports):
    done = exports("int8")
    assert done.verification.float_operations == {}
    assert "QUANTIZE" not in done.verification.operations
    tensor = done.contract.input
    assert (tensor.dtype, tensor.zero_point) == ("int8", -128)
    assert tensor.scale == pytest.approx(1 / 255, rel=1e-6)  # the input is the pixel - 128
    assert done.contract.output.dtype == "int8"


@pytest.mark.parametrize("io", ["uint8", "float32"])
def test_other_input_and_output_of_int8(exports, io):
    done, plain = exports("int8", io), exports("int8")
    assert done.path.name == f"{EXPORTED}_int8_{io}_io.tflite"
    for tensor in (done.contract.input, done.contract.output):
        assert tensor.dtype == io
        assert (tensor.scale is None) == (io == "float32")
    assert done.verification.float_operations == {}
    faces = golden_faces(56)
    found, expected = (load_classifier(e.path).classify(faces) for e in (done, plain))
    np.testing.assert_allclose(found, expected, atol=0.005)


def test_tensors_have_names_and_any_batch_fits(exports):
    for quantize in ("none", "int8"):
        content = exports(quantize).path.read_bytes()
        runner = load_interpreter(content).get_signature_runner()
        assert set(runner.get_input_details()) == {"image"}
        assert set(runner.get_output_details()) == {"probabilities"}
        assert "SHAPE" not in exports(quantize).verification.operations
        classifier = load_classifier(exports(quantize).path)
        for count in (0, 3, 1, 2):
            assert classifier.classify(golden_faces(56)[:count]).shape == (count, 8)


def test_onnx(exports, source):
    done = exports("none", format="onnx")
    assert done.path.name == f"{EXPORTED}_float32.onnx"
    faces = normalise(golden_faces(56))[..., None]
    found = run_onnx(done.path.read_bytes(), faces)
    assert np.abs(found - outputs(source, faces)).max() <= 1e-5
    assert done.parity <= 1e-5
    beside = json.loads(done.path.with_name(f"{done.path.name}.json").read_text())
    assert beside["labels"] == list(LABELS)
    with pytest.raises(InputError, match="Use `quantize='none'`"):
        export(EXPORTED, quantize="int8", format="onnx")


def test_an_export_is_the_same_bytes_every_time(exports, tmp_path):
    again = export(EXPORTED, quantize="int8", out=tmp_path / "new" / "folder")
    assert again.path.read_bytes() == exports("int8").path.read_bytes()
    assert sorted(p.name for p in again.path.parent.iterdir()) == [
        f"{EXPORTED}_int8.json",
        f"{EXPORTED}_int8.tflite",
    ]


def test_a_run_folder_is_exported_under_its_own_name(trained_run, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(trained_run, run)
    # Two epochs of a tiny dataset may not tell one face from another, which verify would refuse.
    shutil.copy(shipped_models()[EXPORTED].checkpoint, run / "best.keras")
    done = export(run, quantize="dynamic", out=tmp_path)
    assert done.path.name == "tiny_dynamic.tflite"
    assert done.contract.provenance.recipe == "tiny"
    assert done.contract.provenance.epochs == 2
    (run / "valid.json").unlink()
    with pytest.raises(ModelError, match=r"valid\.json: .*found a damaged one \(No such file"):
        export(run, out=tmp_path)


def network(units=8, *, top="softmax", channels=1, side=32):
    image = keras.Input((side, side, channels))
    x = layers.Flatten()(layers.MaxPooling2D(2)(image))
    return keras.Model(image, layers.Dense(units, activation=top, name="top")(x), name="small")


def nan_weights():
    model = network()
    model.get_layer("top").set_weights([np.full((256, 8), np.nan), np.zeros(8)])
    return model


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (nan_weights, "probabilities that sum to 1, found sums from nan"),
        (lambda: network(top="linear"), "probabilities that sum to 1"),
        (lambda: network(5), "`labels`, 5 different names, found 8"),
        (lambda: network(channels=3), "a gray square input"),
        (lambda: two_inputs(), "a gray square input"),
        (lambda: wide(), "a gray square input"),
        (lambda: network_of(10_000_001), "at most 10,000,000 trainable parameters"),
    ],
    ids=["nan", "logits", "classes", "rgb", "two inputs", "not square", "too large"],
)
def test_a_model_that_cannot_be_used_is_refused_and_nothing_is_written(tmp_path, make, message):
    make().save(tmp_path / "model.keras")
    with pytest.raises(ModelError, match=message):
        export(tmp_path / "model.keras", quantize="none", **OWN, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def two_inputs():
    inputs = [keras.Input((32, 32, 1)) for _ in range(2)]
    x = layers.Flatten()(layers.Add()(inputs))
    return keras.Model(inputs, layers.Dense(8, activation="softmax")(x))


def wide():
    image = keras.Input((32, 48, 1))
    return keras.Model(image, layers.Dense(8, activation="softmax")(layers.Flatten()(image)))


def network_of(parameters):
    image = keras.Input((32, 32, 1))
    x = layers.Dense(parameters // (1024 + 8), use_bias=False)(layers.Flatten()(image))
    x = layers.Dense(8, activation="softmax")(x)
    model = keras.Model(image, x)
    while model.count_params() <= parameters:
        x = layers.Dense(8, activation="softmax")(layers.Dense(1024)(x))
        model = keras.Model(image, x)
    return model


def test_the_cap_is_lifted_on_demand(tmp_path, monkeypatch):
    monkeypatch.setattr(zoo, "PARAMETER_CAP", 2000)  # 10 million take 12 s
    network().save(tmp_path / "large.keras")
    options = {"quantize": "dynamic", "out": tmp_path, **OWN}
    with pytest.raises(ModelError, match="at most 2,000 trainable parameters"):
        export(tmp_path / "large.keras", **options)
    done = export(tmp_path / "large.keras", parameter_cap=False, **options)
    assert done.contract.parameters > 2000
    assert done.contract.parameter_cap is None
    assert verify(done.path).passed


def test_other_networks_are_exported_as_they_are(tmp_path):
    keras.utils.set_random_seed(0)
    image = keras.Input((32, 32, 1))
    x = layers.DepthwiseConv2D(3, activation="relu6")(image)
    x = layers.Dense(8, activation="softmax")(layers.GlobalAveragePooling2D()(x))
    keras.Model(image, x).save(tmp_path / "other.keras")
    stated = {"labels": LABELS, "value_range": "-1..1"}
    done = export(tmp_path / "other.keras", quantize="none", out=tmp_path, **stated)
    assert done.path.name == "other_float32.tflite"
    assert done.verification.passed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"quantize": "int4"}, "Did you mean 'int8'"),
        ({"quantize": "float32"}, "Did you mean 'float16'"),
        ({"format": "tfjs"}, "format: expected one of tflite, onnx"),
        ({"io": "int16"}, "Did you mean 'int8'"),
        ({"io": "uint8", "quantize": "float16"}, "io: expected `quantize='int8'`"),
        ({"io": "float32", "color": "rgb"}, "expected `io='uint8'` with `color='rgb'`"),
        ({"model": "xcao_two_steam"}, "Did you mean 'xcao_two_stream'"),
        ({"model": "absent.keras"}, "no such name or file"),
    ],
)
def test_wrong_arguments_are_refused_at_once(tmp_path, arguments, message):
    with pytest.raises(InputError, match=message):
        export(**({"out": tmp_path} | arguments))


@pytest.mark.parametrize("content", [b"", b"no model", b"PK\5\6" + bytes(18)])
def test_a_file_that_is_no_keras_model_is_refused(tmp_path, content):
    (tmp_path / "model.keras").write_bytes(content)
    with pytest.raises(ModelError, match="a Keras 3 model file"):
        export(tmp_path / "model.keras")


def test_an_exported_file_is_no_source(exports):
    with pytest.raises(ModelError, match=r"found a \.tflite file"):
        export(exports("int8").path)


def test_out_must_be_a_folder_that_can_be_written(tmp_path):
    network().save(tmp_path / "small.keras")
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="out: expected a folder, found the file"):
        export(tmp_path / "small.keras", quantize="none", **OWN, out=tmp_path / "file")
    with pytest.raises(InputError, match="a place that can be written to"):
        export(
            tmp_path / "small.keras",
            quantize="none",
            **OWN,
            out=tmp_path / "file" / "inner",
        )
    taken = tmp_path / "taken"
    (taken / "small_float32.json").mkdir(parents=True)  # the contract cannot be written
    with pytest.raises(InputError, match="found a folder"):
        export(tmp_path / "small.keras", quantize="none", **OWN, out=taken)
    assert [path.name for path in taken.iterdir()] == ["small_float32.json"]


_ON_SMALL_DISK = """
import atexit, ctypes, os, sys, tempfile
from pathlib import Path

libc, user, group = ctypes.CDLL(None), os.getuid(), os.getgid()
assert libc.unshare(0x10020000) == 0  # namespaces of its own, of users and of mounts
for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
    Path("/proc/self", name).write_text(text)
assert libc.mount(b"none", b"disk", b"tmpfs", 0, b"size=5M") == 0
sys.dont_write_bytecode = False  # as it is for users
tempfile.tempdir = None  # known already to the process that this one was forked from
try:
    %s
finally:
    atexit._run_exitfuncs()  # which a forked process leaves out
    print(*Path("disk").rglob("*"), sep="\\n", end="")
"""


@pytest.fixture
def on_small_disk(fer_mobile):
    """Runs `fer-mobile` beside a disk of 5 MB; prints what is left there."""
    (fer_mobile.folder / "disk").mkdir()
    namespace = ("unshare", "--mount", "--user", "--map-root-user")
    try:
        subprocess.run([*namespace, "mount", "-t", "tmpfs", "none", "/mnt"], check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the right to mount in a namespace of its own (unshare)")
    *python, code = fer_mobile.command
    fer_mobile.command = (*python, _ON_SMALL_DISK % code)
    return fer_mobile


@pytest.mark.parametrize(
    ("out", "temporary"), [("disk/new/folder", "/tmp"), ("elsewhere", "disk")], ids=["out", "work"]
)
def test_a_full_disk_is_one_line_and_nothing_is_left(on_small_disk, out, temporary):
    network_of(2_000_000).save(on_small_disk.folder / "large.keras")  # of 8 MB
    command = (
        "export",
        "large.keras",
        "--labels",
        ",".join(LABELS),
        "--range",
        "0..1",
        "--quantize",
        "none",
        "--out",
        out,
    )
    line = on_small_disk.refused(*command, TMPDIR=str((on_small_disk.folder / temporary).resolve()))
    assert "No space left on device" in line or "space on the disk, found none left" in line
    assert not (on_small_disk.folder / "elsewhere").exists()


def test_models_are_listed_with_their_files():
    rows = {row["name"]: row for row in list_models()}
    assert rows["xcao"]["kind"] == "architecture"
    assert rows["xcao"]["files"] == {}
    shipped = rows[DEFAULT]
    assert shipped["kind"] == "shipped"
    assert shipped["parameters"] == 7_509_672
    assert set(shipped["files"]) >= {"float16", "int8"}


@pytest.mark.parametrize("precision", ["float16", "int8"])
def test_shipped_files_are_proven_and_belong_to_the_shipped_source(precision):
    shipped = shipped_models()[DEFAULT]
    source = keras.models.load_model(shipped.checkpoint, compile=False)
    path = shipped.files[precision]
    found = verify(path)
    assert found.passed
    expected = outputs(source, normalise(reference_faces(56))[..., None])
    np.testing.assert_allclose(found.contract.reference_outputs, expected, atol=1e-4)
    assert split(path.read_bytes())[1].precision == precision


def test_a_bare_keras_file_has_no_labels(fer_mobile, tmp_path):
    """A seven-class network in FER2013's order, which always says its fourth label."""
    keras.utils.set_random_seed(1)
    image = keras.Input((48, 48, 1))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(8, 3, strides=2, activation="relu")(image))
    model = keras.Model(image, layers.Dense(7, activation="softmax")(x))
    kernel, bias = model.layers[-1].get_weights()
    bias[3] = 20.0
    model.layers[-1].set_weights([kernel, bias])
    model.save(fer_mobile.folder / "own7.keras")
    command = ("export", "own7.keras", "--quantize", "float16", "--range", "0..1")
    line = fer_mobile.refused("export", "own7.keras")
    assert "own7: expected --range, what its input's values are: 0..1 or -1..1 or 0..255" in line
    line = fer_mobile.refused(*command)
    assert "--labels, a name for each of its 7 outputs in their order" in line
    assert "7 different names, found 2: a, b" in fer_mobile.refused(*command, "--labels", "a,b")
    assert not list(fer_mobile.folder.glob("*.tflite"))
    order = "angry,disgust,fear,happy,sad,surprise,neutral"
    assert fer_mobile(*command, "--labels", order).returncode == 0
    contract = read_contract(fer_mobile.folder / "own7_float16.tflite")
    assert contract.labels == tuple(order.split(","))
    assert contract.licence == contract.provenance.epochs == UNKNOWN
    photo = photos_dir() / "astronaut-smile.jpg"
    (row,) = fer_mobile.json("predict", photo, "--model", "own7_float16.tflite")
    assert row["label"] == "happy"
