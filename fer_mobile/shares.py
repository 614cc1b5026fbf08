"""How shares of 1 are shown: none below 1 reads 100%.

The report's page and the Android app follow the same rules.
"""

from __future__ import annotations

import math


def percent(share: float) -> str:
    """A share in whole per cent, rounded down, as confidences are shown."""
    return f"{math.floor(100 * share + 1e-4)}%"  # float32 has 0.95 a little below 0.95


def percent_tenths(share: float) -> str:
    """A share in per cent with a digit after the point, where shares stand side by side."""
    return f"{share if share >= 1 else min(share, 0.999):.1%}"
