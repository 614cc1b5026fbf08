"""What is converted to float32 says of real faces what Keras says, for every network.

Some networks for 100 faces; all of them, and for 1,000 too, with `-m prove`.
"""

import gc
from functools import cache

import keras
import numpy as np
import pytest

from fer_mobile import zoo
from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.convert.converter import inference_function
from fer_mobile.data import load_dataset
from fer_mobile.errors import UnsupportedLayerError
from fer_mobile.graph.from_keras import from_keras
from fer_mobile.graph.network import read_network
from fer_mobile.models import shipped_models
from fer_mobile.preprocess import normalise, resize
from tests.networks import outputs

FACES, BATCH = 1000, 100
LARGE_BATCH = 10
"""Of inputs of more than 112 px, whose feature maps take a gigabyte for 100 faces."""
COUNTS = pytest.mark.parametrize(
    "count", [BATCH, pytest.param(FACES, marks=pytest.mark.prove)], ids="{} faces".format
)
EXACT = 1e-5
"""The largest difference of a probability."""

SIZES = {
    "xcao_two_stream": 56,
    "xcao": 56,
    "baseline": 32,
    "baseline_enhanced": 32,
    "fractal": 16,
    "alexnet": 80,
    "alexnet_two_stream": 80,
}
"""The input's size where the default one takes too long."""

AS_THEY_ARE = {
    "efficientnet_lite0",
    "face_inception",
    "face_mobilenet",
    "googlenet",
    "mobilenet",
    "small_vit",
    "transfer",
}
"""Networks with layers that the rewrites do not know."""

REWRITTEN = [name for name in zoo.ARCHITECTURES if name not in AS_THEY_ARE]

OF_EACH_KIND = {"alexnet_two_stream", "five_block_leaky", "fractal", "resnet_like", "xcao"}
"""Networks that have, with the shipped ones, every layer that the others have."""


@cache
def a_thousand_faces(folder):
    images = load_dataset(folder, split="valid").images[:FACES]
    assert len(images) == FACES
    return images


def resized(images, size):
    return normalise(np.stack([resize(image, size) for image in images]))[..., None]


@pytest.fixture(autouse=True)
def _forget_networks():
    """Keras keeps what it built; all networks together fill the memory."""
    yield
    keras.utils.clear_session()
    gc.collect()


def batch_of(faces):
    return BATCH if faces.shape[1] <= 112 else LARGE_BATCH


def check(model, faces):
    """With all rewrites and, of many faces, without Winograd's, which is for float32 alone."""
    batch = batch_of(faces)
    parts = [faces[i : i + batch] for i in range(0, len(faces), batch)]
    expected = np.concatenate([outputs(model, part) for part in parts])
    for winograd in (True, False) if len(faces) > BATCH else (True,):
        function = inference_function(read_network(model), winograd=winograd)
        found = [function(part) for part in parts]
        difference = np.abs(np.concatenate(found) - expected).max()
        assert difference <= EXACT
        assert difference <= expected.std(0).max() / 100  # of what faces differ by


def seen(model, faces):
    """The model with normalisations of the faces' statistics, as training leaves them."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    model(faces[: batch_of(faces)], training=True)
    return model


@COUNTS
@pytest.mark.parametrize("name", sorted(shipped_models()))
def test_shipped(name, count, shared_data):
    model = load_checkpoint(name).model
    check(model, resized(a_thousand_faces(shared_data)[:count], model.input_shape[1]))


@COUNTS
@pytest.mark.parametrize(
    "name",
    [
        name if name in OF_EACH_KIND else pytest.param(name, marks=pytest.mark.prove)
        for name in REWRITTEN
    ],
)
def test_zoo(name, count, shared_data):
    size = SIZES.get(name, zoo.ARCHITECTURES[name].size)
    faces = resized(a_thousand_faces(shared_data)[:count], size)
    check(seen(zoo.build(name, size=size), faces), faces)


@pytest.mark.prove
@pytest.mark.parametrize("name", sorted(SIZES.keys() - {"fractal"}))
def test_zoo_at_its_own_size(name, shared_data):
    faces = resized(a_thousand_faces(shared_data)[:BATCH], zoo.ARCHITECTURES[name].size)
    check(seen(zoo.build(name), faces), faces)


@pytest.mark.parametrize("name", sorted(AS_THEY_ARE))
def test_other_networks_are_left(name):
    with pytest.raises(UnsupportedLayerError):
        from_keras(zoo.build(name))
