"""The arrays that pass between modules, by what is in them.

Apart from `types`, which the command line imports before NumPy is needed.
"""

from __future__ import annotations

import lzma
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""Pixels 0 to 255; the shape is said where the type is used."""

Probabilities = NDArray[np.float32]
"""Probabilities 0 to 1, the last axis over a model's labels."""

NPZ_ERRORS: Final = (
    OSError, ValueError, TypeError, KeyError, EOFError, RuntimeError,
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, tokenize.TokenError, SyntaxError,
)  # fmt: skip
"""What reading an npz file raises where it is damaged, is none or lacks an array.

NumPy reads the head of an array as Python's source, which is why a damaged one may be no syntax."""


@contextmanager
def open_npz(path: Path) -> Iterator[np.lib.npyio.NpzFile]:
    """The arrays of an npz file, without pickles; closed also where it is refused.

    Raises one of `NPZ_ERRORS`, as does taking an array from it.
    """
    if path.exists() and not path.is_file():
        raise OSError("a folder, a pipe or a device")  # to open a pipe waits for its writer
    # Opened here: NumPy leaves a damaged archive open.
    with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
        yield content
