"""FER2013's images with FER+'s votes in one npz file (docs/data.md has its keys)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_mobile.arrays import NPZ_ERRORS, open_npz
from fer_mobile.data.layouts.raw import RawFaces
from fer_mobile.data.protocols import Votes
from fer_mobile.errors import DataError
from fer_mobile.labels import FERPLUS_VOTES

DESCRIPTION: Final = "an .npz file of FER2013 with FER+ votes"
NAME: Final = "fer_train_valid.npz"
"""What it is called in a folder."""

_KEYS: Final = ("images", "split", "votes", "fer2013_label")
_COLUMNS: Final = {
    "images": ("uint8 [N, H, W]", "u", 3),
    "split": ("integers [N]", "iu", 1),
    "votes": (f"integers [N, {len(FERPLUS_VOTES)}]", "iu", 2),
    "fer2013_label": ("integers [N]", "iu", 1),
    "copy_of": ("integers [N]", "iu", 1),
    "label_certain": ("booleans [N]", "b", 1),
}
"""What is read: in words, as kinds of dtype, as a number of dimensions."""


def recognise(path: Path) -> bool:
    """An .npz file, or a folder with the one of its name."""
    return (path.suffix == ".npz" and path.is_file()) or (path / NAME).is_file()


def read(path: Path, side: int) -> RawFaces:
    """Every row, at the size that it is stored in."""
    file = path / NAME if path.is_dir() else path
    try:
        with open_npz(file) as archive:
            missing = [key for key in _KEYS if key not in archive]
            if missing:
                raise DataError(
                    file,
                    expected=f"the keys {', '.join(_KEYS)}",
                    found=f"{', '.join(archive.files) or 'none'}",
                    hint=f"Add {', '.join(missing)}.",
                )
            columns = {key: archive[key] for key in _COLUMNS if key in archive}
    except NPZ_ERRORS as error:
        found = str(error) or type(error).__name__
        raise DataError(file, expected="a readable .npz file", found=found) from error
    _check(file, columns)
    return RawFaces(
        "FER2013 images with FER+ votes (npz)",
        columns["images"],
        columns["split"].astype(np.int8),
        Votes(columns["votes"], columns["fer2013_label"].astype(np.int64)),
        copy_of=columns.get("copy_of"),
        label_certain=columns.get("label_certain"),
    )


def _check(file: Path, columns: dict[str, NDArray[Any]]) -> None:
    """DataError where a column is not what `_COLUMNS` says."""
    count = columns["split"].size
    for key, values in columns.items():
        words, dtype, dimensions = _COLUMNS[key]
        right = values.dtype.kind in dtype and values.ndim == dimensions and len(values) == count
        if key == "images":
            right = right and values.dtype == np.uint8
        if key == "votes":
            right = right and values.shape[1] == len(FERPLUS_VOTES)
        if key == "split":
            right = right and bool(np.isin(values, (0, 1, 2)).all())
        if not right:
            raise DataError(
                file,
                expected=f"{key}: {words}, N as in split ({count})"
                + (", each 0, 1 or 2" if key == "split" else ""),
                found=f"{values.dtype} {list(values.shape)}",
            )
