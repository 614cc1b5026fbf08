"""The teacher that told people apart: its size, its weights out of a TensorFlow.js file."""

import itertools
import json
import shutil
import subprocess

import keras
import numpy as np
import pytest
from PIL import Image

from fer_mobile import zoo
from fer_mobile.errors import ModelError
from fer_mobile.resources import photos_dir
from fer_mobile.zoo.face_mobilenet import BLOCKS, MEANS
from fer_mobile.zoo.tfjs_file import read_tensors
from tests.command_line import PATIENCE_S

SIZE = 64


def write(folder, tensors, stored="float32", shards=1):
    """A TensorFlow.js description with the tensors, their values cut into that many files."""
    kind = {"float16": "<f2", "float32": "<f4"}[stored]
    content = b"".join(value.astype(kind).tobytes() for value in tensors.values())
    cuts = np.linspace(0, len(content), shards + 1).astype(int)
    for number, (start, end) in enumerate(itertools.pairwise(cuts)):
        (folder / f"shard{number}.bin").write_bytes(content[start:end])
    entries = [{"name": n, "shape": list(v.shape), "dtype": "float32"} for n, v in tensors.items()]
    if stored != "float32":
        entries = [entry | {"quantization": {"dtype": stored}} for entry in entries]
    paths = [f"shard{number}.bin" for number in range(shards)]
    path = folder / "model.json"
    path.write_text(json.dumps({"weightsManifest": [{"paths": paths, "weights": entries}]}))
    return path


def faceres(rng):
    """Tensors under the names of Human's `faceres`, with normalisations beside the kernels."""

    def normal(*shape, inputs):
        return rng.normal(scale=np.sqrt(2 / inputs), size=shape).astype(np.float32)

    tensors = {
        "conv1/convolution/merged_input": normal(3, 3, 3, 32, inputs=27 * 128**2),
        "conv1_bn/batchnorm_1/sub": normal(32, inputs=20),
    }
    channels = 32
    for number, (filters, _) in enumerate(BLOCKS, 1):
        dw, pw = f"conv_dw_{number}", f"conv_pw_{number}"
        tensors[f"{dw}/depthwise_kernel"] = normal(3, 3, channels, 1, inputs=9)
        tensors[f"{dw}_bn/batchnorm_1/mul"] = rng.uniform(0.8, 1.25, channels).astype(np.float32)
        tensors[f"{dw}_bn/batchnorm_1/sub"] = normal(channels, inputs=20)
        tensors[f"{pw}/convolution/merged_input"] = normal(1, 1, channels, filters, inputs=channels)
        tensors[f"{pw}_bn/batchnorm_1/sub"] = normal(filters, inputs=20)
        channels = filters
    return tensors


def features(model, faces, layer="pool"):
    return keras.Model(model.input, model.get_layer(layer).output)(faces).numpy()


def test_parameters_and_shapes_are_as_registered():
    model = zoo.build("face_mobilenet")
    assert model.count_params() == zoo.ARCHITECTURES["face_mobilenet"].parameters == 3_203_656
    assert model.input_shape == (None, 160, 160, 1)
    assert model.output_shape == (None, 8)


@pytest.mark.parametrize("stored", ["float32", "float16"])
def test_the_stem_sees_a_gray_face_as_the_colour_one_does(tmp_path, stored):
    tensors = faceres(np.random.default_rng(0))
    model = zoo.build("face_mobilenet", size=SIZE, weights=str(write(tmp_path, tensors, stored)))
    faces = np.random.default_rng(1).random((2, SIZE, SIZE, 1)).astype(np.float32)
    colour = keras.layers.Conv2D(32, 3, strides=2, padding="same", activation="relu6")
    values = faces * 255 - np.float32(MEANS)
    colour.build(values.shape)
    colour.set_weights(list(tensors.values())[:2])
    # Behind the last row and column the gray image goes on with the mean of the three means.
    inner = (slice(None), slice(-1), slice(-1))
    expected = colour(values).numpy()[inner]
    assert expected.std() > 0.1
    found = features(model, faces, "stem_relu6")[inner]
    np.testing.assert_allclose(found, expected, atol=1e-4 if stored == "float32" else 5e-3)


def test_blocks_begin_with_the_files_weights(tmp_path):
    tensors = faceres(np.random.default_rng(0))
    model = zoo.build("face_mobilenet", size=SIZE, weights=str(write(tmp_path, tensors)))
    x = np.random.default_rng(1).random((1, 32, 32, 32)).astype(np.float32)
    y = x
    for number, (_, stride) in enumerate(BLOCKS, 1):
        depthwise = keras.ops.depthwise_conv(
            y, tensors[f"conv_dw_{number}/depthwise_kernel"], strides=stride, padding="same"
        )
        depthwise = depthwise * tensors[f"conv_dw_{number}_bn/batchnorm_1/mul"]
        y = keras.ops.relu6(depthwise + tensors[f"conv_dw_{number}_bn/batchnorm_1/sub"])
        y = keras.ops.conv(y, tensors[f"conv_pw_{number}/convolution/merged_input"])
        y = keras.ops.relu6(y + tensors[f"conv_pw_{number}_bn/batchnorm_1/sub"])
    expected = np.asarray(y).mean((1, 2))
    assert expected.std() > 0.05
    rest = keras.Model(model.get_layer("stem_relu6").output, model.get_layer("pool").output)
    np.testing.assert_allclose(rest(x).numpy(), expected, atol=1e-3)


