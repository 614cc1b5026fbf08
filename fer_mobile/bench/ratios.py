"""How much longer one model takes than another that was timed in turn with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from fer_mobile.bench.method import sum_stages
from fer_mobile.bench.result import Ratio
from fer_mobile.types import STAGES

RESAMPLES: Final = 2000
SEED: Final = 0

Pass = Sequence[Mapping[str, float]]
"""Milliseconds by stage of every photo."""


def ratios(some: Sequence[Pass], others: Sequence[Pass]) -> dict[str, Ratio]:
    """Time of `some` over that of `others` for every stage that both have.

    The n-th passes of both were made one after the other and saw the same state of the
    machine: each pair gives a ratio, and the figure is the pairs' median.  Its 95% interval
    is the bootstrap's: medians of as many pairs drawn with replacement.
    """
    random = np.random.default_rng(SEED)
    figures: dict[str, Ratio] = {}
    sums = [[sum_stages(one) for one in passes] for passes in (some, others)]
    for stage in STAGES:
        if not all(stage in one and one[stage] > 0 for passes in sums for one in passes):
            continue
        pairs = np.array([a[stage] / b[stage] for a, b in zip(*sums, strict=True)])
        drawn = random.choice(pairs, (RESAMPLES, len(pairs)))
        low, high = np.percentile(np.median(drawn, axis=1), (2.5, 97.5))
        figures[stage] = Ratio(ratio=float(np.median(pairs)), low=float(low), high=float(high))
    return figures
