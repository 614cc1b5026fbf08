"""Reading tensors from PyTorch's first file format, without PyTorch.

The format (`torch.save` before version 1.6): three pickles (a magic number, the protocol's
number, sizes of types), a pickle of the state with references to storages, a pickle of their
keys in order, and each storage as its length and its raw values.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import IO, Any, Final

import numpy as np

from fer_mobile.errors import ModelError

_MAGIC: Final = 0x1950A86A20F9469CFC6C
_TYPES: Final = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}

Tensor = tuple[str, tuple[int, tuple[int, ...], tuple[int, ...]]]
"""Storage key, and offset, shape and strides, in elements."""


def read_tensors(path: Path) -> dict[str, np.ndarray]:
    """The tensors of a state dictionary by name, float32 or int64.

    No code of the file is run: it may name only dictionaries, tensors and their storages.
    Raises ModelError for a file that cannot be read or holds anything else.
    """
    try:
        with path.open("rb") as stream:
            return _read(stream)
    except Exception as error:  # a damaged pickle may raise anything
        raise ModelError(
            str(path),
            expected="a state dictionary as torch.save wrote it before version 1.6",
            found=(str(error).splitlines() or [type(error).__name__])[0],
        ) from error


def _read(stream: IO[bytes]) -> dict[str, np.ndarray]:
    if _Unpickler(stream, {}).load() != _MAGIC:
        raise ValueError("another magic number")
    for _ in ("protocol", "sizes of types"):
        _Unpickler(stream, {}).load()
    types: dict[str, np.dtype] = {}
    state: dict[str, Tensor] = _Unpickler(stream, types).load()
    storages = {}
    for key in _Unpickler(stream, {}).load():
        length = int.from_bytes(stream.read(8), "little")
        values = stream.read(length * types[key].itemsize)
        storages[key] = np.frombuffer(values, types[key], length)
    return {name: _view(storages[key], *view) for name, (key, view) in state.items()}


def _view(
    storage: np.ndarray, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]
) -> np.ndarray:
    places = np.full((), offset)
    for length, stride in zip(shape, strides, strict=True):
        places = places[..., None] + np.arange(length) * stride
    if places.size and not 0 <= places.min() <= places.max() < len(storage):
        raise ValueError("a tensor beyond its storage")
    values: np.ndarray = storage[places]
    return values


class _Unpickler(pickle.Unpickler):
    """Fills `types` with the storages that are named on the way."""

    def __init__(self, stream: IO[bytes], types: dict[str, np.dtype]) -> None:
        super().__init__(stream)
        self.types = types

    def find_class(self, module: str, name: str) -> Any:
        known: dict[tuple[str, str], Any] = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _tensor,
        }
        known |= {("torch", kind): dtype for kind, dtype in _TYPES.items()}
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"names {module}.{name}")
        return known[module, name]

    def persistent_load(self, pid: Any) -> str:
        _, dtype, key, *_ = pid
        self.types[key] = dtype
        return str(key)


def _tensor(
    key: str, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any
) -> Tensor:
    return key, (offset, shape, strides)
