"""A suite that is no study's: one recipe with every combination of some values."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from typing import Final

from fer_mobile.checkpoint import import_keras
from fer_mobile.errors import InputError
from fer_mobile.studies.suite import Run, Suite
from fer_mobile.training.recipe import Recipe, override
from fer_mobile.zoo import ARCHITECTURES

MOST_RUNS: Final = 100
_COMMA: Final = re.compile(r",(?![^\[{]*[\]}])")
"""A comma outside of brackets: ``pools=[0,1],[0,2]`` has two values."""


def make_sweep(
    recipe: Recipe, grid: Sequence[str], change: Callable[[Recipe], Recipe] = lambda recipe: recipe
) -> Suite:
    """The suite of a recipe with every combination of the grid's values.

    Each entry of `grid` is ``key=value,value,…`` with a key of the recipe as `override` takes it.
    `change` is what else changes every recipe (`SuiteOptions.change`).

    Raises:
        InputError: an entry of another form, one key twice, more than `MOST_RUNS` runs, two of
            one recipe, or a key that `change` sets, too.
        RecipeError: a key or value that the recipe does not have.
        ModelError: an option that the architecture does not have.
    """
    import_keras("a sweep", extra="train")  # quietly, before an architecture's module does
    axes = dict(_axis(entry) for entry in grid)
    if not axes or len(axes) < len(grid):
        raise InputError(
            "grid", expected="keys with values, each key once", found=", ".join(grid) or "none"
        )
    combinations = list(itertools.product(*axes.values()))
    if len(combinations) > MOST_RUNS:
        raise InputError("grid", expected=f"at most {MOST_RUNS} runs", found=str(len(combinations)))
    runs = []
    labels: dict[str, str] = {}
    for values in combinations:
        changes = [f"{key}={value}" for key, value in zip(axes, values, strict=True)]
        label = ", ".join(
            f"{key.rpartition('.')[2]}={v}" for key, v in zip(axes, values, strict=True)
        )
        name = f"{recipe.name}-{re.sub(r'[^A-Za-z0-9.]+', '-', label).strip('-')}"
        changed = override(recipe, changes)
        whole = change(changed)
        if override(whole, reversed(changes)) != whole:
            raise InputError(
                "grid", expected="keys that are set once", found=f"{label}, and another value"
            )
        changed = changed.model_copy(update={"name": name})
        content = changed.model_copy(update={"name": ""}).model_dump_json()
        earlier = labels.setdefault(content, label)
        if earlier != label:
            raise InputError(
                "grid",
                expected="values of which each combination is another recipe",
                found=f"one recipe for {earlier} and {label}",
            )
        ARCHITECTURES.find(changed.model.architecture).check_options(changed.model.options)
        runs.append(Run(label, changed))
    return Suite(
        name=f"sweep-{recipe.name}",
        title=f"{recipe.name} by {' and '.join(key.rpartition('.')[2] for key in axes)}",
        source="none: a sweep of the recipe's values",
        setup={},
        columns=("parameters", "accuracy", "balanced_accuracy", "f1", "loss", "train_accuracy"),
        runs=tuple(runs),
    )


def _axis(entry: str) -> tuple[str, list[str]]:
    key, equals, text = entry.partition("=")
    values = [value.strip() for value in _COMMA.split(text)]
    if not key.strip() or not equals or not all(values):
        raise InputError("grid", expected="key=value,value,…", found=repr(entry))
    return key.strip(), list(dict.fromkeys(values))
