"""The optimizer that a recipe asks for."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from fer_mobile.training.muon import Muon
from fer_mobile.training.recipe import OptimizerSection, Recipe
from fer_mobile.training.schedule import learning_rates


@keras.saving.register_keras_serializable("fer_mobile")
class Schedule(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """The learning rates of `schedule.learning_rates`, looked up by step."""

    def __init__(self, section: dict[str, Any], epochs: int, steps_per_epoch: int) -> None:
        """Take a recipe's optimizer section as plain values, and how long the training is."""
        self.config = {"section": section, "epochs": epochs, "steps_per_epoch": steps_per_epoch}
        self.rates = learning_rates(OptimizerSection(**section), epochs, steps_per_epoch)

    def __call__(self, step: Any) -> Any:
        """The rate of a step from 0; beyond the end, the last one."""
        last = len(self.rates) - 1
        return ops.take(self.rates, ops.minimum(ops.cast(step, "int32"), last))

    def get_config(self) -> dict[str, Any]:
        """What Keras stores of it."""
        return self.config


def make_optimizer(recipe: Recipe, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """A fresh optimizer for a training of so many steps an epoch."""
    section = recipe.optimizer
    common: dict[str, Any] = {
        "learning_rate": Schedule(section.model_dump(), recipe.training.epochs, steps_per_epoch),
        "global_clipnorm": section.clip_norm,
        "use_ema": section.ema > 0,
        "ema_momentum": section.ema or 0.99,
    }
    if section.name == "adam":
        return keras.optimizers.Adam(**common)
    if section.name == "adagrad":
        return keras.optimizers.Adagrad(**common)
    if section.name == "adadelta":
        return keras.optimizers.Adadelta(**common)
    common["weight_decay"] = section.weight_decay
    if section.name == "sgd":
        return keras.optimizers.SGD(momentum=section.momentum, nesterov=True, **common)
    optimizer = (Muon if section.name == "muon" else keras.optimizers.AdamW)(**common)
    # Scales, shifts and biases have no reason to shrink.
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer
