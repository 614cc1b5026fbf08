"""How shares of 1 and counts are worded: no share below 1 reads 100%, and one is no plural.

The report's page and the Android app show shares by the same rules.
"""

from __future__ import annotations

import math


def percent(share: float) -> str:
    """A share in whole per cent, rounded down, as confidences are shown."""
    return f"{math.floor(100 * share + 1e-4)}%"  # float32 has 0.95 a little below 0.95


def percent_tenths(share: float) -> str:
    """A share in per cent with a digit after the point, where shares stand side by side."""
    return f"{share if share >= 1 else min(share, 0.999):.1%}"


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: "1 face", "2 faces", "1,000 copies" (whose plural is given)."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
