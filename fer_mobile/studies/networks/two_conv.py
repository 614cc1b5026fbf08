"""The network of study 001: two convolutions and three dense layers.

The study prints the convolutions (5×5×64, 4×4×32, as PyTorch pads them: not at all) and the
seven outputs; the widths of the two dense layers between are our reading.
"""

from __future__ import annotations

import keras
from keras import layers

from fer_mobile.zoo.ends import face_input, probabilities


def two_conv(size: int = 48, classes: int = 7) -> keras.Model:
    """Two convolutions and three dense layers.

    Input float32 [N, size, size, 1] in 0-1, output float32 [N, classes] probabilities.
    """
    image, x = face_input(size)
    x = layers.Conv2D(64, 5, activation="relu", name="conv0")(x)
    x = layers.Conv2D(32, 4, activation="relu", name="conv1")(x)
    x = layers.Flatten(name="flatten")(x)
    for i, count in enumerate((120, 84)):
        x = layers.Dense(count, activation="relu", name=f"dense{i}")(x)
    return keras.Model(image, probabilities(x, classes), name="two_conv")
