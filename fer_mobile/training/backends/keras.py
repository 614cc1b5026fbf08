"""Training by `keras.Model.fit`, on TensorFlow, JAX or PyTorch."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

import keras
import numpy as np

from fer_mobile.errors import InputError
from fer_mobile.training.batches import Batches
from fer_mobile.training.distillation import SoftTargets
from fer_mobile.training.network import Network, copies
from fer_mobile.training.parallel import Parallel, distributed
from fer_mobile.training.recipe import Recipe
from fer_mobile.training.run import Run

PREFETCHED: Final = 16
"""Batches that wait for TensorFlow's training step."""

STEPS_TIMED: Final = 10
"""Of the bare training step, after two that warm it up."""


class KerasBackend:
    """Fits one network; with `parallel`, over several devices."""

    def __init__(self, parallel: Parallel | None = None) -> None:
        """See `parallel.distributed`."""
        self._parallel: Parallel | None = parallel

    def check(self, recipes: Sequence[Recipe]) -> None:
        """Every key of a recipe is honoured, but it must be a single recipe."""
        if len(recipes) != 1:
            raise InputError(
                "recipes",
                expected="one for the backend keras",
                found=str(len(recipes)),
                hint="Train each by itself, or side by side with `backend='device'`.",
            )

    def scope(self, rows: int) -> AbstractContextManager[Any]:
        """Over all devices, where that was asked for."""
        return distributed(self._parallel, rows)

    def fit(self, runs: Sequence[Run], soft_targets: SoftTargets | None, throughput: bool) -> None:
        """Train the network to its end."""
        (run,) = runs
        assert run.network is not None  # for mypy: the run is not finished
        batches = Batches(run.learn, run.recipe, run.network.size, soft_targets, run.unlabelled)
        told = _Told(run, batches)
        run.network.model.fit(
            for_fit(batches),
            epochs=run.recipe.training.epochs,
            initial_epoch=run.epochs_done,
            shuffle=False,  # the batches are, and Keras would order them by another seed
            callbacks=[told],
            verbose=0,
        )
        if throughput:
            run.report(_throughput(run.network, batches, told.seconds_per_step))


class _Told(keras.callbacks.Callback):  # type: ignore[misc]
    """Passes on to a run what Keras tells."""

    def __init__(self, run: Run, batches: Batches) -> None:
        super().__init__()
        self._run, self._batches = run, batches
        self._started = time.monotonic()
        self.seconds_per_step = float("nan")
        """In the last epoch, the wait for batches included."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        # Keras neither numbers the epochs for a dataset nor tells it of each exactly once.
        self._batches.set_epoch(epoch)
        self._started = time.monotonic()
        self._run.begin_epoch()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self.seconds_per_step = (time.monotonic() - self._started) / (batch + 1)
        self._run.end_batch(batch + 1, self.params["steps"])

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        known = logs or {}
        self._run.end_epoch(
            known.get("loss", float("nan")),
            known.get("accuracy", float("nan")),
            1000 * self.seconds_per_step,
        )
        self.model.stop_training = self._run.finished


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


def _throughput(network: Network, batches: Batches, seconds: float) -> str:
    """The training's speed over that of its bare step on a batch that is at hand.

    Changes the network's weights: for the end of a training.
    """
    # Fitting with averages ends with them: JAX has each average share a weight's buffer.
    network.model.set_weights(copies(network.model))
    batch, times = batches[0], []
    for _ in range(2 + STEPS_TIMED):
        started = time.monotonic()
        network.model.train_on_batch(*batch)
        times.append(time.monotonic() - started)
    faces, bare = len(batch[0]), float(np.median(times[2:]))
    return (
        f"throughput: {faces / seconds:.0f} faces/s, {bare / seconds:.0%} of the bare training "
        f"step's {faces / bare:.0f} (median of {STEPS_TIMED})"
    )
