"""Preprocessing steps that a recipe can put before the network.

A recipe names them, in order, in `data.preprocessing`; training, validation and every later
evaluation of the run apply them.  No contract has any, so such a run is not exported.  The steps
themselves are registered by plugins; the studies' are in `fer_mobile.studies.steps`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_mobile.errors import DataError
from fer_mobile.registry import Registry

Step = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""From one gray face uint8 [H, W] to another, perhaps of another size."""

STEPS: Final = Registry[Step]("preprocessing step", "fer_mobile.studies.steps", error=DataError)
"""Every step by name."""


def apply_steps(faces: NDArray[np.uint8], names: Sequence[str]) -> NDArray[np.uint8]:
    """Faces uint8 [N, H, W] after the steps called `names`; DataError for an unknown one."""
    for name in names:
        step = STEPS.find(name)
        faces = np.stack([step(face) for face in faces])
    return faces
