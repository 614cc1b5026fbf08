"""A network small enough for a test that converts or trains it in a moment."""

from __future__ import annotations

from functools import cache

import numpy as np

from fer_mobile.golden import golden_faces
from fer_mobile.preprocess import normalise

SIZE = 16
BATCH = 32


def outputs(model, pixels):
    """What a Keras model gives for pixels float32 [N, S, S, C], as an array [N, outputs].

    Layer by layer: `predict` traces a function first, which takes longer than to run it once.
    """
    import keras

    model = keras.Model(model.inputs[0], model.outputs[0])  # of an array, also where it was a list
    parts = [pixels[i : i + BATCH] for i in range(0, len(pixels), BATCH)]
    return np.concatenate([np.asarray(model(part, training=False)) for part in parts])


def two_streams(seed=0, bias=True, classes=8):
    """Two streams as in xcao_two_stream, at 16 px, with batch norms that have seen faces."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(seed)
    image = keras.Input((SIZE, SIZE, 1), name="image")
    maps = []
    for stream in "ab":
        x = image
        for i, (side, channels) in enumerate(((5, 8), (1, 16), (3, 16))):
            convolution = layers.Conv2D(
                channels, side, padding="same", activation="relu", name=f"{stream}_conv{i}"
            )
            norm = layers.BatchNormalization(name=f"{stream}_norm{i}")
            x = norm(convolution(x))
            if i < 2:
                x = layers.MaxPooling2D(2, name=f"{stream}_pool{i}")(x)
        maps.append(x)
    x = layers.Flatten(name="flatten")(layers.Add(name="merge")(maps))
    x = layers.Dense(32, activation="relu", name="dense")(x)
    x = layers.Dense(classes, use_bias=bias, name="logits")(x)
    x = layers.BatchNormalization(name="logits_norm")(x)
    model = keras.Model(image, layers.Softmax(name="probabilities")(x), name="two_streams")
    norms = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
    rng = np.random.default_rng(seed)
    for norm in norms:
        norm.gamma.assign(rng.uniform(0.5, 1.5, norm.gamma.shape))
        norm.beta.assign(rng.normal(0, 0.3, norm.beta.shape))
        norm.momentum = 0.0
    model(normalise(golden_faces(SIZE))[..., None], training=True)
    for norm in norms:
        norm.momentum = 0.9
    return model


def brightness_classes():
    """Labels that a small network can learn of the golden faces: four shades, int64 [N]."""
    shades = golden_faces(SIZE).mean((1, 2))
    return np.digitize(shades, np.quantile(shades, [0.25, 0.5, 0.75]))


@cache
def trained_two_streams():
    """`two_streams`, trained to tell the four shades; for reading only."""
    import keras

    model = two_streams(seed=1)
    pixels = normalise(golden_faces(SIZE))[..., None]
    model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy")
    model.fit(pixels, brightness_classes(), batch_size=32, epochs=20, verbose=0)
    return model
