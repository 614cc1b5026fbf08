"""Networks of the four-class studies (000, 004): happy, neutral, sad, surprise at 48 px.

Study 000 prints every layer of its two.  Study 004 shows pictures of its three: their kinds
of layers are taken from there, channels and sizes are our reading, those of study 000's
chosen network where it has the same layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import keras
from keras import layers

from fer_mobile.zoo.ends import face_input, probabilities

FIVE_BLOCKS: Final = (32, 128, 256, 512, 512)
"""Channels of study 000's chosen network (its appendix 1)."""

SIMPLER: Final = (256, 128, 64, 32)
"""Channels of its simpler one (appendix 4)."""


def _activation(x: keras.KerasTensor, leaky: bool, name: str) -> keras.KerasTensor:
    if leaky:
        return layers.LeakyReLU(negative_slope=0.1, name=name)(x)
    return layers.ReLU(name=name)(x)


def _blocks(
    x: keras.KerasTensor, channels: Sequence[int], leaky: bool, drop_after: Sequence[int] = ()
) -> keras.KerasTensor:
    """Blocks of a 3×3 convolution, normalisation, activation and pooling."""
    for i, count in enumerate(channels):
        x = layers.Conv2D(count, 3, padding="same", name=f"conv{i}")(x)
        x = layers.BatchNormalization(name=f"norm{i}")(x)
        x = _activation(x, leaky, f"relu{i}")
        x = layers.MaxPooling2D(2, name=f"pool{i}")(x)
        if i in drop_after:
            x = layers.Dropout(0.2, name=f"drop{i}")(x)
    return layers.Flatten(name="flatten")(x)


def _dense(x: keras.KerasTensor, leaky: bool) -> keras.KerasTensor:
    """Two dense layers with normalisation and dropout."""
    for i, count in enumerate((256, 512)):
        x = layers.Dense(count, name=f"dense{i}")(x)
        x = layers.BatchNormalization(name=f"dense_norm{i}")(x)
        x = _activation(x, leaky, f"dense_relu{i}")
        x = layers.Dropout(0.3, name=f"dense_drop{i}")(x)
    return x


def five_block_cnn(size: int = 48, classes: int = 4, channels: int = 1) -> keras.Model:
    """Study 000's chosen network: 4,146,244 parameters, gray, with 4 classes.

    Input float32 [N, size, size, 1] in 0-1, output float32 [N, classes] probabilities.
    """
    image, x = face_input(size, channels)
    x = _dense(_blocks(x, FIVE_BLOCKS, leaky=False, drop_after=(1, 3)), leaky=False)
    return keras.Model(image, probabilities(x, classes), name="five_block_cnn")


def simpler_cnn(size: int = 48, classes: int = 4, channels: int = 1) -> keras.Model:
    """Study 000's simpler network: 605,924 parameters, gray, with 4 classes.

    Input and output as for `five_block_cnn`.
    """
    image, x = face_input(size, channels)
    x = _blocks(x, SIMPLER, leaky=True)
    for i, count in enumerate((512, 128)):
        x = layers.Dense(count, activation="relu", name=f"dense{i}")(x)
    return keras.Model(image, probabilities(x, classes), name="simpler_cnn")


def five_block_leaky(size: int = 48, classes: int = 4, channels: int = 3) -> keras.Model:
    """Study 004's final network: five blocks with LeakyReLU, dropout in the dense layers only.

    Input and output as for `five_block_cnn`; `channels` 1 is its gray form.
    """
    image, x = face_input(size, channels)
    x = _dense(_blocks(x, FIVE_BLOCKS, leaky=True), leaky=True)
    return keras.Model(image, probabilities(x, classes), name="five_block_leaky")


def _plain(name: str, size: int, classes: int, channels: int, counts: Sequence[int]) -> keras.Model:
    image, x = face_input(size, channels)
    for i, count in enumerate(counts):
        x = layers.Conv2D(count, 2, padding="same", activation="relu", name=f"conv{i}")(x)
        x = layers.MaxPooling2D(2, name=f"pool{i}")(x)
        x = layers.Dropout(0.2, name=f"drop{i}")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(512, activation="relu", name="dense")(x)
    x = layers.Dropout(0.4, name="dense_drop")(x)
    return keras.Model(image, probabilities(x, classes), name=name)


def capstone_model_1(size: int = 48, classes: int = 4, channels: int = 3) -> keras.Model:
    """Study 004's model 1: three convolutions with pooling and dropout, one dense layer.

    Input and output as for `five_block_cnn`.
    """
    return _plain("capstone_model_1", size, classes, channels, (64, 32, 32))


def capstone_model_2(size: int = 48, classes: int = 4, channels: int = 3) -> keras.Model:
    """Study 004's model 2: four convolutions, wider ones first.

    Input and output as for `five_block_cnn`.
    """
    return _plain("capstone_model_2", size, classes, channels, (256, 128, 64, 32))
