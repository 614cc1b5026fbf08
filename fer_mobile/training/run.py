"""One recipe in training: what a backend reports to, and what callbacks see."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from fer_mobile.checkpoint import RunFolder
from fer_mobile.checkpoint.run_folder import HISTORY_DIGITS, RunState
from fer_mobile.data import Dataset
from fer_mobile.errors import RecipeError
from fer_mobile.metrics import Scores, score
from fer_mobile.training.recipe import OptimizerSection, Recipe

if TYPE_CHECKING:
    from fer_mobile.training.callbacks import Callback
    from fer_mobile.training.network import Network
    from fer_mobile.training.unlabelled import Unlabelled

Report = Callable[[str], None]
"""Takes the lines that a training has for whoever watches it."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """What came of one epoch: a row of history.csv, and rounded as it is there.

    So a resumed run compares the very values that an undisturbed one compares.
    """

    epoch: int
    """From 1."""
    loss: float
    """Mean over the training batches, in nats."""
    accuracy: float
    """On valid, of the weights that would be kept, as the next two."""
    balanced_accuracy: float
    valid_loss: float
    """Cross-entropy to the targets of valid, in nats."""
    seconds: float
    train_accuracy: float
    """On the training batches."""
    step_ms: float
    """A training step's time, the wait for its batch included."""

    @property
    def selection_score(self) -> float:
        """By which the best epoch is chosen: accuracy, and balanced accuracy as a tenth of it."""
        return self.accuracy + 0.1 * self.balanced_accuracy


class Run:
    """A recipe, its data, its run folder and how far it is.

    A backend calls `begin_epoch`, any number of `end_batch`, and `end_epoch`, which evaluates
    the network and tells the callbacks.  Out of this order they raise RuntimeError.
    """

    def __init__(
        self,
        recipe: Recipe,
        folder: RunFolder,
        learn: Dataset,
        valid: Dataset,
        callbacks: Sequence[Callback],
        report: Report,
        unlabelled: Unlabelled | None = None,
    ) -> None:
        """A run in a folder that may hold its first epochs.

        If its recipe has more epochs than before, what stopped it is forgotten.
        """
        self.recipe, self.folder, self.learn, self.valid = recipe, folder, learn, valid
        self.callbacks, self.report, self.unlabelled = tuple(callbacks), report, unlabelled
        state = folder.read_state()
        self.epochs_done, self.stopped = state.epochs_done, state.stopped
        self.extended_at = state.extended_at
        """See `RunState`."""
        self._valid_digest = valid.digest()
        self.same_valid = state.valid_digest in (None, self._valid_digest)
        """Whether valid is what it was, as far as its folder says."""
        if self.epochs_done and recipe.training.epochs > folder.read_recipe().training.epochs:
            self.stopped, self.extended_at = None, self.epochs_done
        rows = folder.read_history()[: self.epochs_done]
        self.history = [Epoch(**row | {"epoch": int(row["epoch"])}) for row in rows]  # type: ignore[arg-type]
        self.best: Scores | None = folder.read_scores() if self.epochs_done else None
        """Figures on valid of the best epoch so far, as valid.json has them."""
        self.network: Network | None = None
        """None in a run that was finished before."""
        self._started: float | None = None

    @property
    def state(self) -> RunState:
        """How far it is, as its folder keeps it."""
        return RunState(self.epochs_done, self.stopped, self.extended_at, self._valid_digest)

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to train."""
        return self.stopped is not None or self.epochs_done >= self.recipe.training.epochs

    def begin_epoch(self) -> None:
        """An epoch begins, `epochs_done` + 1 by its number."""
        if self.finished or self._started is not None:
            raise RuntimeError(f"{self.recipe.name}: no epoch can begin now")
        self._started = time.monotonic()
        for callback in self.callbacks:
            callback.on_epoch_begin(self)

    def end_batch(self, batch: int, batches: int) -> None:
        """So many of an epoch's batches are done."""
        for callback in self.callbacks:
            callback.on_batch_end(self, batch, batches)

    def end_epoch(self, loss: float, train_accuracy: float, step_ms: float) -> None:
        """The epoch is over; the loss is the mean of its batches, as is the accuracy.

        Raises RecipeError, before anything is kept of it, where the training has diverged.
        """
        if self._started is None or self.network is None:
            raise RuntimeError(f"{self.recipe.name}: no epoch has begun")
        with self.network.averaged():
            probabilities = self.network.predict(self.valid)
            cross_entropy = -(self.valid.targets * np.log(np.maximum(probabilities, 1e-7))).sum(1)
            valid_loss = float(cross_entropy.mean())
            self._check_finite(loss, valid_loss)
            scores = score(probabilities, self.valid.labels, self.valid.names)
            measured = {
                "loss": loss,
                "accuracy": scores.accuracy,
                "balanced_accuracy": scores.balanced_accuracy,
                "valid_loss": valid_loss,
                "seconds": time.monotonic() - self._started,
                "train_accuracy": train_accuracy,
                "step_ms": step_ms,
            }
            rounded = {name: round(value, HISTORY_DIGITS) for name, value in measured.items()}
            epoch = Epoch(self.epochs_done + 1, **rounded)
            # Not by valid.json, whose figures are calibrated once a training is done.
            if all(epoch.selection_score > before.selection_score for before in self.history):
                self.best = scores
                for callback in self.callbacks:
                    callback.on_best(self, scores)
        self.history.append(epoch)
        self.epochs_done += 1
        self._started = None
        self.stopped = next(filter(None, (c.reason_to_stop(self) for c in self.callbacks)), None)
        for callback in self.callbacks:
            callback.on_epoch_end(self, epoch)

    def _check_finite(self, loss: float, valid_loss: float) -> None:
        """RecipeError where a loss of the epoch is no finite number."""
        if math.isfinite(loss) and math.isfinite(valid_loss):
            return
        rate = min(self.recipe.optimizer.learning_rate / 10, OptimizerSection().learning_rate)
        raise RecipeError(
            self.recipe.name,
            expected="a loss that stays finite",
            found=f"{loss:.4g}, valid loss {valid_loss:.4g} in epoch {self.epochs_done + 1}",
            hint="Train into another `out` with a smaller optimizer.learning_rate, such as "
            f"{rate:g}.",
        )

    def end(self) -> None:
        """The training is over, now or in an earlier process."""
        for callback in self.callbacks:
            callback.on_train_end(self)

    def history_rows(self) -> list[dict[str, float]]:
        """The epochs so far, as `RunFolder.write_history` takes them."""
        return [asdict(epoch) for epoch in self.history]
