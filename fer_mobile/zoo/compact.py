"""A residual network for phones, of our own design.

A 5×5 convolution and a pooling halve the face's height and width; three stages of basic
residual blocks (He et al., 2016; batch normalisation before ReLU, 3×3 convolutions only,
so that int8 loses nothing and vector units stay busy) halve the map twice while the
channels double; global average pooling feeds one small dense layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import keras
from keras import layers

from fer_mobile.errors import ModelError

BLOCKS: Final = (1, 2, 2)
"""Residual blocks of each stage."""

CHANNELS: Final = 32
"""Of the first stage at width 1; each further stage has twice as many."""


def _conv(
    x: keras.KerasTensor, filters: int, kernel: int, stride: int, name: str
) -> keras.KerasTensor:
    x = layers.Conv2D(
        filters,
        kernel,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    return layers.BatchNormalization(name=f"{name}_norm")(x)


def _block(x: keras.KerasTensor, filters: int, stride: int, name: str) -> keras.KerasTensor:
    y = layers.ReLU(name=f"{name}_relu1")(_conv(x, filters, 3, stride, f"{name}_1"))
    y = _conv(y, filters, 3, 1, f"{name}_2")
    if stride > 1 or x.shape[-1] != filters:
        x = _conv(x, filters, 1, stride, f"{name}_skip")
    return layers.ReLU(name=f"{name}_relu2")(layers.Add(name=f"{name}_add")([x, y]))


def compact(
    size: int = 48,
    classes: int = 8,
    width: float = 1.0,
    dropout: float = 0.2,
    blocks: Sequence[int] = BLOCKS,
) -> keras.Model:
    """A residual network of 679,848 parameters with 8 classes at width 1.

    Input float32 [N, size, size, 1] in 0-1, output float32 [N, classes] probabilities.
    `width` multiplies every layer's channels, `blocks` has each stage's number of residual
    blocks.  Raises ModelError for a size that is not a multiple of 8 and for other than three
    stages of a block or more.
    """
    if size % 8 or size < 16:
        raise ModelError("input size", expected="a multiple of 8 px from 16 on", found=f"{size} px")
    if len(blocks) != len(BLOCKS) or min(blocks) < 1:
        raise ModelError(
            "blocks",
            expected="three numbers from 1 on",
            found=str(list(blocks)),
            hint="Try [1, 2, 2].",
        )
    filters = round(CHANNELS * width)
    image = keras.Input((size, size, 1), name="image")
    x = layers.ReLU(name="stem_relu")(_conv(image, filters, 5, 1, "stem"))
    x = layers.MaxPooling2D(2, name="stem_pool")(x)
    for stage, count in enumerate(blocks):
        for block in range(count):
            stride = 2 if stage and not block else 1
            x = _block(x, filters << stage, stride, f"stage{stage}_{block}")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    if dropout:
        x = layers.Dropout(dropout, name="drop")(x)
    # The head stays in float32 under mixed precision: probabilities need its digits.
    x = layers.Dense(classes, name="logits", dtype="float32")(x)
    x = layers.Softmax(name="probabilities", dtype="float32")(x)
    return keras.Model(image, x, name="compact")
