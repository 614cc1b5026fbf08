"""The stage times of the thesis's phone (003, table 8)."""

from __future__ import annotations

from typing import Final

from fer_mobile.bench.stats import Reference

TABLE8: Final = Reference(
    name="table 8",
    source="the thesis",
    device="Samsung Galaxy J3, Exynos 7570",
    stages={
        "decode": (57.88, 140.5),
        "detect": (1601.56, 3846.5),
        "resize": (1.5, 2.7),
        "gray": (126.8, 33.5),
        "classify": (384.1, 315.35),
        "total": (2171.9, 4338.6),
    },
)
"""The Affective app over 25 photos; the phone is named in section 2.3.2."""
