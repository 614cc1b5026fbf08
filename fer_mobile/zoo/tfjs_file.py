"""Reading the weights of a TensorFlow.js model, without TensorFlow.js.

The description (JSON) lists in its `weightsManifest` the files of its folder and, in their order,
each tensor's name, shape, type and how it was made smaller; the files hold the values one after
another, little-endian.  Half precision is read as float32; affine quantization is refused.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Final

import numpy as np

from fer_mobile.errors import ModelError

_TYPES: Final = {"float32": "<f4", "float16": "<f2", "int32": "<i4"}


def read_tensors(path: Path) -> dict[str, np.ndarray]:
    """Every tensor by name: float32 or int32, in the shape that the description states.

    Raises ModelError for a description or weights that cannot be read.
    """
    try:
        tensors: dict[str, np.ndarray] = {}
        for group in json.loads(path.read_bytes())["weightsManifest"]:
            content = b"".join((path.parent / name).read_bytes() for name in group["paths"])
            tensors |= _group(group["weights"], content)
        return tensors
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            str(path), expected="the description of a TensorFlow.js model", found=str(error)
        ) from error


def _group(entries: list[dict[str, Any]], content: bytes) -> dict[str, np.ndarray]:
    tensors, at = {}, 0
    for entry in entries:
        stored = np.dtype(_TYPES[entry.get("quantization", entry)["dtype"]])
        values = np.frombuffer(content, stored, math.prod(entry["shape"]), at)
        tensors[entry["name"]] = values.reshape(entry["shape"]).astype(_TYPES[entry["dtype"]])
        at += values.nbytes
    if at != len(content):
        raise ValueError(f"{len(content)} bytes of weights where {at} are described")
    return tensors
