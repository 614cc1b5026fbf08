"""Training: a recipe (TOML) and a dataset become a run folder with a trained model."""

from __future__ import annotations

from fer_mobile.training.recipe import Recipe, find_recipe, load_recipe

__all__ = ["Recipe", "find_recipe", "load_recipe"]
