"""The X.Cao networks of the thesis (003, section 3.2.2, figure 18).

Seven convolutions, each followed by ReLU and then batch normalisation (the order of
the thesis), shrink the face to a 7×7×128 map; a dense layer of 1024 and one of 8 with
batch normalisation and softmax classify it.  The two-stream network runs two such
stacks side by side and adds their maps.  The number of poolings follows from the
input size (5 at 224 px, 4 at 112, 3 at 56), so parameter counts and weights are the
same at every size.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import keras
from keras import layers

from fer_mobile.errors import ModelError

CONVOLUTIONS: Final = ((7, 16), (1, 32), (3, 64), (3, 128), (3, 128), (3, 128), (3, 128))
"""Kernel size and channels of each convolution."""

MAP_SIZE: Final = 7
"""Height and width of the last feature map."""

Dropout = tuple[float, float, float]

THESIS_DROPOUT: Final[Dropout] = (0.25, 0.5, 0.5)
"""Dropped share after each pooling, after the last convolution, between the dense layers."""


def _default_pools(size: int) -> tuple[int, ...]:
    """The convolutions (from 0) that a pooling follows: as early as possible, the fastest."""
    count = 0
    while MAP_SIZE << count < size:
        count += 1
    if MAP_SIZE << count != size or not 1 <= count < len(CONVOLUTIONS):
        raise ModelError(
            "input size",
            expected="7 px times a power of two (56, 112, 224)",
            found=f"{size} px",
            hint="Set size to 56, 112 or 224.",
        )
    return tuple(range(count))


def _checked_pools(size: int, pools: Sequence[int] | None) -> tuple[int, ...]:
    default = _default_pools(size)
    if pools is None:
        return default
    chosen = tuple(sorted(set(pools)))
    if len(chosen) != len(default) or not set(chosen) <= set(range(len(CONVOLUTIONS))):
        raise ModelError(
            "pools",
            expected=f"{len(default)} different numbers from 0 to 6 for an input of {size} px",
            found=str(list(pools)),
            hint=f"Try {list(default)}.",
        )
    return chosen


def _stream(
    x: keras.KerasTensor, name: str, pools: tuple[int, ...], dropout: Dropout
) -> keras.KerasTensor:
    last = len(CONVOLUTIONS) - 1
    for i, (kernel, channels) in enumerate(CONVOLUTIONS):
        x = layers.Conv2D(
            channels, kernel, padding="same", activation="relu", name=f"{name}_conv{i}"
        )(x)
        # A scale that is never negative folds exactly into the convolution before the ReLU.
        x = layers.BatchNormalization(gamma_constraint="non_neg", name=f"{name}_norm{i}")(x)
        if i in pools:
            x = layers.MaxPooling2D(2, name=f"{name}_pool{i}")(x)
        rate = dropout[1] if i == last else dropout[0] if i in pools else 0.0
        if rate:
            x = layers.Dropout(rate, name=f"{name}_drop{i}")(x)
    return x


def _network(
    name: str,
    streams: str,
    size: int,
    classes: int,
    pools: Sequence[int] | None,
    dropout: Sequence[float],
) -> keras.Model:
    rates: Dropout = (dropout[0], dropout[1], dropout[2])
    image = keras.Input((size, size, 1), name="image")
    maps = [_stream(image, stream, _checked_pools(size, pools), rates) for stream in streams]
    x = layers.Add(name="merge")(maps) if len(maps) > 1 else maps[0]
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(1024, activation="relu", name="dense")(x)
    if rates[2]:
        x = layers.Dropout(rates[2], name="drop")(x)
    # The head stays in float32 under mixed precision: probabilities need its digits.
    x = layers.Dense(classes, name="logits", dtype="float32")(x)
    x = layers.BatchNormalization(name="logits_norm", dtype="float32")(x)
    x = layers.Softmax(name="probabilities", dtype="float32")(x)
    return keras.Model(image, x, name=name)


def xcao(
    size: int = 224,
    classes: int = 8,
    pools: Sequence[int] | None = None,
    dropout: Sequence[float] = THESIS_DROPOUT,
) -> keras.Model:
    """X.Cao in one stream: 6,970,728 parameters with 8 classes.

    Input float32 [N, size, size, 1] in 0-1, output float32 [N, classes] probabilities.
    `pools` names the convolutions (0-6) that a 2×2 max pooling follows; the default pools
    as early as possible.  Raises ModelError for a size that is not 56, 112 or 224.
    """
    return _network("xcao", "a", size, classes, pools, dropout)


def xcao_two_stream(
    size: int = 224,
    classes: int = 8,
    pools: Sequence[int] | None = None,
    dropout: Sequence[float] = THESIS_DROPOUT,
) -> keras.Model:
    """X.Cao in two streams merged by addition: 7,509,672 parameters with 8 classes.

    Options, input, output and errors as for `xcao`.
    """
    return _network("xcao_two_stream", "ab", size, classes, pools, dropout)
