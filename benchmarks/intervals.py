"""How far a measured share may be from the true one."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_Z = 1.96


def paired(
    one: NDArray[np.floating | np.bool_], other: NDArray[np.floating | np.bool_]
) -> tuple[float, float]:
    """Mean of `one` - `other` over the same N cases, and half of its 95% interval."""
    delta = np.asarray(one, float) - np.asarray(other, float)
    return float(delta.mean()), _Z * float(delta.std(ddof=1)) / math.sqrt(len(delta))


def wilson(hits: float, n: int) -> tuple[float, float]:
    """Wilson's 95% interval of a share."""
    share = hits / n
    middle = share + _Z * _Z / (2 * n)
    half = _Z * math.sqrt(share * (1 - share) / n + (_Z / n / 2) ** 2)
    scale = 1 + _Z * _Z / n
    low, high = (middle - half) / scale, (middle + half) / scale
    return round(max(low, 0.0), 4), round(min(high, 1.0), 4)  # rounding may lead out of 0 to 1
