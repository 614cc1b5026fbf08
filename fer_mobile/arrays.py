"""The arrays that pass between modules, by what is in them.

Apart from `types`, which the command line imports before NumPy is needed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""Pixels 0 to 255; the shape is said where the type is used."""

Probabilities = NDArray[np.float32]
"""Probabilities 0 to 1, the last axis over a model's labels."""
