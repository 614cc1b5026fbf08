"""Every error a user can meet: what was expected, what was found, what to do.

The class decides the exit code of the command line: 2 for something the user
gave, 3 for a fault of ours.  (A failed verdict is no error; it exits with 1.)
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

from fer_mobile import _deprecated

T = TypeVar("T")


class FerMobileError(Exception):
    """The base of every error of this package; by itself, a fault of the toolkit."""

    exit_code = 3
    """The exit code of a command that ends with it."""


class InputError(FerMobileError):
    """Something the caller gave cannot be used.

    The message is one line: ``SUBJECT: expected X, found Y. HINT``.

    Args:
        subject: what cannot be used: a file, a parameter, "the array".
        expected: what would be right.
        found: what is there.
        hint: what to do about it, as a sentence; or nothing.
        todo: the old name of `hint`.
    """

    exit_code = 2

    def __init__(
        self,
        subject: object,
        *,
        expected: str,
        found: str,
        hint: str = "",
        todo: str | None = None,
    ) -> None:
        if todo is not None:
            _deprecated.warn("InputError(todo=...)", "InputError(hint=...)")
            hint = todo
        self.subject = str(subject)
        self.expected = expected
        self.found = found
        self.hint = hint
        # What was found may be a message itself, which ends with a full stop.
        text = f"{self.subject}: expected {expected}, found {found.removesuffix('.')}."
        super().__init__(" ".join(f"{text} {hint}".split()))

    def __reduce__(self) -> tuple[object, ...]:
        # An exception is pickled with what __init__ takes, which has keywords alone here.
        return Exception.__new__, (type(self), *self.args), vars(self)

    @property
    def todo(self) -> str:
        """The old name of `hint`."""
        _deprecated.warn("InputError.todo", "InputError.hint")
        return self.hint


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


def check_choice(
    parameter: str,
    value: T,
    known: Collection[T],
    error: type[InputError] = InputError,
    *,
    aliases: Mapping[str, str] | None = None,
) -> T:
    """`value`, where it is a known one of `parameter`; an `error` that names them otherwise.

    `aliases` are other words for known ones.
    """
    if isinstance(value, str) and value in known:
        return value
    raise error(
        parameter,
        expected=" or ".join(map(str, known)),
        found=repr(value),
        hint=did_you_mean(str(value), list(map(str, known)), aliases),
    )


def nearest(word: str, known: Iterable[str], aliases: Mapping[str, str] | None = None) -> str:
    """A sentence that names the known word closest to `word`, or lists all that are known.

    `aliases` are other words for known ones.
    """
    choices = list(known)
    return did_you_mean(word, choices, aliases) or f"Known: {', '.join(choices)}."


def did_you_mean(word: str, choices: list[str], aliases: Mapping[str, str] | None = None) -> str:
    """A sentence that names the choice closest to `word`; empty if none is close."""
    meant = {choice: choice for choice in choices}
    meant |= {alias: name for alias, name in (aliases or {}).items() if name in meant}
    close = difflib.get_close_matches(word, meant, n=1, cutoff=0.5)
    return f"Did you mean {meant[close[0]]!r}?" if close else ""


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
