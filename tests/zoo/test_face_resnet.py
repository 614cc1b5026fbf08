"""The teacher from face recognition: its size, its weights out of dlib's file, and other files."""

import keras
import numpy as np
import pytest
from PIL import Image

from fer_mobile import zoo
from fer_mobile.errors import MissingPackageError, ModelError
from fer_mobile.resources import photos_dir
from fer_mobile.zoo.dlib_file import read_convolutions
from fer_mobile.zoo.face_resnet import LEAST_SIZE, MEANS, PACKAGE, _file

COLORS = np.array([0.5, 0.375, 0.125])
"""Shares of the first kernel that a made file gives to red, green and blue."""


def stored(kind, values):
    """A layer as dlib stores it: its kind, a tensor, and settings that are not read."""
    integers = (2, len(values), 1, 1, 1)
    lengths = [max(1, (number.bit_length() + 7) // 8) for number in integers]
    header = b"".join(
        bytes([length]) + number.to_bytes(length, "little")
        for number, length in zip(integers, lengths, strict=True)
    )
    name = bytes([1, len(kind)]) + kind
    return name + header + np.asarray(values, "<f4").tobytes() + b"\x01\x00\x01\x07"


def dlib_file(path, model, rng):
    """A file whose affine layers and colours come to the kernels that the model has."""
    content = b"\x01\x01\x01\x0dloss_metric_2"
    for number, layer in enumerate(x for x in model.layers if isinstance(x, keras.layers.Conv2D)):
        kernel, bias = (np.float64(w) for w in layer.get_weights())
        factors, offsets = rng.uniform(0.5, 2, len(bias)), rng.normal(size=len(bias))
        filters = kernel.transpose(3, 2, 0, 1) / factors[:, None, None, None]
        biases = (bias - offsets) / factors
        if not number:
            filters = filters * COLORS[None, :, None, None] * 256 / 255
            biases = biases + (filters * np.reshape(MEANS, (1, 3, 1, 1)) / 256).sum((1, 2, 3))
        content += stored(b"con_4", np.concatenate([filters.ravel(), biases]))
        content += stored(b"affine_", np.concatenate([factors, offsets]))
        content += stored(b"relu_", [])
    path.write_bytes(content)
    return path


def test_parameters_and_shapes_are_as_registered():
    model = zoo.build("face_resnet")
    assert model.count_params() == zoo.ARCHITECTURES["face_resnet"].parameters == 5_573_640
    assert model.input_shape == (None, 112, 112, 1)
    assert model.output_shape == (None, 8)


@pytest.mark.parametrize("size", [LEAST_SIZE, 150])
def test_maps_are_halved_as_in_dlib(size):
    model = zoo.build("face_resnet", size=size)
    sides = [model.get_layer(f"stage{stage}_0_relu2").output.shape[1] for stage in range(5)]
    assert sides == {LEAST_SIZE: [24, 12, 6, 3, 1], 150: [35, 17, 8, 4, 2]}[size]


def test_weights_of_a_dlib_file_give_the_same_answers(tmp_path):
    one, rng = zoo.build("face_resnet", size=LEAST_SIZE), np.random.default_rng(0)
    for layer in one.layers:
        if isinstance(layer, keras.layers.Conv2D):
            kernel, bias = layer.get_weights()
            layer.set_weights([kernel, rng.normal(size=bias.shape) / 10])
    path = dlib_file(tmp_path / "weights.dat", one, rng)
    other = zoo.build("face_resnet", size=LEAST_SIZE, weights=str(path))
    faces = rng.random((2, LEAST_SIZE, LEAST_SIZE, 1)).astype(np.float32)
    features = [keras.Model(m.input, m.get_layer("pool").output)(faces) for m in (one, other)]
    assert np.std(features[0], axis=0).max() > 0.01
    np.testing.assert_allclose(features[1], features[0], rtol=1e-4, atol=1e-4)


@pytest.mark.prove
def test_the_packages_weights_give_dlibs_descriptor():
    model = zoo.build("face_resnet", size=150, weights="faces")
    photo = Image.open(photos_dir() / "astronaut-smile.jpg")
    gray = np.asarray(photo.convert("L").resize((150, 150)), np.float32)
    features = keras.Model(model.input, model.get_layer("pool").output)(gray[None, ..., None] / 255)
    # The last layer, which the teacher does without: [256, 128], the file's last tensor.
    tail = _file().read_bytes()
    behind = tail.rindex(b"\x01\x04fc_2")
    values = np.frombuffer(tail, "<f4", 256 * 128, tail.index(b"\x01\x01\x01\x01", behind) + 4)
    descriptor = (features.numpy() @ values.reshape(256, 128))[0]
    # @vladmandic/face-api 1.7.15, whose weights are these in 8 bits.
    theirs = [-0.07569373, 0.11289245, 0.05183965, -0.00127888, -0.06189394]
    np.testing.assert_allclose(descriptor[:5], theirs, atol=0.01)
    assert np.linalg.norm(descriptor) == pytest.approx(1.33467765, abs=0.01)


def test_absent_package_and_wrong_files_are_said(tmp_path, monkeypatch):
    monkeypatch.setattr("fer_mobile.zoo.face_resnet.find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match=PACKAGE):
        zoo.build("face_resnet", weights="faces")
    with pytest.raises(ModelError, match=f"{LEAST_SIZE} px or more"):
        zoo.build("face_resnet", size=LEAST_SIZE - 1)
    with pytest.raises(ModelError, match="No such file"):
        zoo.build("face_resnet", weights=str(tmp_path / "absent.dat"))
    path = tmp_path / "other.dat"
    path.write_bytes(stored(b"con_4", np.ones(10)) + stored(b"affine_", np.ones(2)))
    assert len(read_convolutions(path)) == 1
    with pytest.raises(ModelError, match="dlib's face recognition network"):
        zoo.build("face_resnet", weights=str(path))


def test_a_file_gives_what_was_stored(tmp_path):
    path, values = tmp_path / "two.dat", np.arange(300, dtype=np.float32)
    layer = stored(b"con_4", values) + stored(b"affine_", values[:6])
    path.write_bytes(b"\x01\x02" + layer + b"relu_" + layer)
    for found in read_convolutions(path):
        np.testing.assert_array_equal(found.filters, values[:297])
        np.testing.assert_array_equal(found.biases, values[297:])
        np.testing.assert_array_equal(found.factors, [0, 1, 2])
        np.testing.assert_array_equal(found.offsets, [3, 4, 5])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no convolutions"),
        (b"not a network", "no convolutions"),
        (stored(b"affine_", np.ones(2)) + stored(b"con_4", np.ones(3)), "no convolutions"),
        (stored(b"con_4", np.ones(3)) * 2, "no convolutions"),
        (b"\x01\x05con_4\x01\x03", "version 3|no tensor"),
        (b"\x01\x05con_4\x01\x02\x01\xff\x01\x01\x01\x01\x01\x01", "beyond the end"),
        (b"\x01\x05con_4\x81\x02", "no tensor"),
    ],
)
def test_other_files_are_refused(tmp_path, content, why):
    path = tmp_path / "wrong.dat"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=why):
        read_convolutions(path)


def test_damaged_files_are_refused(tmp_path):
    path = tmp_path / "damaged.dat"
    whole = stored(b"con_4", np.arange(6)) + stored(b"affine_", np.arange(2))
    for length in range(len(whole) - len(b"\x01\x00\x01\x07")):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelError):
            read_convolutions(path)
