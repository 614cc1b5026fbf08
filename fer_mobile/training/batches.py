"""The stream of augmented batches that a model is fitted on, the same for every backend."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import keras
import numpy as np

from fer_mobile.data import Dataset
from fer_mobile.data.augmentation import add_noise, augment
from fer_mobile.data.steps import apply_steps
from fer_mobile.training.distillation import Teachers
from fer_mobile.training.recipe import Recipe

PREFETCHED: Final = 16
"""Batches that wait for TensorFlow's training step."""


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Shuffled, augmented batches of one epoch after another.

    What an epoch holds depends only on the recipe's seed and the epoch's number, so a
    resumed training sees what an undisturbed one would have seen.  Keras neither numbers
    the epochs for a dataset nor tells it of each exactly once: `begin` must be called.
    `teachers` are asked by this stream, so the step of a training with them is a plain one.
    """

    def __init__(
        self, dataset: Dataset, recipe: Recipe, size: int, teachers: Teachers | None = None
    ) -> None:
        super().__init__()
        self.teachers = teachers
        self.dataset, self.recipe, self.size = dataset, recipe, size
        self.options = recipe.augmentation
        if teachers:  # they judge faces without the noise that the student gets
            self.options = self.options.model_copy(update={"noise": 0.0})
        smoothing = recipe.training.label_smoothing
        classes = len(dataset.names)
        self.targets = dataset.targets * (1 - smoothing) + np.float32(smoothing / classes)
        counts = np.bincount(dataset.labels, minlength=classes).clip(1)
        weights = (counts.max() / counts) ** recipe.training.balance
        per_row = weights[dataset.labels]
        self.weights = (per_row / per_row.mean()).astype(np.float32)
        self.begin(0)

    def begin(self, epoch: int) -> None:
        """From now on, give the batches of this epoch (from 0)."""
        views = self.recipe.distillation.views
        self.number = epoch  # for the noise, which is new even where faces come again
        rounds, self.epoch = divmod(epoch, views) if self.teachers and views else (0, epoch)
        # Faces that come again are mirrored every other time, where the recipe mirrors faces.
        self.mirrored = bool(rounds % 2 and self.recipe.augmentation.flip)
        rng = np.random.default_rng((self.recipe.training.seed, self.epoch))
        self.order = rng.permutation(len(self.dataset))
        if self.teachers:
            self.teachers.begin(self.epoch)

    def __len__(self) -> int:
        return len(self.dataset) // self.recipe.training.batch_size or 1

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        training = self.recipe.training
        rng = np.random.default_rng((training.seed, self.epoch, index))
        rows = self.order[index * training.batch_size : (index + 1) * training.batch_size]
        stored = apply_steps(self.dataset.images[rows], self.recipe.data.preprocessing)
        faces = augment(stored, self.size, self.options, rng)
        targets, weights = self.targets[rows], self.weights[rows]
        if training.mixup:
            share = rng.beta(training.mixup, training.mixup, (len(rows), 1, 1)).astype(np.float32)
            faces = share * faces + (1 - share) * faces[::-1]
            targets = share[:, 0] * targets + (1 - share[:, 0]) * targets[::-1]
            weights = share[:, 0, 0] * weights + (1 - share[:, 0, 0]) * weights[::-1]
        if self.teachers:
            part, noise = self.recipe.distillation.weight, self.recipe.augmentation.noise
            targets = (1 - part) * targets + part * self.teachers(index, faces[..., None])
            if self.mirrored:
                faces = faces[:, :, ::-1]
            faces = add_noise(
                faces, noise, np.random.default_rng((training.seed, self.number, index, 1))
            )
        return faces[..., None], targets, weights


def for_fit(batches: Batches) -> Any:
    """What `keras.Model.fit` is to be given for these batches.

    For TensorFlow a dataset without autotuning, which Keras's has: some ends of epochs waited up
    to 50 s, one of them seen to wait for a thread of the dataset (TensorFlow 2.21).
    """
    if keras.backend.backend() != "tensorflow":
        return batches
    import tensorflow as tf

    def epoch() -> Iterator[tuple[np.ndarray, ...]]:
        return (batches[i] for i in range(len(batches)))

    signature = tuple(tf.TensorSpec((None, *part.shape[1:]), part.dtype) for part in batches[0])
    options = tf.data.Options()
    options.autotune.enabled = False
    dataset = tf.data.Dataset.from_generator(epoch, output_signature=signature)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(len(batches)))
    return dataset.prefetch(PREFETCHED).with_options(options)
