"""Labels of a dataset whose source names a class for each face.

Its classes are its own vocabulary (protocol `own`), or they are mapped by name and alias onto
that of another protocol, which a model of the eight expressions can be measured by.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from fer_mobile.contract.text import Label, printable
from fer_mobile.data.dataset import Skipped
from fer_mobile.data.layouts.raw import RawFaces
from fer_mobile.data.protocols import EXPRESSIONS, OWN, vocabulary
from fer_mobile.errors import DataError, nearest
from fer_mobile.labels import ALIASES, LABELS, RESERVED, canonical

_LABEL: Final[TypeAdapter[str]] = TypeAdapter(Label)

FEWEST, MOST = 2, 100
"""How many labels a vocabulary may have."""

EXAMPLES = 3
"""Files named for each reason that files are left out for."""


@dataclass(frozen=True, slots=True)
class Named:
    """Labels of N faces by name."""

    names: tuple[str, ...]
    labels: NDArray[np.int64]
    """int64 [N], indices into `names`; -1 where a face's class is none of them."""
    protocol: str
    skipped: tuple[Skipped, ...]


def name_labels(raw: RawFaces, protocol: str, own: Sequence[str] | None, subject: object) -> Named:
    """The labels of faces whose source names classes.

    `own` gives the vocabulary of protocol `own` and its order; without it, the classes are
    its labels in the order of the alphabet.  Raises DataError for fewer than two labels or
    more than 100, for a label without a face, and where no class is a label.
    """
    if protocol == OWN:
        names = _own_names(raw, own, subject)
        spelt = {name.casefold(): number for number, name in enumerate(names)}
        numbers = {name: spelt.get(name.strip().casefold(), -1) for name in set(raw.classes)}
    else:
        names = vocabulary(protocol)
        known = {name: number for number, name in enumerate(names)}
        numbers = {name: known.get(canonical(name) or "", -1) for name in set(raw.classes)}
        size = len(names)
        protocol = EXPRESSIONS if size == len(LABELS) else f"{EXPRESSIONS}-{size}"
    labels = np.array([numbers[name] for name in raw.classes], np.int64)
    if not (labels >= 0).any():
        raise DataError(
            subject,
            expected=f"images in folders or rows named after labels ({', '.join(names)})",
            found=", ".join(sorted(set(raw.classes))[:8]) or "no class",
            hint=f"Use `protocol={OWN}` for labels of your own." if own is None else "",
        )
    return Named(names, labels, protocol, _unknown(raw, labels, names))


def check_labels_go_with(labels: Sequence[str] | None, protocol: str | None) -> None:
    """Raise DataError for labels beside a protocol that has its own; None: none is chosen."""
    if labels is not None and protocol not in (None, OWN):
        raise DataError("labels", expected=f"`protocol={OWN}` with them", found=repr(protocol))


def check_no_labels(labels: Sequence[str] | None, source: Path) -> None:
    """Raise DataError for labels given for FER2013, whose labels have their names and order."""
    if labels is not None:
        raise DataError(
            "labels",
            expected="a dataset that names classes of its own",
            found=f"FER2013 in {source}",
            hint="Leave `labels` out.",
        )


def _own_names(raw: RawFaces, own: Sequence[str] | None, subject: object) -> tuple[str, ...]:
    spellings: dict[str, str] = {}  # the commonest of each name comes first
    for name, _ in sorted(Counter(raw.classes).items(), key=lambda item: (-item[1], item[0])):
        spellings.setdefault(name.strip().casefold(), name.strip())
    spellings = dict(sorted(spellings.items()))
    names = tuple(own) if own is not None else tuple(spellings.values())
    if not FEWEST <= len(names) <= MOST:
        raise DataError(
            subject,
            expected=f"{FEWEST} to {MOST} labels",
            found=f"{len(names)}: {', '.join(names[:8])}" if names else "none",
        )
    keys = [name.strip().casefold() for name in names]
    if len(set(keys)) != len(keys) or not all(keys) or {*RESERVED} & {*keys}:
        raise DataError(
            subject if own is None else "labels",
            expected=f"different names, none of them empty or one of {', '.join(RESERVED)}",
            found=", ".join(names),
        )
    for name in names:
        _check_label(name, subject if own is None else "labels")
    without = [name for name, key in zip(names, keys, strict=True) if key not in spellings]
    if without:
        raise DataError(
            subject,
            expected=f"faces of {', '.join(map(repr, without))}",
            found="none",
            hint=nearest(without[0], sorted(set(raw.classes))),
        )
    return names


def _check_label(name: str, subject: object) -> None:
    """DataError for a name that no contract can hold, before anything is trained with it."""
    try:
        _LABEL.validate_python(name)
    except ValidationError as error:
        raise DataError(
            subject,
            expected="names of at most 100 characters that can be printed",
            found=printable(name),
        ) from error


def _close(name: str, names: tuple[str, ...]) -> str:
    """The label that a class may be misspelt for, in brackets; nothing where none is close."""
    known = [*names, *(alias for alias, label in ALIASES.items() if label in names)]
    close = difflib.get_close_matches(name.strip().casefold(), known, n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _unknown(
    raw: RawFaces, labels: NDArray[np.int64], names: tuple[str, ...]
) -> tuple[Skipped, ...]:
    """The classes that are no labels, each with its count and the nearest label."""
    rows = np.flatnonzero(labels < 0)
    counts = Counter(raw.classes[row] for row in rows)
    return tuple(
        Skipped(
            f"of class {name!r}, which is no label{_close(name, names)}",
            count,
            tuple(raw.files[row] for row in rows if raw.classes[row] == name)[:EXAMPLES]
            if raw.files
            else (),
        )
        for name, count in sorted(counts.items())
    )
