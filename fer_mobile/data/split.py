"""Which split a face is in where its source does not say."""

from __future__ import annotations

import hashlib
from pathlib import Path


def hashed_split(path: Path) -> str:
    """Nine images in ten train, one validates; which is which depends on the name alone."""
    return "valid" if hashlib.sha256(path.as_posix().encode()).digest()[0] % 10 == 0 else "train"
