"""Statistics of the pipeline's stages over photos, and the verdict."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from fer_mobile.errors import InputError
from fer_mobile.types import STAGES

Verdict = Literal["pass", "fail"]


@dataclass(frozen=True, slots=True)
class Reference:
    """Published stage times of another device, to be shown next to measured ones."""

    name: str
    """What a column of a table calls it."""
    source: str
    device: str
    stages: Mapping[str, tuple[float, float]]
    """Mean and standard deviation over photos, in ms, of every stage of `STAGES`."""


_Rounded = PlainSerializer(
    lambda value: round(value, 4), return_type=float, when_used="unless-none"
)
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False), _Rounded]
Share = Annotated[float, Field(ge=0, le=1), _Rounded]


class StageStats(BaseModel):
    """One stage over the photos that went through it; all times in milliseconds."""

    model_config = ConfigDict(frozen=True, strict=True, use_attribute_docstrings=True)

    n: Annotated[int, Field(ge=1)]
    """Photos that went through the stage; runs where there are no photos."""
    mean_ms: NotNegative
    std_ms: NotNegative
    """Sample standard deviation over photos (n - 1 below the line); 0 for one photo."""
    p50_ms: NotNegative
    p90_ms: NotNegative
    p99_ms: NotNegative
    """Percentiles over photos, interpolated linearly between neighbours."""
    share: Share
    """The stage's time in all photos over the total's, 0 to 1; over the sum of the stages
    where there is no total."""


def stage_stats(rows: Iterable[Mapping[str, float]]) -> dict[str, StageStats]:
    """Statistics of every stage that occurs in `rows`, in the order of `STAGES`.

    `rows` holds one mapping a photo, from stage to milliseconds.  A stage that a photo did
    not reach (a photo without a face is not classified) is absent there and does not count.
    """
    whole = 0.0
    collected = {stage: array("d") for stage in STAGES}
    for row in rows:
        whole += row.get("total", sum(row.values()))
        for stage in collected.keys() & row.keys():
            collected[stage].append(row[stage])
    stats = {}
    for stage, values in collected.items():
        times = np.array(values)
        if times.size == 0:
            continue
        p50, p90, p99 = np.percentile(times, (50, 90, 99))
        stats[stage] = StageStats(
            n=int(times.size),
            mean_ms=float(times.mean()),
            std_ms=float(times.std(ddof=1)) if times.size > 1 else 0.0,
            p50_ms=float(p50),
            p90_ms=float(p90),
            p99_ms=float(p99),
            share=min(1.0, float(times.sum() / whole)) if whole else 0.0,
        )
    return stats


def verdict(stats: Mapping[str, StageStats], budget_s: float) -> Verdict:
    """Whether nine photos in ten stay within `budget_s` seconds: p90 of total over photos.

    Raises InputError when no photo was timed.
    """
    if "total" not in stats:
        raise InputError("verdict", expected="at least one timed photo", found="none")
    return "pass" if stats["total"].p90_ms <= budget_s * 1000 else "fail"
