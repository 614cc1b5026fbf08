"""What a comparison is: recipes, the figures that the source prints, and how it trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fer_mobile.training.recipe import Recipe

COLUMNS: Final = {
    "parameters": "parameters",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "loss": "loss",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "train_accuracy": "accuracy in training",
    "valid_accuracy": "accuracy on valid",
    "ms": "ms per prediction",
    "step_ms": "ms per training step",
    "epoch_s": "seconds per epoch",
}
"""Figures of a run and their titles.  Accuracies are shares, loss is the cross-entropy in nats;
precision, recall and F1 are means weighted by the faces of each label; `epoch_s` is for as many
faces as the source had."""


@dataclass(frozen=True, slots=True)
class Run:
    """One row of a comparison.  Suites share the runs of the same recipe."""

    row: str
    """What the source calls it."""
    recipe: Recipe
    printed: Mapping[str, float] = field(default_factory=dict)
    """The source's figures, by the keys of `COLUMNS`; empty where it has no such row."""
    note: str = ""
    epoch_faces: int | None = None
    """How many faces an epoch of the source has, where it prints the time for one."""
    printed_epochs: tuple[tuple[float, float], ...] = ()
    """Accuracy and loss that the source prints for each epoch."""
    printed_recall: Mapping[str, float] = field(default_factory=dict)
    """Recall of each label that the source prints."""

    @property
    def name(self) -> str:
        """Also the name of the run's folder."""
        return self.recipe.name


@dataclass(frozen=True, slots=True)
class Suite:
    """A comparison that a source made."""

    name: str
    title: str
    source: str
    """The study and where in it."""
    setup: Mapping[str, str]
    """How the source trained and measured: data, size, epochs, processor; as far as it states."""
    columns: tuple[str, ...]
    """Keys of `COLUMNS` that are shown."""
    runs: tuple[Run, ...]
    note: str = ""


def make_recipe(
    name: str,
    architecture: str,
    options: Mapping[str, Any],
    defaults: Mapping[str, Mapping[str, Any]],
    **sections: Mapping[str, Any],
) -> Recipe:
    """A recipe from a suite's default sections and what one run has of its own in them."""
    merged = {key: dict(values) for key, values in defaults.items()}
    for key, values in sections.items():
        merged[key] = merged.get(key, {}) | dict(values)
    model = {"architecture": architecture, "options": dict(options)}
    return Recipe.model_validate({"name": name, "model": model, **merged})
