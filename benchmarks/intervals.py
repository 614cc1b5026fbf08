"""How far a measured share may be from the true one."""

from __future__ import annotations

import math

_Z = 1.96


def wilson(hits: float, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    share = hits / n
    middle = share + _Z * _Z / (2 * n)
    half = _Z * math.sqrt(share * (1 - share) / n + (_Z / n / 2) ** 2)
    scale = 1 + _Z * _Z / n
    return round((middle - half) / scale, 4), round((middle + half) / scale, 4)
