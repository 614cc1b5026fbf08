"""Texts of a contract, which may come from anywhere: nothing but characters that stand there."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, StringConstraints

_BIDI: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that let what follows be shown in another order."""


def _check_text(text: str) -> str:
    """Refuse text that does more than stand there when it is printed."""
    if any(unicodedata.category(c) in ("Cc", "Cs") or c in _BIDI for c in text):
        raise ValueError("holds control characters")
    return text


def _check_name(name: str) -> str:
    if name != Path(name).name or "\\" in name:
        raise ValueError("is no plain name")
    return name


Text = Annotated[str, StringConstraints(max_length=10_000), AfterValidator(_check_text)]
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    AfterValidator(_check_text),
    AfterValidator(_check_name),
]
"""Of a model: also of its files."""
Label = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_check_text)]


def printable(text: str) -> str:
    """A text from a file for an error message."""
    return "".join(c if c.isprintable() else "?" for c in text)[:200]
