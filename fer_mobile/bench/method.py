"""How often a run repeats, how it is bound to cores, and how much its figures scatter."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import numpy as np

LEAST_PASSES: Final = 5
MOST_PASSES: Final = 30
STAGE_SECONDS: Final = 1.0


def enough(passes: Sequence[Sequence[Mapping[str, float]]]) -> bool:
    """Whether a run may end: 30 passes, or 5 and a second spent in every stage.

    `passes` holds, for every pass over the photos, each photo's milliseconds by stage.
    """
    if len(passes) < LEAST_PASSES:
        return False
    return len(passes) >= MOST_PASSES or all(
        ms >= STAGE_SECONDS * 1000
        for ms in sum_stages(row for one in passes for row in one).values()
    )


def sum_stages(
    rows: Iterator[Mapping[str, float]] | Sequence[Mapping[str, float]],
) -> dict[str, float]:
    """Milliseconds of every stage over all rows."""
    spent: dict[str, float] = {}
    for row in rows:
        for stage, ms in row.items():
            spent[stage] = spent.get(stage, 0.0) + ms
    return spent


@contextmanager
def pinned(count: int) -> Iterator[tuple[int, ...] | None]:
    """Bind this thread, and those it starts, to the last `count` cores that it may use.

    The first cores serve the system's interrupts.  Gives the cores; None where the platform
    binds to none (macOS, Windows).
    """
    if not hasattr(os, "sched_setaffinity"):
        yield None
        return
    before = os.sched_getaffinity(0)
    cores = sorted(before)[-count:]
    os.sched_setaffinity(0, cores)
    try:
        yield tuple(cores)
    finally:
        os.sched_setaffinity(0, before)


def noise(totals: Sequence[float]) -> float | None:
    """Relative difference between the halves of the passes (a middle one is in neither)."""
    half = len(totals) // 2
    if half == 0:
        return None
    first, second = np.mean(totals[:half]), np.mean(totals[-half:])
    return float(abs(first - second) / ((first + second) / 2))
