"""What the batches of a training are, and the stream of them that Keras is fitted on.

Everything random of a batch but the noise of its pixels is drawn here as numbers, for any
backend.  It depends only on the recipe's seed, the epoch's number and the batch's index, so a
resumed training sees what an undisturbed one would have seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import keras
import numpy as np
from numpy.typing import NDArray

from fer_mobile.data import Dataset
from fer_mobile.data.augmentation import Changes, add_noise, apply_changes, draw_changes
from fer_mobile.data.augmix import augmix
from fer_mobile.data.face_files import FaceFiles
from fer_mobile.data.steps import apply_steps
from fer_mobile.training.recipe import Recipe
from fer_mobile.training.unlabelled import Unlabelled

Values = TypeVar("Values")

SoftTargets = Callable[[int, int, NDArray[np.float32]], NDArray[np.float32]]
"""The teachers' targets float32 [N, labels] for a view's batch: of the view, the batch's index
and its faces float32 [N, S, S, 1] before noise."""


@dataclass(frozen=True, slots=True)
class LearnedRows:
    """What batches are drawn from: the rows of a dataset, and after them unlabelled faces."""

    images: NDArray[np.uint8] | FaceFiles
    """uint8 [N, H, W]."""
    targets: NDArray[np.float32]
    """float32 [N, labels], but for the teachers' part; zeros where all is theirs."""
    soft_share: NDArray[np.float32]
    """[N], the teachers' part of each row's target."""
    weights: NDArray[np.float32]
    """[N], how much each row counts."""

    def __len__(self) -> int:
        return len(self.targets)

    @classmethod
    def of(
        cls,
        recipe: Recipe,
        dataset: Dataset,
        unlabelled: Unlabelled | None = None,
        *,
        taught: bool = True,
    ) -> LearnedRows:
        """The rows of a recipe; `taught` says whether its teachers, or a cache, are there."""
        section, classes = recipe.distillation, len(dataset.names)
        smoothing = recipe.training.label_smoothing
        targets = (dataset.targets * (1 - smoothing) + smoothing / classes).astype(np.float32)
        soft_share = np.full(len(dataset), section.weight if taught else 0, np.float32)
        weights = row_weights(dataset, recipe.training.balance)
        if unlabelled is None:
            return cls(dataset.images, targets, soft_share, weights)
        count = len(unlabelled)
        given = unlabelled.targets
        share = 1 - section.unlabelled_weight if given is not None else 1
        none = np.zeros((count, classes), np.float32)
        return cls(
            np.concatenate([dataset.images[np.arange(len(dataset))], unlabelled.images]),
            np.concatenate([targets, none if given is None else given]),
            np.concatenate([soft_share, np.full(count, share, np.float32)]),
            np.concatenate([weights, np.ones(count, np.float32)]),
        )


def row_weights(dataset: Dataset, balance: float) -> NDArray[np.float32]:
    """How much every row counts, float32 [rows] of mean 1: a class as ~ count ** -balance."""
    counts = np.bincount(dataset.labels, minlength=len(dataset.names)).clip(1)
    weights = ((counts.max() / counts) ** balance)[dataset.labels]
    relative: NDArray[np.float32] = (weights / weights.mean()).astype(np.float32)
    return relative


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """What one batch is."""

    rows: NDArray[np.int64]
    """[N], of the training rows."""
    changes: Changes
    """Of their faces."""
    mixup: NDArray[np.float32]
    """[N], the share of each row; the rest is the row at the same place from the end."""

    def mix(self, values: Values) -> Values:
        """Each row's values [N, ...] mixed with its partner's."""
        share = self.mixup.reshape(-1, *[1] * (np.ndim(values) - 1))  # type: ignore[arg-type]
        mixed: Values = share * values + (1 - share) * values[::-1]  # type: ignore[index,operator]
        return mixed


class BatchPlanner:
    """Plans every batch of a recipe."""

    def __init__(self, recipe: Recipe, rows: int, size: int) -> None:
        """For so many training rows and an input size in pixels."""
        self._recipe, self._rows, self._size = recipe, rows, size
        self.batch_size = min(recipe.training.batch_size, rows)
        self.steps = rows // self.batch_size

    def view(self, epoch: int) -> int:
        """The epoch (from 0) whose batches this epoch has: its own, or with `views` one of them."""
        views = self._recipe.distillation.repeated_views
        return epoch % views if views else epoch

    def mirrored(self, epoch: int) -> bool:
        """Whether faces that come again are mirrored: every other time, if the recipe mirrors."""
        views = self._recipe.distillation.repeated_views
        return bool(views and epoch // views % 2 and self._recipe.augmentation.flip)

    def order(self, epoch: int) -> NDArray[np.int64]:
        """The rows of an epoch's batches, int64 [steps * batch_size]."""
        rng = np.random.default_rng((self._recipe.training.seed, self.view(epoch)))
        return rng.permutation(self._rows)[: self.steps * self.batch_size]

    def plan(self, epoch: int, order: NDArray[np.int64], index: int) -> BatchPlan:
        """The batch at an index of an epoch with that order."""
        training = self._recipe.training
        rows = order[index * self.batch_size : (index + 1) * self.batch_size]
        rng = np.random.default_rng((training.seed, self.view(epoch), index))
        changes = draw_changes(len(rows), self._size, self._recipe.augmentation, rng)
        mixup = np.ones(len(rows), np.float32)
        if training.mixup:
            mixup = rng.beta(training.mixup, training.mixup, len(rows)).astype(np.float32)
        return BatchPlan(rows, changes, mixup)


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """The batches of one epoch after another: faces, targets, weights.

    Of an epoch 0 until `set_epoch` says another; that may be called at any time.
    """

    def __init__(
        self,
        dataset: Dataset,
        recipe: Recipe,
        size: int,
        soft_targets: SoftTargets | None = None,
        unlabelled: Unlabelled | None = None,
    ) -> None:
        """Of a dataset's rows and unlabelled faces, as faces of `size` pixels; `soft_targets`
        are the teachers'."""
        super().__init__()
        self._recipe, self._size, self._soft_targets = recipe, size, soft_targets
        self._rows = LearnedRows.of(recipe, dataset, unlabelled, taught=soft_targets is not None)
        self._planner = BatchPlanner(recipe, len(self._rows), size)
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """From now on, give the batches of this epoch (from 0)."""
        self.epoch = epoch
        self._order = self._planner.order(epoch)

    def __len__(self) -> int:
        return self._planner.steps

    def __getitem__(
        self, index: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        recipe, epoch, view = self._recipe, self.epoch, self._planner.view(self.epoch)
        plan = self._planner.plan(epoch, self._order, index)
        seeds = (recipe.training.seed, view, index)
        rows = self._rows
        faces = apply_steps(rows.images[plan.rows], recipe.data.preprocessing)
        if recipe.augmentation.augmix:
            faces = augmix(faces, recipe.augmentation.augmix, np.random.default_rng((*seeds, 2)))
        pixels = plan.mix(apply_changes(faces, self._size, plan.changes))
        part = rows.soft_share[plan.rows, None]
        targets = plan.mix((1 - part) * rows.targets[plan.rows])
        if self._soft_targets:
            targets += plan.mix(part) * self._soft_targets(view, index, pixels[..., None])
        if self._planner.mirrored(epoch):
            pixels = pixels[:, :, ::-1]
        if recipe.augmentation.noise:  # new even where faces come again
            rng = np.random.default_rng((recipe.training.seed, epoch, index, 1))
            pixels = add_noise(pixels, recipe.augmentation.noise, rng)
        return pixels[..., None], targets, plan.mix(rows.weights[plan.rows])
