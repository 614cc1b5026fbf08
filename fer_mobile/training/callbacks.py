"""What happens at an epoch's end, and at that of a training."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from fer_mobile.checkpoint.keras_file import load_keras
from fer_mobile.contract import OutputCalibration
from fer_mobile.metrics import Scores, score
from fer_mobile.training.curves import draw_curves
from fer_mobile.training.output_calibration import (
    calibrated,
    fit_output_calibration,
    prior_offsets,
)
from fer_mobile.training.recipe import CalibrationSection
from fer_mobile.wording import counted

if TYPE_CHECKING:
    from fer_mobile.training.run import Epoch, Run

SILENCE_S: Final = 30.0
"""Seconds within an epoch after which its progress is reported."""

LOWER_LOSS: Final = 0.01
"""Share by which the valid loss has to fall to count as better."""

REDRAWN_S: Final = 30.0
"""Seconds after which the curves are drawn again: an epoch may take less than the picture."""


class Callback:
    """Is told of a run's progress; a subclass overrides what it cares for."""

    def on_epoch_begin(self, run: Run) -> None:
        """An epoch begins."""

    def on_batch_end(self, run: Run, batch: int, batches: int) -> None:
        """So many of an epoch's batches are done."""

    def on_best(self, run: Run, scores: Scores) -> None:
        """An epoch was better than all before; the network has the weights that are kept."""

    def reason_to_stop(self, run: Run) -> str | None:
        """Why the run should end after this epoch, which is the last of `run.history`."""
        return None

    def on_epoch_end(self, run: Run, epoch: Epoch) -> None:
        """An epoch is over; `run.stopped` says whether it was the last."""

    def on_train_end(self, run: Run) -> None:
        """The training is over, now or (without a network) in an earlier process."""


class History(Callback):
    """Writes history.csv and draws it."""

    def __init__(self) -> None:
        """Nothing was drawn yet."""
        self._drawn = time.monotonic()

    def on_epoch_end(self, run: Run, epoch: Epoch) -> None:
        """Add the epoch, in place of a row that a killed run left."""
        run.folder.write_history(run.history_rows())
        if time.monotonic() - self._drawn >= REDRAWN_S:
            self._draw(run)

    def on_train_end(self, run: Run) -> None:
        """Draw the whole."""
        self._draw(run)

    def _draw(self, run: Run) -> None:
        draw_curves(run.folder.history_csv, run.folder.curves_png)
        self._drawn = time.monotonic()


class EarlyStopping(Callback):
    """Ends a run as its recipe says: `patience`, `stop_accuracy`."""

    def reason_to_stop(self, run: Run) -> str | None:
        """Why the recipe wants no more epochs, if it does."""
        training, last = run.recipe.training, run.history[-1]
        if training.stop_accuracy is not None and last.train_accuracy >= training.stop_accuracy:
            return f"accuracy {last.train_accuracy:.4f} on the training batches"
        if training.patience is None:
            return None
        stale = len(run.history) - max(last_progress(run.history) + 1, run.extended_at)
        return f"no better epoch in {stale}" if stale >= training.patience else None


def last_progress(history: Sequence[Epoch]) -> int:
    """The last epoch, from 0, that was better: of the best score, or of a clearly lower valid loss.

    A few validation faces give the same accuracy for many epochs in which a network learns.
    """
    best = int(np.argmax([epoch.selection_score for epoch in history]))
    lowest, lower = float("inf"), 0
    for number, epoch in enumerate(history):
        if epoch.valid_loss < (1 - LOWER_LOSS) * lowest:
            lowest, lower = epoch.valid_loss, number
    return max(best, lower)


