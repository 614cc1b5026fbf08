"""The fractal network of the thesis (003, section 3.2.2, figures 19 and 20).

The text says: blocks of two convolutions and a pooling, four of them in the main path, again
in secondary paths with fewer; concatenations; a maximum of the last maps, 14×14×128; then the
dense layers of X.Cao.  Channels and joins stand in the figures alone, which we do not have.

Our reading is the fractal rule itself (Larsson et al., 2017): paths of four, two and one
blocks, joined wherever two of them meet, by concatenation in the middle and by the maximum at
the end; 3×3 kernels, 16 channels that double with each halving of the map, and a
normalisation after each convolution, as in the thesis's other networks.  It has 26,395,128
parameters, 3,888 (0.015%) fewer than the printed 26,399,016.  Among millions of other
readings some come out exactly, no more than chance would give, and none as regular.
"""

from __future__ import annotations

from typing import Final

import keras
from keras import layers

from fer_mobile.errors import ModelError
from fer_mobile.zoo.ends import face_input, probabilities

CHANNELS: Final = (16, 32, 64, 128)
"""Of a block's convolutions, by the halvings of the map that its pooling completes."""

DROPOUT: Final = (0.25, 0.5)
"""After each block, between the dense layers."""


def _block(x: keras.KerasTensor, before: int, after: int, name: str) -> keras.KerasTensor:
    """Two convolutions and a pooling, which take the map from `before` halvings to `after`."""
    for i in range(2):
        x = layers.Conv2D(
            CHANNELS[after - 1], 3, padding="same", activation="relu", name=f"{name}_conv{i}"
        )(x)
        x = layers.BatchNormalization(gamma_constraint="non_neg", name=f"{name}_norm{i}")(x)
    x = layers.MaxPooling2D(2 ** (after - before), name=f"{name}_pool")(x)
    return layers.Dropout(DROPOUT[0], name=f"{name}_drop")(x)


def fractal(size: int = 224, classes: int = 8) -> keras.Model:
    """The fractal network with batch normalisation and dropout: 26,395,128 parameters at 224 px.

    Input float32 [N, size, size, 1] in 0-1, output float32 [N, classes] probabilities.
    Raises ModelError for a size that is not a multiple of 16.
    """
    if size % 16 or size < 16:
        raise ModelError("input size", expected="a multiple of 16 px", found=f"{size} px")
    image, x = face_input(size)
    a = _block(_block(x, 0, 1, "a_block0"), 1, 2, "a_block1")
    b = _block(x, 0, 2, "b_block0")
    c = _block(x, 0, 4, "c_block0")
    cross = layers.Concatenate(name="cross")([a, b])
    a = _block(_block(cross, 2, 3, "a_block2"), 3, 4, "a_block3")
    b = _block(cross, 2, 4, "b_block1")
    x = layers.Maximum(name="merge")([a, b, c])
    x = layers.Dense(1024, activation="relu", name="dense")(layers.Flatten(name="flatten")(x))
    x = layers.Dropout(DROPOUT[1], name="drop")(x)
    return keras.Model(image, probabilities(x, classes, norm=True), name="fractal")
