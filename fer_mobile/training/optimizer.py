"""The optimizer and the learning rate that a recipe asks for."""

from __future__ import annotations

from typing import Any

import keras

from fer_mobile.training.muon import Muon
from fer_mobile.training.recipe import Recipe


def make_optimizer(recipe: Recipe, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """A fresh optimizer for a training of so many steps an epoch."""
    section = recipe.optimizer
    common: dict[str, Any] = {
        "learning_rate": _rate(recipe, steps_per_epoch),
        "global_clipnorm": section.clip_norm,
        "use_ema": section.ema > 0,
        "ema_momentum": section.ema or 0.99,
    }
    if section.name == "adam":
        return keras.optimizers.Adam(**common)
    if section.name == "adagrad":
        return keras.optimizers.Adagrad(**common)
    common["weight_decay"] = section.weight_decay
    if section.name == "sgd":
        return keras.optimizers.SGD(momentum=section.momentum, nesterov=True, **common)
    optimizer = (Muon if section.name == "muon" else keras.optimizers.AdamW)(**common)
    # Scales, shifts and biases have no reason to shrink.
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def _rate(recipe: Recipe, steps_per_epoch: int) -> Any:
    section = recipe.optimizer
    if section.schedule == "constant":
        return section.learning_rate
    if section.schedule == "exponential":
        return keras.optimizers.schedules.ExponentialDecay(
            section.learning_rate, steps_per_epoch, section.decay
        )
    steps = steps_per_epoch * recipe.training.epochs
    warmup = min(round(section.warmup_epochs * steps_per_epoch), steps - 1)
    return keras.optimizers.schedules.CosineDecay(
        0.0 if warmup else section.learning_rate,
        steps - warmup,
        warmup_target=section.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
