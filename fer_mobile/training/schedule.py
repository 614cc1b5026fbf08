"""The learning rate of every step: what any backend trains by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_mobile.training.recipe import OptimizerSection


def learning_rates(
    section: OptimizerSection, epochs: int, steps_per_epoch: int
) -> NDArray[np.float32]:
    """The learning rates of a training, float32 [epochs * steps_per_epoch].

    "cosine" rises linearly from 0 in the warm-up, then falls to 0 along half a cosine;
    "exponential" falls by `decay` an epoch; "constant" stays.
    """
    steps = epochs * steps_per_epoch
    step = np.arange(steps)
    if section.schedule == "constant":
        share = np.ones(steps)
    elif section.schedule == "exponential":
        share = section.decay ** (step / steps_per_epoch)
    else:
        warmup = min(round(section.warmup_epochs * steps_per_epoch), steps - 1)
        fallen = 0.5 * (1 + np.cos(np.pi * (step - warmup) / (steps - warmup)))
        share = np.where(step < warmup, step / max(warmup, 1), fallen)
    return (section.learning_rate * share).astype(np.float32)
