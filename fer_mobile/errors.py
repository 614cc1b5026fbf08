"""Every error a user can meet: what was expected, what was found, what to do.

The class decides the exit code of the command line: 2 for something the user
gave, 3 for a fault of ours.  (A failed verdict is no error; it exits with 1.)
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import TypeVar

T = TypeVar("T")


class FerMobileError(Exception):
    """A fault of the toolkit itself."""

    exit_code = 3


class InputError(FerMobileError):
    """Something the caller gave cannot be used.

    The message is one line: ``SUBJECT: expected X, found Y. What to do.``
    """

    exit_code = 2

    def __init__(self, subject: object, *, expected: str, found: str, hint: str = "") -> None:
        self.subject = str(subject)
        self.expected = expected
        self.found = found
        self.hint = hint
        text = f"{self.subject}: expected {expected}, found {found}."
        super().__init__(" ".join(f"{text} {hint}".split()))


class ModelError(InputError):
    """A model name, file or contract that cannot be used."""


class UnsupportedLayerError(ModelError):
    """A layer that `graph` has no operation for; the converter then takes the model as it is."""


class DataError(InputError):
    """A dataset, split or protocol that cannot be used."""


class RecipeError(InputError):
    """A training recipe that cannot be used."""


class PhotoError(InputError):
    """One photo that cannot be read; a batch keeps it as a row and goes on."""


class MissingPackageError(InputError):
    """An optional package is needed and not installed."""

    def __init__(self, purpose: str, *, package: str, extra: str) -> None:
        super().__init__(
            purpose,
            expected=f"the package {package}",
            found="it is not installed",
            hint=f"Install it with: pip install 'fer-mobile[{extra}]'",
        )


def nearest(word: str, known: Iterable[str]) -> str:
    """A sentence that names the known word closest to `word`, or lists all that are known."""
    choices = list(known)
    close = difflib.get_close_matches(word, choices, n=1, cutoff=0.5)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"Known: {', '.join(choices)}."


def choose(kind: str, name: str, known: Mapping[str, T], error: type[InputError] = InputError) -> T:
    """What `known` has under `name`; an `error` that names the nearest known one otherwise.

    `kind` says in a word what the names are of: "protocol", "split".
    """
    if name in known:
        return known[name]
    raise error(
        f"{kind} {name!r}",
        expected=f"a known {kind}",
        found="no such name",
        hint=nearest(name, known),
    )
