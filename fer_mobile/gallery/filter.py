"""Which photos an expression filter shows: the Affective app's rules, and some beyond.

A photo without a face never matches while a filter is on; one with several faces is filed
under "multiple", or, when every face counts, under each of its faces' expressions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from fer_mobile.errors import InputError, check_choice, nearest
from fer_mobile.gallery.choices import MATCHES, Match
from fer_mobile.labels import (
    ALIASES,
    FAILED,
    GROUPS,
    LABELS,
    MULTIPLE,
    NO_FACE,
    SYNONYMS,
    UNSURE,
    canonical,
)
from fer_mobile.types import PhotoResult

SHOWABLE: Final = (*LABELS, MULTIPLE, UNSURE)
"""What a filter may ask for, of a model with the default vocabulary."""

GROUP_WORDS: Final = {f"group:{name}": labels for name, labels in GROUPS.items()}
"""Words for several labels at once.  `neutral` is the expression, `group:neutral` the group."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What a photo must be to be shown.

    Raises InputError for values that are out of range.
    """

    show: tuple[str, ...] = ()
    """Labels of `SHOWABLE` (see `parse_show`); empty: every expression."""
    min_confidence: float = 0.0
    """0 to 1.  A photo labelled "multiple" has no confidence and is not held to one."""
    every_face: bool = False
    """Each face of a photo counts, not the photo's own label, as with `ScanOptions.faces`
    "each"."""
    match: Match = "any"
    """With `every_face`, which of the faces must match: "any" or "all"."""

    def __post_init__(self) -> None:
        if not 0 <= self.min_confidence <= 1:
            raise InputError("min_confidence", expected="0 to 1", found=str(self.min_confidence))
        check_choice("match", self.match, MATCHES)

    @property
    def on(self) -> bool:
        """Whether there is a photo that could be read and does not match."""
        return bool(self.show or self.min_confidence)

    def matches(self, result: PhotoResult) -> bool:
        """Whether this photo is shown; one that could not be read never is."""
        if result.error is not None:
            return False
        if not self.on:
            return True
        labels = labels_of(result, every_face=self.every_face)
        quantifier = all if self.match == "all" else any
        return bool(labels) and quantifier(self._fits(*each) for each in labels)

    def confidence(self, result: PhotoResult) -> float:
        """That of the surest label of a photo that the filter asks for; 0 where none has one."""
        labels = labels_of(result, every_face=self.every_face)
        return max((sure or 0.0 for label, sure in labels if self._fits(label, sure)), default=0.0)

    def _fits(self, label: str, confidence: float | None) -> bool:
        shown = label in self.show if self.show else label != UNSURE
        return shown and (confidence is None or confidence >= self.min_confidence)


ALL: Final = Filter()
"""The filter that is off."""


def parse_show(text: str | Iterable[str] | None, labels: Sequence[str] = LABELS) -> tuple[str, ...]:
    """The labels of a comma-separated list, without repeats; None means that no filter is on.

    `labels` are those of the model.  A word of `GROUP_WORDS` stands for its labels.  Raises
    InputError for an unknown word, naming the nearest known one, and for a text without a word.
    """
    words = text.split(",") if isinstance(text, str) else list(text or ())
    groups = {
        word: members
        for word, group in GROUP_WORDS.items()
        if (members := tuple(label for label in group if label in labels))
    }
    known = (*labels, MULTIPLE, UNSURE, *groups)
    show: list[str] = []
    named = list(filter(None, map(str.strip, words)))
    if isinstance(text, str) and not named:
        raise InputError("show", expected="labels of " + ", ".join(known), found=repr(text))
    for word in named:
        label = word if word in known else canonical(word) or word.lower()
        if label not in known:
            raise InputError(
                "show",
                expected="labels of " + ", ".join(known),
                found=repr(word),
                hint=nearest(word.lower(), known, ALIASES | SYNONYMS),
            )
        show += groups.get(label, (label,))
    return tuple(dict.fromkeys(show))


def labels_of(result: PhotoResult, *, every_face: bool = False) -> list[tuple[str, float | None]]:
    """The photo's label with its confidence, or those of all faces; none without a face.

    The label of an unsure face is `UNSURE`.
    """
    if every_face:
        return [(face.label or UNSURE, face.confidence) for face in result.faces]
    return [(result.label or UNSURE, result.confidence)] if result.faces else []


def filed_under(result: PhotoResult, *, every_face: bool = False) -> tuple[str, ...]:
    """What a photo is filed under: its label, or the labels of all its faces, or why it has none.

    One or more of `SHOWABLE`, or `NO_FACE` or `FAILED` alone.
    """
    if result.error is not None:
        return (FAILED,)
    labels = dict.fromkeys(label for label, _ in labels_of(result, every_face=every_face))
    return tuple(labels) or (NO_FACE,)


def count(
    results: Iterable[PhotoResult], *, labels: Sequence[str] = LABELS, every_face: bool = False
) -> dict[str, int]:
    """Photos under each of `labels`, "multiple", other labels, `UNSURE`, `NO_FACE`, `FAILED`.

    In this order, zeros included: the counts of a run without `every_face` add up to its photos.
    """
    counts = Counter(
        key for result in results for key in filed_under(result, every_face=every_face)
    )
    others = sorted(counts.keys() - {*labels, MULTIPLE, UNSURE, NO_FACE, FAILED})
    order = (*labels, MULTIPLE, *others, UNSURE, NO_FACE, FAILED)
    return {key: counts[key] for key in order}
