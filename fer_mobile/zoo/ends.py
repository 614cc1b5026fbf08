"""The two ends that networks share: a gray face at the input, probabilities at the output."""

from __future__ import annotations

import keras
from keras import layers

from fer_mobile.errors import ModelError


def face_input(size: int, channels: int = 1) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """The input tensor [N, size, size, 1] in 0-1 and what the first layer is to see of it.

    With 3 channels that is the gray face as red, green and blue; the faces of every dataset
    here are gray.  Raises ModelError for another number.
    """
    if channels not in (1, 3):
        raise ModelError("channels", expected="1 or 3", found=str(channels))
    image = keras.Input((size, size, 1), name="image")
    if channels == 1:
        return image, image
    return image, layers.Concatenate(name="rgb")([image] * channels)


def probabilities(x: keras.KerasTensor, classes: int, norm: bool = False) -> keras.KerasTensor:
    """Logits and softmax in float32 also under mixed precision, which needs their digits."""
    x = layers.Dense(classes, name="logits", dtype="float32")(x)
    if norm:
        x = layers.BatchNormalization(name="logits_norm", dtype="float32")(x)
    return layers.Softmax(name="probabilities", dtype="float32")(x)


def pooled_probabilities(x: keras.KerasTensor, classes: int, dropout: float) -> keras.KerasTensor:
    """The mean of each channel, dropout, and `probabilities` of it."""
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return probabilities(layers.Dropout(dropout, name="drop")(x), classes)