class Checkpoint(Callback):
    """Keeps the best weights, and after every epoch what a resumed training needs."""

    def on_best(self, run: Run, scores: Scores) -> None:
        """Keep the weights and their figures."""
        if run.network is not None:
            run.folder.write_calibration(None)  # a finished run's, which goes on: of other weights
            run.network.write_best(run.folder, run.valid, scores)

    def on_epoch_end(self, run: Run, epoch: Epoch) -> None:
        """Write the checkpoint, then how far the run is: a kill before it costs the epoch."""
        if run.network is not None:
            run.network.save_checkpoint(run.folder.last_weights)
            run.folder.write_state(run.state)


class Progress(Callback):
    """Reports a line an epoch, and within a long one how much is left of it."""

    def __init__(self) -> None:
        """Nothing was reported yet."""
        self._started = self._spoken = time.monotonic()

    def on_epoch_begin(self, run: Run) -> None:
        """Take the time."""
        self._started = self._spoken = time.monotonic()

    def on_batch_end(self, run: Run, batch: int, batches: int) -> None:
        """Report after a long silence."""
        now = time.monotonic()
        if now - self._spoken < SILENCE_S:
            return
        self._spoken = now
        left = (now - self._started) / batch * (batches - batch)
        run.report(f"epoch {run.epochs_done + 1:3d}  step {batch} of {batches}, {left:.0f} s left")

    def on_epoch_end(self, run: Run, epoch: Epoch) -> None:
        """Report the epoch."""
        run.report(
            f"epoch {epoch.epoch:3d}  loss {epoch.loss:.4f}  valid loss {epoch.valid_loss:.4f}  "
            f"accuracy {epoch.accuracy:.4f}  balanced {epoch.balanced_accuracy:.4f}  "
            f"{epoch.seconds:.0f} s"
        )
        if run.stopped:
            run.report(f"stopped: {run.stopped}")


FEWEST_CALIBRATED: Final = 100
"""Faces of valid that a temperature is fitted to at least."""


class CalibrateOutput(Callback):
    """Fits the recipe's output calibration to the best weights, and measures them with it."""

    def on_train_end(self, run: Run) -> None:
        """Write the figures, and calibration.json where something was calibrated."""
        from fer_mobile.training.network import predict

        section = run.recipe.calibration
        if section == CalibrationSection():
            return
        if run.network is None and run.folder.read_calibration() is not None:
            return  # by the process that finished the run
        names, labels = run.valid.names, run.valid.labels
        best = load_keras(run.folder.best_weights)
        raw = predict(best, run.valid, run.recipe)
        before = score(raw, labels, names).calibration_error
        shares = run.learn.targets.mean(0)
        offsets = prior_offsets(shares, section.prior, names) if section.prior else {}
        chosen = OutputCalibration(offsets=offsets, origin="shares of the training rows")
        fitted = section.temperature and len(labels) >= FEWEST_CALIBRATED
        if fitted:
            chosen = fit_output_calibration(raw, run.valid, offsets)
        elif section.temperature:
            run.report(
                f"no temperature: {counted(len(labels), 'face')} of valid: too few to fit one "
                f"(at least {FEWEST_CALIBRATED})"
            )
        kept = chosen if fitted or offsets else None
        if kept is None and run.network is None:
            return  # valid.json has the figures without calibration
        scores = run.best = score(calibrated(raw, chosen, names), labels, names)
        run.folder.write_scores(run.valid.protocol, run.valid.split, scores)
        run.folder.write_calibration(kept)  # last: that it is there says that all is done
        if kept is None:
            return
        run.report(
            f"calibrated: temperature {chosen.temperature}, offsets {chosen.offsets or 'none'}; "
            f"accuracy {scores.accuracy:.4f}  balanced {scores.balanced_accuracy:.4f}  "
            f"calibration error {before:.4f} before, {scores.calibration_error:.4f} after; "
            f"{chosen.origin}"
        )


def default_callbacks() -> tuple[Callback, ...]:
    """What every training has; the history is written before the state that counts its rows."""
    return (History(), EarlyStopping(), Checkpoint(), Progress(), CalibrateOutput())
