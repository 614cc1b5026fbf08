"""How labels follow from FER2013's label and FER+'s ten votes.

A figure means nothing without the protocol it was measured under, so every figure
carries the name of one of these:

* ``ferplus-strict``: single votes are outliers and set to 0; the winner must hold more
  than half of what is left and be one of the eight expressions.
* ``ferplus-argmax``: the column with most votes; rows won by "unknown" or "NF" are dropped.
* ``fer2013``: the original seven labels.
* ``fer2013-4``: the rows that these call neutral, happiness, surprise or sadness (the subset
  of studies 000, 002 and 004).

A source that names a class for each face has two protocols of its own (see `vocabulary`):

* ``own``: its classes are the labels.
* ``expressions``: its classes mapped by name and alias onto the eight labels
  (``expressions-7`` and ``expressions-4`` onto the fewer ones of the last two above).

(FER+: Barsoum et al., 2016; FER2013: Goodfellow et al., 2013.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_mobile.errors import DataError, choose
from fer_mobile.labels import FER2013, FERPLUS_VOTES, LABELS, LABELS_4, LABELS_7
from fer_mobile.types import PROTOCOL_NAMES, ProtocolName
from fer_mobile.wording import counted


@dataclass(frozen=True, slots=True)
class Votes:
    """The raw labels of N faces."""

    votes: NDArray[np.uint8] | None
    """uint8 [N, 10], columns as in `labels.FERPLUS_VOTES`; None for FER2013 without FER+."""
    fer2013: NDArray[np.int64]
    """int64 [N], 0-6 as in `labels.FER2013`."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """What a protocol makes of N faces."""

    keep: NDArray[np.bool_]
    """bool [N]: the rows that the protocol keeps."""
    labels: NDArray[np.int64]
    """int64 [N], indices into `names` (meaningless where not kept)."""
    targets: NDArray[np.float32]
    """float32 [N, len(names)]; rows sum to 1 where kept."""
    names: tuple[str, ...]


def _without_outliers(votes: NDArray[np.uint8]) -> NDArray[np.int64]:
    return np.where(votes == 1, 0, votes).astype(np.int64)


def _shares(votes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Votes for the eight expressions as shares, outliers removed where that leaves any."""
    counts = _without_outliers(votes)[:, : len(LABELS)].astype(np.float32)
    raw = votes[:, : len(LABELS)].astype(np.float32)
    counts = np.where(counts.sum(1, keepdims=True) > 0, counts, raw)
    shares: NDArray[np.float32] = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    return shares


def _strict(raw: Votes) -> Labelled:
    votes = _cast(raw)
    counts = _without_outliers(votes)
    winner = counts.argmax(1)
    majority = 2 * counts.max(1) > counts.sum(1)
    return Labelled(majority & (winner < len(LABELS)), winner, _shares(votes), LABELS)


def _cast(raw: Votes) -> NDArray[np.uint8]:
    if raw.votes is None:
        raise DataError("votes", expected="FER+'s votes", found="none", hint="Use 'fer2013'.")
    return raw.votes


def _argmax(raw: Votes) -> Labelled:
    votes = _cast(raw)
    winner = votes.argmax(1).astype(np.int64)
    voted = votes.any(1)
    return Labelled(voted & (winner < len(LABELS)), winner, _shares(votes), LABELS)


def _fer2013(raw: Votes) -> Labelled:
    unknown = ~np.isin(raw.fer2013, np.arange(len(FER2013)))
    if unknown.any():
        raise DataError(
            "fer2013_label",
            expected=f"numbers from 0 to {len(FER2013) - 1}",
            found=f"{raw.fer2013[unknown][0]} in {counted(int(unknown.sum()), 'row')}",
            hint="Choose a ferplus protocol, or mend the labels.",
        )
    order = np.array([LABELS_7.index(name) for name in FER2013])
    labels = order[raw.fer2013]
    targets = np.eye(len(LABELS_7), dtype=np.float32)[labels]
    return Labelled(np.ones(len(labels), bool), labels, targets, LABELS_7)


def _four(raw: Votes) -> Labelled:
    every = _fer2013(raw)
    keep = every.labels < len(LABELS_4)
    return Labelled(keep, every.labels, every.targets[:, : len(LABELS_4)], LABELS_4)


OWN: Final = "own"
"""The protocol of a source whose classes are the labels."""

EXPRESSIONS: Final = "expressions"
"""The protocol of a source whose classes are mapped onto the eight labels."""

PROTOCOLS: Final[dict[str, Callable[[Votes], Labelled]]] = {
    "ferplus-strict": _strict,
    "ferplus-argmax": _argmax,
    "fer2013": _fer2013,
    "fer2013-4": _four,
}
"""Every protocol by name."""


def as_protocol(name: str) -> ProtocolName:
    """`name`, which may be from a file, as a protocol; DataError with the nearest otherwise."""
    return choose("protocol", name, {known: known for known in PROTOCOL_NAMES}, DataError)


def find_protocol(name: str) -> Callable[[Votes], Labelled]:
    """The protocol called `name`; DataError with the nearest known name otherwise."""
    return choose("protocol", name, PROTOCOLS, DataError)


def vocabulary(protocol: str) -> tuple[str, ...]:
    """The labels of a protocol in the order of a model's outputs; DataError as `find_protocol`."""
    nobody = Votes(np.empty((0, len(FERPLUS_VOTES)), np.uint8), np.empty(0, np.int64))
    return find_protocol(protocol)(nobody).names
