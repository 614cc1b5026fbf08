"""The thesis's baselines (003, sections 3.1.1 and 3.2.2, figures 12 and 17).

Two blocks of two 3×3 convolutions and a pooling, a dense layer of 512.  The count printed
in its table 5, 102,839,056, has a wrong digit: 64,992 weights of the convolutions,
102,760,960 of the dense layer and 4,104 of the last one are 102,830,056, and the enhanced
network's printed 102,830,856 is that and its normalisations' 800.  Convolutions keep the
map's size; without padding the dense layer would have 92 million weights.
"""

from __future__ import annotations

from typing import Final

import keras
from keras import layers

from fer_mobile.zoo.ends import face_input, probabilities

BLOCKS: Final = (32, 64)
"""Channels of the two convolutions of each block."""

DROPOUT: Final = (0.25, 0.5, 0.5)
"""Of the enhanced network: after the first and the second block, between the dense layers."""


def _network(name: str, size: int, classes: int, enhanced: bool) -> keras.Model:
    image, x = face_input(size)
    for block, channels in enumerate(BLOCKS):
        for i in range(2):
            stem = f"block{block}_{i}"
            x = layers.Conv2D(channels, 3, padding="same", activation="relu", name=f"{stem}_conv")(
                x
            )
            if enhanced:
                x = layers.BatchNormalization(gamma_constraint="non_neg", name=f"{stem}_norm")(x)
        x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
        if enhanced:
            x = layers.Dropout(DROPOUT[block], name=f"block{block}_drop")(x)
    x = layers.Dense(512, activation="relu", name="dense")(layers.Flatten(name="flatten")(x))
    if enhanced:
        x = layers.Dropout(DROPOUT[2], name="drop")(x)
    return keras.Model(image, probabilities(x, classes, norm=enhanced), name=name)


def baseline(size: int = 224, classes: int = 8) -> keras.Model:
    """The simple baseline: 102,830,056 parameters at 224 px with 8 classes.

    Input float32 [N, size, size, 1] in 0-1, output float32 [N, classes] probabilities.
    """
    return _network("baseline", size, classes, enhanced=False)


def baseline_enhanced(size: int = 224, classes: int = 8) -> keras.Model:
    """The baseline with batch normalisation and dropout: 102,830,856 parameters.

    Input and output as for `baseline`.
    """
    return _network("baseline_enhanced", size, classes, enhanced=True)
