"""Which faces a recipe learns from, and which every epoch is evaluated on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fer_mobile.data import OWN, Dataset, as_protocol, load_dataset
from fer_mobile.errors import DataError
from fer_mobile.training.recipe import Recipe
from fer_mobile.wording import counted


def training_rows(recipe: Recipe, data: str | Path | None = None) -> tuple[Dataset, Dataset]:
    """The training rows and those of valid; DataError where there are none."""
    section, training = recipe.data, recipe.training
    learned = as_protocol(section.train_protocol or section.protocol)
    labels = section.labels
    learn = load_dataset(data, protocol=learned, split="train", training=True, labels=labels)
    _check_labels(learn)
    if section.folds:
        learn, valid = _cross(recipe, learn, data)
    else:
        valid = load_dataset(
            data, protocol=as_protocol(section.protocol), split="valid", labels=labels
        )
    if learn.names != valid.names:
        raise DataError(
            "train_protocol",
            expected=f"the {len(valid.names)} labels of {section.protocol}",
            found=f"{counted(len(learn.names), 'label')}",
        )
    learn = fraction(learn, training.fraction, training.seed)
    valid = fraction(valid, training.valid_fraction, training.seed)
    return _sampled(learn, section.sampling, training.seed), valid


def _check_labels(learn: Dataset) -> None:
    """DataError where there is nothing to tell apart, or a label of one's own has no face."""
    counts = learn.counts()
    present = [name for name, count in counts.items() if count]
    if len(present) < 2:
        found = f"{present[0]} alone"
        raise DataError(learn.source, expected="faces of at least 2 labels to train", found=found)
    if learn.protocol == OWN and len(present) < len(counts):
        absent = ", ".join(repr(name) for name in counts if name not in present)
        left_out = "; ".join(map(str, learn.skipped))
        raise DataError(
            learn.source,
            expected=f"faces of {absent} to train",
            found=f"none in train (left out: {left_out})" if left_out else "none in train",
        )


def fraction(dataset: Dataset, share: float, seed: int) -> Dataset:
    """A share of every class's rows (at least one), chosen by the seed."""
    if share == 1:
        return dataset
    rng = np.random.default_rng(seed)
    rows = np.concatenate(
        [
            rng.permutation(own)[: max(1, round(share * len(own)))]
            for own in (np.flatnonzero(dataset.labels == c) for c in np.unique(dataset.labels))
        ]
    )
    rows.sort()
    return dataset.take(rows)


def _sampled(dataset: Dataset, sampling: str, seed: int) -> Dataset:
    """As many rows of every class: of the rarest ("under") or of the commonest ("over")."""
    if sampling == "all":
        return dataset
    rng = np.random.default_rng(seed)
    classes = [np.flatnonzero(dataset.labels == c) for c in np.unique(dataset.labels)]
    counts = [len(own) for own in classes]
    target = min(counts) if sampling == "under" else max(counts)
    # np.resize repeats the shuffled rows from the start until there are enough.
    rows = np.concatenate([np.resize(rng.permutation(own), target) for own in classes])
    rows.sort()
    return dataset.take(rows)


def held_out(recipe: Recipe, data: str | Path | None = None) -> Dataset:
    """The fold of the training rows that a recipe of cross-validation is measured on."""
    section = recipe.data
    rows = load_dataset(
        data,
        protocol=as_protocol(section.protocol),
        split="train",
        training=True,
        labels=section.labels,
    )
    name = f"train, fold {section.fold + 1} of {section.folds}"
    return rows.take(rows.folds(section.folds) == section.fold, name)


def _cross(recipe: Recipe, learn: Dataset, data: str | Path | None) -> tuple[Dataset, Dataset]:
    """The rows outside the recipe's fold, to learn from, and those in it."""
    section = recipe.data
    valid = held_out(recipe, data)
    if not len(valid):
        raise DataError(
            learn.source, expected=f"faces in {valid.split}", found="none", hint="Make fewer folds."
        )
    return learn.take(learn.folds(section.folds) != section.fold), valid
