"""A teacher that has seen faces: the residual network of dlib's face recognition.

ResNet with 29 convolutions (after He et al., 2016), trained by Davis King in 2017 on three
million photos of 7,485 people to tell them apart.  Its weights are in the public domain
(CC0 1.0), in the package `face_recognition_models`; nothing of them is in this repository, nor
in the files of a student that learned from it.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final

import keras
import numpy as np
from keras import layers

from fer_mobile.errors import MissingPackageError, ModelError
from fer_mobile.zoo.dlib_file import Convolution, read_convolutions
from fer_mobile.zoo.inputs import face_input, probabilities

PACKAGE: Final = "face_recognition_models"
FILE: Final = "dlib_face_recognition_resnet_model_v1.dat"

STAGES: Final = ((3, 32, False), (4, 64, True), (3, 128, True), (3, 256, True), (1, 256, True))
"""Blocks, channels and whether the first block halves the map, from the input on."""

MEANS: Final = (122.782, 117.001, 104.298)
"""What the network takes from red, green and blue before it divides them by 256."""

LEAST_SIZE: Final = 103
"""The size below which the last halving would have nothing to see."""


def face_resnet(
    size: int = 112, classes: int = 8, weights: str | None = None, dropout: float = 0.2
) -> keras.Model:
    """The residual network for gray faces: 5,573,640 parameters with 8 classes.

    Input float32 [N, size, size, 1] in 0-1, output float32 [N, classes] probabilities; the
    network itself was made for 150 px.  `weights` is None for fresh ones, "faces" for those of
    the package `face_recognition_models`, or the path of its file.  The affine layers behind
    the convolutions are folded into them, the first kernels summed over the colours, which are
    equal in a gray face.

    Raises ModelError for a size below 103 and for a file that does not fit,
    MissingPackageError where the package is not installed.
    """
    if size < LEAST_SIZE:
        raise ModelError("input size", expected=f"{LEAST_SIZE} px or more", found=f"{size} px")
    image, x = face_input(size)
    x = layers.ReLU(name="stem_relu")(_conv(x, 32, 7, 2, "stem"))
    x = layers.MaxPooling2D(3, 2, name="stem_pool")(x)
    for stage, (blocks, filters, halves) in enumerate(STAGES):
        for block in range(blocks):
            x = _block(x, filters, halves and not block, f"stage{stage}_{block}")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(dropout, name="drop")(x)
    model = keras.Model(image, probabilities(x, classes), name="face_resnet")
    if weights is not None:
        _load(model, _file() if weights == "faces" else Path(weights))
    return model


def _conv(
    x: keras.KerasTensor, filters: int, kernel: int, stride: int, name: str
) -> keras.KerasTensor:
    """Padded where it keeps the size, as dlib does."""
    return layers.Conv2D(
        filters,
        kernel,
        strides=stride,
        padding="same" if stride == 1 else "valid",
        kernel_initializer="he_normal",
        name=name,
    )(x)


def _block(x: keras.KerasTensor, filters: int, halves: bool, name: str) -> keras.KerasTensor:
    y = layers.ReLU(name=f"{name}_relu1")(_conv(x, filters, 3, 1 + halves, f"{name}_1"))
    y = _conv(y, filters, 3, 1, f"{name}_2")
    if halves:
        x = layers.AveragePooling2D(2, name=f"{name}_skip")(x)
        x, y = _padded(x, y, name)
    return layers.ReLU(name=f"{name}_relu2")(layers.Add(name=f"{name}_add")([x, y]))


def _padded(
    x: keras.KerasTensor, y: keras.KerasTensor, name: str
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Both as large as the larger in size and channels, with zeros, as dlib adds them."""
    short = x.shape[1] - y.shape[1]
    if short:
        y = layers.ZeroPadding2D(((0, short), (0, short)), name=f"{name}_pad")(y)
    if y.shape[-1] == 2 * x.shape[-1]:
        nothing = layers.Rescaling(0.0, name=f"{name}_zeros")(x)
        x = layers.Concatenate(name=f"{name}_widen")([x, nothing])
    return x, y


def _file() -> Path:
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise MissingPackageError("weights of face recognition", package=PACKAGE, extra="teacher")
    return Path(found.origin).parent / "models" / FILE


def _load(model: keras.Model, path: Path) -> None:
    own = [layer for layer in model.layers if isinstance(layer, layers.Conv2D)]
    try:
        for layer, stored in zip(own, read_convolutions(path), strict=True):
            layer.set_weights(_folded(stored, layer.kernel_size, first=layer is own[0]))
    except ValueError as error:
        raise ModelError(
            str(path), expected="dlib's face recognition network", found=str(error)
        ) from error


def _folded(stored: Convolution, size: tuple[int, int], *, first: bool) -> list[np.ndarray]:
    """Kernel and bias in Keras's layout, with the affine layer, and the first with the values."""
    kernel = stored.filters.reshape(len(stored.biases), -1, *size)
    bias = stored.biases
    if first:
        means = np.reshape(MEANS, (1, 3, 1, 1)) / 256
        bias = bias - (kernel * means).sum((1, 2, 3))
        kernel = kernel.sum(1, keepdims=True) * 255 / 256
    kernel = kernel * stored.factors[:, None, None, None]
    return [kernel.transpose(2, 3, 1, 0), bias * stored.factors + stored.offsets]
