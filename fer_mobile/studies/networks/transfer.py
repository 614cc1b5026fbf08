"""Published networks of Keras's collection, as the thesis and studies 000, 002 and 004 use them.

The gray face is given thrice, in the values that the network's ImageNet weights were trained
with.  Weights come by Keras's name ("imagenet", fetched once) or from a local file; without
either they are fresh.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import keras
from keras import layers

from fer_mobile.errors import ModelError, choose
from fer_mobile.studies.networks.initial import INITIAL
from fer_mobile.zoo.ends import face_input, probabilities


@dataclass(frozen=True, slots=True)
class _Base:
    """A network of `keras.applications`."""

    function: str
    scale: float
    """What 0-1 is multiplied with before `offset` is added: the network's own values."""
    offset: float | tuple[float, float, float] = 0.0
    last: str = ""
    """The first layer of the last block, for training that alone."""


_CAFFE: Final = (-103.939, -116.779, -123.68)
"""Minus ImageNet's mean blue, green and red; a gray face is the same in any order."""

BASES: Final = {
    "vgg16": _Base("VGG16", 255.0, _CAFFE, "block5_conv1"),
    "resnet101": _Base("ResNet101", 255.0, _CAFFE, "conv5_block3_1_conv"),
    "resnet50_v2": _Base("ResNet50V2", 2.0, -1.0, "conv5_block3_preact_bn"),
    "inception_resnet_v2": _Base("InceptionResNetV2", 2.0, -1.0, "conv_7b"),
    "efficientnet_b0": _Base("EfficientNetB0", 255.0, 0.0, "top_conv"),
    "efficientnet_b2": _Base("EfficientNetB2", 255.0, 0.0, "top_conv"),
}
"""The networks that `transfer` knows."""


def transfer(
    base: str = "vgg16",
    size: int = 48,
    classes: int = 4,
    weights: str | None = None,
    train: str = "all",
    dense: int = 256,
    dropout: float = 0.3,
    start: str = "glorot",
) -> keras.Model:
    """A published network under a new fully connected head.

    Input float32 [N, size, size, 1] in 0-1, output float32 [N, classes] probabilities.

    Args:
        base: a name of `BASES`.
        size: the input's in px; Inception-ResNet-v2 needs at least 75.
        classes: outputs of the head.
        weights: "imagenet", a local .h5 or .keras weights file without its top, or None.
        train: "all" layers, the "head" alone (frozen), or the "last" block and the head.
        dense: width of the head's dense layer.
        dropout: share dropped after it.
        start: that layer's start weights: "glorot" or "yilmaz-poli" (see `initial`).

    Raises:
        ModelError: an unknown base or value of `train` or `start`, weights that cannot be had (the
            message explains how to supply a file), or a size that is too small.
    """
    if base not in BASES or train not in ("all", "head", "last"):
        raise ModelError(
            "transfer",
            expected=f"base one of {', '.join(BASES)} and train one of all, head, last",
            found=f"{base!r} and {train!r}",
        )
    chosen = BASES[base]
    initial = choose("start", start, INITIAL, ModelError)
    image, x = face_input(size, 3)
    x = layers.Rescaling(chosen.scale, chosen.offset, name="values")(x)
    network = _load(chosen.function, size, weights)
    _freeze(network, train, chosen.last)
    # Frozen normalisations keep their moving averages (Keras calls them without training).
    x = layers.GlobalAveragePooling2D(name="pool")(network(x))
    x = layers.Dense(dense, activation="relu", kernel_initializer=initial(), name="dense")(x)
    x = layers.Dropout(dropout, name="drop")(x)
    return keras.Model(image, probabilities(x, classes), name=f"transfer_{base}")


def _freeze(network: keras.Model, train: str, last: str) -> None:
    if train == "head":
        network.trainable = False
    elif train == "last":
        reached = False
        for layer in network.layers:
            reached = reached or layer.name == last
            layer.trainable = reached


def _load(function: str, size: int, weights: str | None) -> keras.Model:
    build: Callable[..., Any] = getattr(keras.applications, function)
    try:
        return build(include_top=False, weights=weights, input_shape=(size, size, 3))
    except Exception as error:  # Keras raises ValueError, OSError, URLError and others here
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        if weights is None:
            raise ModelError(
                function, expected="a size it can be built at", found=reason
            ) from error
        if weights != "imagenet" and not Path(weights).is_file():
            reason = "no such file"
        raise ModelError(
            f"weights {weights!r} of {function}",
            expected="weights without the top layer",
            found=reason,
            hint="Without network, fetch Keras's no-top weights file elsewhere and give its path, "
            "or leave weights out to train from scratch.",
        ) from error


def googlenet(size: int = 224, classes: int = 8) -> keras.Model:
    """The thesis's GoogleNet, Keras's InceptionV3: 23,851,784 parameters with 1000 classes.

    Input float32 [N, size, size, 1] in 0-1, output float32 [N, classes] probabilities.
    """
    return _whole("googlenet", keras.applications.InceptionV3, size, classes)


def mobilenet(size: int = 224, classes: int = 8) -> keras.Model:
    """The thesis's MobileNet: 4,253,864 parameters with 1000 classes.

    Input and output as for `googlenet`.
    """
    return _whole("mobilenet", keras.applications.MobileNet, size, classes)


def _whole(name: str, build: Callable[..., Any], size: int, classes: int) -> keras.Model:
    image, x = face_input(size, 3)
    x = layers.Rescaling(2.0, -1.0, name="values")(x)
    network = build(
        weights=None, classes=classes, input_shape=(size, size, 3), classifier_activation=None
    )
    x = layers.Softmax(name="probabilities", dtype="float32")(network(x))
    return keras.Model(image, x, name=name)
