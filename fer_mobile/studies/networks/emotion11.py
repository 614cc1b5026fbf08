"""Networks of study 002 that are trained from scratch: four classes at 48 px.

The study prints every layer of `resnet_like`, its best; of the others it names input, kernel
size and that more channels towards the end helped, so their layers are our reading.  The
vision transformer is what it proposes to try next (Dosovitskiy et al., 2021).
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from fer_mobile.errors import ModelError
from fer_mobile.zoo.ends import face_input, probabilities


def _stack(
    name: str, size: int, classes: int, channels: int, kernel: int, counts: Sequence[int]
) -> keras.Model:
    image, x = face_input(size, channels)
    for i, count in enumerate(counts):
        x = layers.Conv2D(count, kernel, padding="same", activation="relu", name=f"conv{i}")(x)
        x = layers.MaxPooling2D(2, name=f"pool{i}")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(128, activation="relu", name="dense")(x)
    return keras.Model(image, probabilities(x, classes), name=name)


def simple_cnn(size: int = 48, classes: int = 4, channels: int = 1, kernel: int = 3) -> keras.Model:
    """Three convolutions of `kernel`×`kernel` with poolings and a dense layer.

    Input float32 [N, size, size, 1] in 0-1, output float32 [N, classes] probabilities.
    """
    return _stack("simple_cnn", size, classes, channels, kernel, (32, 64, 128))


def larger_cnn(size: int = 48, classes: int = 4, channels: int = 3, kernel: int = 3) -> keras.Model:
    """Five convolutions with poolings and a dense layer; input and output as `simple_cnn`."""
    return _stack("larger_cnn", size, classes, channels, kernel, (32, 64, 128, 256, 512))


def resnet_like(size: int = 48, classes: int = 4, channels: int = 3) -> keras.Model:
    """The study's best network: 298,084 parameters with RGB input and 4 classes.

    Input and output as for `simple_cnn`.
    """
    image, x = face_input(size, channels)
    for i, (count, stride) in enumerate(((32, 2), (64, 2), (128, 1))):
        y = x
        for j in range(2):
            y = layers.Conv2D(
                count, 3, padding="same", activation="relu", name=f"block{i}_conv{j}"
            )(y)
        if stride > 1:
            y = layers.MaxPooling2D(stride, name=f"block{i}_pool")(y)
        skip = layers.Conv2D(count, 1, strides=stride, name=f"block{i}_skip")(x)
        x = layers.Add(name=f"block{i}_add")([y, skip])
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(image, probabilities(x, classes), name="resnet_like")


def small_vit(
    size: int = 48, classes: int = 4, patch: int = 6, width: int = 96, depth: int = 4
) -> keras.Model:
    """A vision transformer: `patch`-px patches, `depth` blocks of four heads, `width` wide.

    Input and output as for `simple_cnn`.  Raises ModelError where the patches do not fill
    the face.
    """
    if size % patch:
        raise ModelError("patch", expected=f"a divisor of the input's {size} px", found=str(patch))
    image, x = face_input(size)
    count = (size // patch) ** 2
    x = layers.Conv2D(width, patch, strides=patch, name="patches")(x)
    x = layers.Reshape((count, width), name="tokens")(x)
    x = _Positions(name="positions")(x)
    for i in range(depth):
        y = layers.LayerNormalization(name=f"block{i}_norm0")(x)
        y = layers.MultiHeadAttention(4, width // 4, name=f"block{i}_attention")(y, y)
        x = layers.Add(name=f"block{i}_add0")([x, y])
        y = layers.LayerNormalization(name=f"block{i}_norm1")(x)
        y = layers.Dense(2 * width, activation="gelu", name=f"block{i}_dense0")(y)
        y = layers.Dense(width, name=f"block{i}_dense1")(y)
        x = layers.Add(name=f"block{i}_add1")([x, y])
    x = layers.GlobalAveragePooling1D(name="pool")(layers.LayerNormalization(name="norm")(x))
    return keras.Model(image, probabilities(x, classes), name="small_vit")


@keras.saving.register_keras_serializable("fer_mobile")
class _Positions(layers.Layer):  # type: ignore[misc]
    """Adds a learned vector to every token."""

    def build(self, shape: tuple[int, ...]) -> None:
        self.table = self.add_weight(shape=shape[1:], initializer="random_normal", name="table")

    def call(self, tokens: keras.KerasTensor) -> keras.KerasTensor:
        return tokens + self.table
