"""AlexNet, in one and in two streams (thesis, 003, figures 13 and 14; Krizhevsky et al., 2012).

Five convolutions and three dense layers.  In two streams, each convolution has half of the
channels in each, and only the third and the dense layers see both.  Left out: the local
response normalisation, which the thesis does not mention and no phone runs.
"""

from __future__ import annotations

import keras
from keras import layers

from fer_mobile.zoo.ends import face_input, probabilities


def _conv(
    x: keras.KerasTensor, channels: int, kernel: int, name: str, stride: int = 1
) -> keras.KerasTensor:
    return layers.Conv2D(
        channels, kernel, strides=stride, padding="same", activation="relu", name=name
    )(x)


def _pool(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return layers.MaxPooling2D(3, 2, name=name)(x)


def _joined(maps: list[keras.KerasTensor], name: str) -> keras.KerasTensor:
    return layers.Concatenate(name=name)(maps) if len(maps) > 1 else maps[0]


def _network(name: str, streams: str, size: int, classes: int, channels: int) -> keras.Model:
    image, x = face_input(size, channels)
    share = len(streams)
    maps = []
    for s in streams:
        y = _pool(_conv(x, 96 // share, 11, f"{s}_conv0", 4), f"{s}_pool0")
        maps.append(_pool(_conv(y, 256 // share, 5, f"{s}_conv1"), f"{s}_pool1"))
    x = _joined(maps, "cross")
    maps = []
    for s in streams:
        y = _conv(x, 384 // share, 3, f"{s}_conv2")
        y = _conv(y, 384 // share, 3, f"{s}_conv3")
        maps.append(_pool(_conv(y, 256 // share, 3, f"{s}_conv4"), f"{s}_pool2"))
    x = layers.Flatten(name="flatten")(_joined(maps, "merge"))
    for i in range(2):
        x = layers.Dense(4096, activation="relu", name=f"dense{i}")(x)
        x = layers.Dropout(0.5, name=f"drop{i}")(x)
    return keras.Model(image, probabilities(x, classes), name=name)


def alexnet(size: int = 224, classes: int = 8, channels: int = 1) -> keras.Model:
    """AlexNet in one stream: 58,290,888 parameters with a gray input and 8 classes.

    Input float32 [N, size, size, 1] in 0-1, output float32 [N, classes] probabilities.
    With 3 channels and 1000 classes it has the 62,378,344 of the network for ImageNet.
    """
    return _network("alexnet", "a", size, classes, channels)


def alexnet_two_stream(size: int = 224, classes: int = 8, channels: int = 1) -> keras.Model:
    """AlexNet in two streams: 56,877,768 parameters with a gray input and 8 classes.

    Input and output as for `alexnet`; 60,965,224 with 3 channels and 1000 classes.
    """
    return _network("alexnet_two_stream", "ab", size, classes, channels)
