"""Training: a recipe (TOML) and a dataset become a run folder with a trained model.

`train` is `fer_mobile.train`; `callbacks.Callback` is what to subclass for a part in it.
"""

from __future__ import annotations

from fer_mobile.training.callbacks import Callback
from fer_mobile.training.recipe import Recipe, find_recipe, load_recipe
from fer_mobile.training.teacher_targets import write_teacher_targets
from fer_mobile.training.trainer import TrainingResult, train, train_side_by_side

__all__ = [
    "Callback",
    "Recipe",
    "TrainingResult",
    "find_recipe",
    "load_recipe",
    "train",
    "train_side_by_side",
    "write_teacher_targets",
]
