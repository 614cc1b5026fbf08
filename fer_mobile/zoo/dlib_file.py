"""Reading convolutions from a network that dlib stored, without dlib.

The file holds the layers from the input on, each as its kind's name (a length-prefixed string),
its parameters and its settings.  A tensor is its version and its four dimensions as integers of
a byte of length and that many bytes, then float32 values, all little-endian.  A convolution's
parameters are its filters and then its biases; an affine layer's are its factors and offsets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fer_mobile.errors import ModelError

_LAYER = re.compile(rb"\x01(?:\x05con_4|\x07affine_)")
_TENSOR_VERSION = 2


@dataclass(frozen=True, slots=True)
class Convolution:
    """A convolution and the affine layer behind it, both as they are applied."""

    filters: np.ndarray
    """float32, flat: the values of [out, in, height, width] in that order."""
    biases: np.ndarray
    """float32 [out]."""
    factors: np.ndarray
    """float32 [out], and `offsets` likewise: what the result is multiplied by, and then added."""
    offsets: np.ndarray


def read_convolutions(path: Path) -> list[Convolution]:
    """The convolutions of a network in which an affine layer follows each, from the input on.

    Raises ModelError for a file that cannot be read or has no such layers.
    """
    try:
        return _pairs(_layers(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise ModelError(
            str(path), expected="a network of convolutions as dlib stores it", found=str(error)
        ) from error


def _layers(content: bytes) -> list[tuple[bool, np.ndarray]]:
    """Whether it is a convolution, and the parameters, of every layer of the two kinds."""
    layers, at = [], 0
    while found := _LAYER.search(content, at):
        values, at = _tensor(content, found.end())
        layers.append((found.group().endswith(b"con_4"), values))
    return layers


def _pairs(layers: list[tuple[bool, np.ndarray]]) -> list[Convolution]:
    kinds = [convolution for convolution, _ in layers]
    if not layers or kinds != [True, False] * (len(layers) // 2):
        raise ValueError("no convolutions that are each followed by an affine layer")
    pairs = []
    for (_, kernel), (_, affine) in zip(layers[::2], layers[1::2], strict=True):
        factors, offsets = np.split(affine, 2)
        filters, biases = np.split(kernel, [len(kernel) - len(factors)])
        pairs.append(Convolution(filters, biases, factors, offsets))
    return pairs


def _tensor(content: bytes, at: int) -> tuple[np.ndarray, int]:
    """The values of the tensor at a place, flat, and the place behind it."""
    header = []
    for _ in range(5):
        number, at = _integer(content, at)
        header.append(number)
    version, *shape = header
    if version != _TENSOR_VERSION:
        raise ValueError(f"a tensor of version {version}")
    length = int(np.prod(shape, dtype=object))
    if length * 4 > len(content) - at:
        raise ValueError("a tensor beyond the end of the file")
    return np.frombuffer(content, "<f4", length, at), at + 4 * length


def _integer(content: bytes, at: int) -> tuple[int, int]:
    if at >= len(content) or not 1 <= content[at] <= 8:  # the top bit would be the sign
        raise ValueError("no tensor where one is due")
    behind = at + 1 + content[at]
    return int.from_bytes(content[at + 1 : behind], "little"), behind
