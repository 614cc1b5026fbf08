"""Which split a face is in: as its source says, or by a rule where it says nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_mobile.errors import DataError

UNKNOWN: Final = -1
"""The split of a row whose source names none."""

_WORDS: Final = {
    0: ("train", "training", "trn"),
    1: ("valid", "validation", "val", "dev", "publictest"),
    2: ("test", "testing", "privatetest"),
}
_ENDINGS: Final = ("set", "data", "images")
_NUMBERS: Final = {word: number for number, words in _WORDS.items() for word in words}


def split_number(name: str) -> int | None:
    """0, 1 or 2 for a name of train, valid or test in any spelling people use; else None.

    >>> split_number("Validation"), split_number("TRAIN_SET"), split_number("happy")
    (1, 0, None)
    """
    word = "".join(c for c in name.casefold() if c.isalnum())
    for ending in _ENDINGS:
        word = word.removesuffix(ending)
    return _NUMBERS.get(word)


def _rank(group: str) -> int:
    """A number from 0 to 2**64 - 1 that depends on a group's name alone."""
    digest = hashlib.sha256(group.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big")


def assign(
    split: NDArray[np.int8], groups: Sequence[str], classes: Sequence[Hashable] | None = None
) -> NDArray[np.int8]:
    """A split for every row: int8 [N], 0 train, 1 valid, 2 test.

    Where the source names none, a row is in the split of its group's other rows, if it names
    one for them; DataError where it names several.  Else one group in ten validates and the
    others train; which ones depends on their names alone.  Where it has no valid, the same rule
    takes one group in ten of its train.  A group stays together.  Of each of `classes`, if
    given, at least one group trains, and where it has several one validates, unless that took
    the last one that trains from another class.
    """
    split = inherit(split, groups)
    if (split == 1).any():
        rows = np.flatnonzero(split == UNKNOWN).tolist()
    else:
        rows = np.flatnonzero((split == UNKNOWN) | (split == 0)).tolist()
    ranks = {groups[row]: _rank(groups[row]) for row in rows}
    valid = {group for group, rank in ranks.items() if rank < 2**64 // 10}
    groups_of: dict[Hashable, set[str]] = {}
    for row in rows:
        groups_of.setdefault(classes[row] if classes else None, set()).add(groups[row])
    for own in groups_of.values():
        if len(own) > 1 and not own & valid:
            valid.add(min(own, key=ranks.__getitem__))
        elif own <= valid:
            valid.discard(max(own, key=ranks.__getitem__))
    _settle(valid, groups_of.values(), ranks)
    out = split.copy()
    for row in rows:
        out[row] = 1 if groups[row] in valid else 0
    return out


def inherit(split: NDArray[np.int8], groups: Sequence[str]) -> NDArray[np.int8]:
    """`split`, in which a row that it leaves open is in that of its group's other rows.

    Raises DataError where these are in several splits.
    """
    splits_of: dict[str, set[int]] = {}
    for group, number in zip(groups, split.tolist(), strict=True):
        if number != UNKNOWN:
            splits_of.setdefault(group, set()).add(number)
    out = split.copy()
    for row in np.flatnonzero(split == UNKNOWN).tolist():
        numbers = sorted(splits_of.get(groups[row], ()))
        if len(numbers) > 1:
            raise DataError(
                groups[row],
                expected="its pictures, and those nearly the same, in one split",
                found=" and ".join(_WORDS[number][0] for number in numbers),
                hint="Name one split for all of them, or one for each that names none.",
            )
        out[row] = numbers[0] if numbers else UNKNOWN
    return out


def _settle(valid: set[str], classes: Collection[set[str]], ranks: Mapping[str, int]) -> None:
    """Change `valid` where a group of several classes was given for one and taken from another.

    Afterwards each class trains, and one of several groups has one in `valid` or could only
    have one that is the last to train of some class.
    """
    for own in classes:
        if own <= valid:
            valid.discard(max(own, key=ranks.__getitem__))
    for own in classes:
        if len(own) > 1 and not own & valid:
            last = {min(each - valid) for each in classes if len(each - valid) == 1}
            valid.update(sorted(own - last, key=ranks.__getitem__)[:1])
