"""Two models in one run, and two runs side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from fer_mobile.bench.method import sum_stages
from fer_mobile.bench.result import NOISY, BenchResult, Ratio
from fer_mobile.types import STAGES

RESAMPLES: Final = 2000
SEED: Final = 0

Pass = Sequence[Mapping[str, float]]


def ratios(some: Sequence[Pass], others: Sequence[Pass]) -> dict[str, Ratio]:
    """Time of `some` over that of `others` for every stage that both have.

    The n-th passes of both were made one after the other and saw the same state of the
    machine: each pair gives a ratio, and the figure is the pairs' median.  Its 95 % interval
    is the bootstrap's: medians of as many pairs drawn with replacement.
    """
    random = np.random.default_rng(SEED)
    found: dict[str, Ratio] = {}
    sums = [[sum_stages(one) for one in passes] for passes in (some, others)]
    for stage in STAGES:
        if not all(stage in one and one[stage] > 0 for passes in sums for one in passes):
            continue
        pairs = np.array([a[stage] / b[stage] for a, b in zip(*sums, strict=True)])
        drawn = random.choice(pairs, (RESAMPLES, len(pairs)))
        low, high = np.percentile(np.median(drawn, axis=1), (2.5, 97.5))
        found[stage] = Ratio(ratio=float(np.median(pairs)), low=float(low), high=float(high))
    return found


def differences(some: BenchResult, other: BenchResult) -> list[str]:
    """What stands in the way of comparing two runs, a line each."""
    one, two = _circumstances(some), _circumstances(other)
    found = [
        f"the {name} differ: {_words(one[name])} and {_words(two[name])}"
        for name in one
        if one[name] != two[name]
    ]
    for name, result in (("first", some), ("second", other)):
        if result.noise is not None and result.noise > NOISY:
            found.append(f"the {name} run is noisy: {result.noise:.0%} between its halves")
    return found


def _circumstances(result: BenchResult) -> dict[str, tuple[object, ...]]:
    hardware, photos = result.hardware, result.photos
    return {
        "machines": (
            hardware.phone,
            hardware.cpu,
            hardware.machine,
            hardware.vectors,
            hardware.cores,
        ),
        "clock governors": (hardware.governor,),
        "runtimes": (result.software.runtime,),
        "threads": (result.settings.threads,),
        "photos": (photos.name, photos.sha256[:12]) if photos else (),
    }


def _words(values: tuple[object, ...]) -> str:
    return ", ".join(str(value) for value in values if value is not None) or "none"
