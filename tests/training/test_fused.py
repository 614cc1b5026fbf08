"""Fused batch normalisation learns what Keras's own does, and nothing of it is saved."""

import keras
import numpy as np
import pytest

from fer_mobile import zoo
from fer_mobile.training.fused import fuse_normalisation
from tests.networks import outputs

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="needs the backend TensorFlow"
)


def network(precision="float32"):
    """Normalised maps that a loss can be taken of; always of the same weights."""
    keras.utils.set_random_seed(0)
    image = keras.Input((6, 6, 4))
    x = keras.layers.BatchNormalization(
        gamma_initializer="random_normal", beta_initializer="random_normal", dtype=precision
    )(image)
    return keras.Model(image, keras.layers.Flatten(dtype="float32")(x))


@pytest.mark.parametrize(("precision", "share"), [("float32", 1e-4), ("mixed_bfloat16", 2e-2)])
def test_a_step_teaches_what_keras_own_would(precision, share):
    import tensorflow as tf

    rng = np.random.default_rng(0)
    maps = tf.constant(rng.normal(3, 2, (64, 6, 6, 4)), tf.float32)
    pull = tf.constant(rng.normal(0, 1, (64, 144)), tf.float32)
    results = []
    for fused in (False, True):
        model = network(precision)
        assert not fused or fuse_normalisation(model) == 1
        with tf.GradientTape() as tape:
            tape.watch(maps)
            outputs = model(maps, training=True)
            loss = tf.reduce_mean((outputs - pull) ** 2)
        learned = [weight.value for weight in model.trainable_weights]
        results.append([outputs, *tape.gradient(loss, [maps, *learned]), *model.weights])
    assert len(results[0]) == 8
    for own, found in zip(*results, strict=True):
        assert np.ptp(np.asarray(own)) > 0
        largest = np.abs(np.asarray(own)).max()
        np.testing.assert_allclose(found, own, rtol=0, atol=share * largest)


@pytest.fixture(params=["compact", "xcao_two_stream"])
def stepped(request):
    """A model after a training step on 32 faces with fused normalisation, and the faces."""
    keras.utils.set_random_seed(0)
    model = zoo.build(request.param, size=56)
    assert fuse_normalisation(model) > 10
    rng = np.random.default_rng(0)
    faces = rng.random((32, 56, 56, 1), np.float32)
    targets = rng.dirichlet(np.ones(8), 32).astype(np.float32)
    model.compile("sgd", "categorical_crossentropy")
    assert np.isfinite(model.train_on_batch(faces, targets))
    return model, faces


def test_a_saved_model_is_keras_own_and_predicts_the_same(stepped, tmp_path):
    model, faces = stepped
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert {type(layer).__module__.split(".")[0] for layer in loaded.layers} == {"keras"}
    np.testing.assert_array_equal(outputs(loaded, faces), outputs(model, faces))


def test_layers_that_the_kernel_does_not_know_stay_as_they_are():
    image = keras.Input((8, 8, 3))
    x = keras.layers.BatchNormalization(center=False)(image)
    x = keras.layers.BatchNormalization(axis=1)(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.BatchNormalization()(x)
    assert fuse_normalisation(keras.Model(image, x)) == 0