def test_frozen_blocks_stay_as_they_are(tmp_path):
    path = write(tmp_path, faceres(np.random.default_rng(0)))
    model = zoo.build("face_mobilenet", size=SIZE, frozen=2, weights=str(path))
    model.compile("adam", "categorical_crossentropy")
    before = {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
    model.train_on_batch(np.random.default_rng(0).random((2, SIZE, SIZE, 1)), np.eye(8)[:2])
    still = {
        layer.name
        for layer in model.layers
        if layer.weights and np.array_equal(layer.get_weights()[0], before[layer.name][0])
    }
    assert still == {"stem"} | {
        f"block{n}_{part}" for n in (1, 2) for part in ("depthwise", "pointwise")
    }


@pytest.fixture(scope="module")
def human(tmp_path_factory):
    if shutil.which("npm") is None:
        pytest.skip("npm is missing")
    folder = tmp_path_factory.mktemp("human")
    subprocess.run(
        ["npm", "pack", "--silent", "@vladmandic/human@3.3.6"],
        cwd=folder,
        check=True,
        timeout=PATIENCE_S,
    )
    shutil.unpack_archive(folder / "vladmandic-human-3.3.6.tgz", folder)
    return folder / "package" / "models" / "faceres.json"


@pytest.mark.prove
def test_humans_weights_give_its_features(human):
    model = zoo.build("face_mobilenet", size=224, weights=str(human))
    photo = Image.open(photos_dir() / "astronaut-smile.jpg")
    gray = np.asarray(photo.convert("L").resize((224, 224)), np.float32)
    found = features(model, gray[None, ..., None] / 255)[0]
    # TensorFlow.js 4.22 with its WebAssembly kernels, the same gray values in three channels
    # less their means; it pads with zeros behind them.
    np.testing.assert_allclose(found[:3], [0.0947546, 0.7680290, 0], atol=0.01)
    assert np.linalg.norm(found) == pytest.approx(4.680687, abs=0.01)


def test_wrong_sizes_and_files_are_said(tmp_path):
    with pytest.raises(ModelError, match="multiple of 32"):
        zoo.build("face_mobilenet", size=150)
    for frozen in (-1, 14):
        with pytest.raises(ModelError, match=f"expected 0 to 13 blocks.*{frozen}"):
            zoo.build("face_mobilenet", size=32, frozen=frozen)
    with pytest.raises(ModelError, match="No such file"):
        zoo.build("face_mobilenet", weights=str(tmp_path / "absent.json"))
    path = write(tmp_path, {"conv1/convolution/merged_input": np.ones((3, 3, 3, 32))})
    with pytest.raises(ModelError, match="faceres"):
        zoo.build("face_mobilenet", weights=str(path))


@pytest.mark.parametrize("shards", [1, 3])
def test_a_file_gives_what_was_stored(tmp_path, shards):
    tensors = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "scalar": np.float32(7).reshape(()),
        "b": np.arange(5, dtype=np.float32) / 4,
    }
    for stored in ("float32", "float16"):
        found = read_tensors(write(tmp_path, tensors, stored, shards))
        assert list(found) == list(tensors)
        for name, value in tensors.items():
            assert found[name].dtype == np.float32
            np.testing.assert_array_equal(found[name], value)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "Expecting value"),
        ("[]", "list indices"),
        ("{}", "weightsManifest"),
        ('{"weightsManifest": [{"paths": ["absent.bin"], "weights": []}]}', "No such file"),
        ('{"weightsManifest": [{"paths": ["eight.bin"], "weights": []}]}', "8 bytes of weights"),
        (
            '{"weightsManifest": [{"paths": ["eight.bin"], "weights":'
            ' [{"name": "a", "shape": [3], "dtype": "float32"}]}]}',
            "buffer is smaller",
        ),
        (
            '{"weightsManifest": [{"paths": ["eight.bin"], "weights": [{"name": "a", "shape":'
            ' [8], "dtype": "float32", "quantization": {"dtype": "uint8"}}]}]}',
            "uint8",
        ),
    ],
)
def test_other_files_are_refused(tmp_path, content, why):
    (tmp_path / "eight.bin").write_bytes(bytes(8))
    path = tmp_path / "model.json"
    path.write_text(content)
    with pytest.raises(ModelError, match=why):
        read_tensors(path)
