"""Fitting a recipe: checkpoints every epoch, resumes after a kill, keeps the best weights.

A run folder holds::

    recipe.json   the resolved recipe
    state.json    the last finished epoch, written after its checkpoint, and why it stopped early
    last.keras    weights and optimizer after it
    best.keras    float32 weights (averaged, if the recipe says so) of the best epoch
    ranges.json   their activation ranges for int8 exports: here after quantization-aware
                  fine-tuning, else by `fer-mobile train` at the end (`calibration.keep_ranges`)
    calibration.json  temperature and offsets for them, which every reader of the run folds in
    teachers_N.npy   what teachers said of epoch N's batches (from 0), where those come again
    history.csv   a row an epoch; curves.png draws it
    valid.json    the best epoch's figures on valid, calibrated once the training is done
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from pydantic import ValidationError

from fer_mobile import zoo
from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.contract import OutputCalibration
from fer_mobile.data import Dataset
from fer_mobile.errors import RecipeError
from fer_mobile.files import replace_file, write_text
from fer_mobile.metrics import Scores, score
from fer_mobile.predictor import predict_faces
from fer_mobile.quiet import quiet
from fer_mobile.training.answers import unpack_answers
from fer_mobile.training.batches import Batches, for_fit
from fer_mobile.training.curves import draw_curves
from fer_mobile.training.distillation import Teachers
from fer_mobile.training.fused import fuse_normalisation
from fer_mobile.training.optimizer import make_optimizer
from fer_mobile.training.output_calibration import calibrated, fit_output_calibration, prior_offsets
from fer_mobile.training.parallel import divided, undivided
from fer_mobile.training.quantize_aware import FineTuning, begin
from fer_mobile.training.recipe import CalibrationSection, Recipe
from fer_mobile.training.split import training_rows

COLUMNS: Final = (
    "epoch", "loss", "accuracy", "balanced_accuracy", "valid_loss", "seconds",
    "train_accuracy", "step_ms",
)  # fmt: skip
"""Columns of history.csv.  Accuracies and loss of valid are of the weights that best.keras keeps;
loss, train_accuracy and step_ms (the wait for batches included) are of the training batches."""

SILENCE_S: Final = 30.0
"""Seconds within an epoch after which its progress is said."""


def train(
    recipe: Recipe,
    out: Path,
    *,
    data: str | Path | None = None,
    resume: bool = False,
    parameter_cap: bool = True,
    throughput: bool = True,
    parallel: str | None = None,
    report: Callable[[str], None] = print,
) -> Scores:
    """Train a recipe into the run folder `out`; returns the best epoch's figures on valid.

    With `resume`, goes on after the last finished epoch.  `throughput` ends a report with the
    training's speed, which takes a dozen steps more.  `parallel` ("data" or "model", see
    `parallel.divided`) trains over several devices.  Raises RecipeError when `out` holds
    another run, or one of a different recipe; InputError where the training cannot be
    divided; DataError and ModelError as the data and the zoo do.
    """
    training = recipe.training
    learn, valid = training_rows(recipe, data)
    start = _epochs_done(recipe, out, resume)
    finished = start >= training.epochs or _stopped(out)

    with quiet():  # on JAX this imports TensorFlow, which has something to say
        keras.utils.set_random_seed(training.seed + start)
    rows = min(training.batch_size, len(learn))
    with divided(parallel, rows), _precision(training.precision):
        model = _build(recipe, len(learn.names))
        zoo.check_cap(model, lifted=not parameter_cap)
        tuning = _tuning(recipe, model)
        if tuning:
            model = tuning.model
        elif recipe.model.start and not start:
            report(start_from(recipe.model.start, model))
        teachers = None
        if not finished:  # of a finished run they may be gone
            teachers = _teachers(recipe, learn, int(model.input_shape[1]), out)
        if teachers and teachers.models and not start:
            theirs = teachers.score(valid, recipe.data.preprocessing)
            report(
                f"teachers together on {valid.protocol} {valid.split}: "
                f"accuracy {theirs.accuracy:.4f}  balanced {theirs.balanced_accuracy:.4f}"
            )
        # Only now: a recipe that builds no model should leave no run behind.
        write_text(out / "recipe.json", recipe.model_dump_json(indent=2))
        size = int(model.input_shape[1])
        batches = Batches(learn, recipe, size, teachers)
        fuse_normalisation(model)
        model.compile(
            make_optimizer(recipe, len(batches)),
            "categorical_crossentropy",
            metrics=["accuracy"],
            auto_scale_loss=False,
        )
        if start and not finished:
            model.optimizer.build(model.trainable_variables)  # it has its state to load, too
            model.load_weights(out / "last.keras")
        keeper = _Keeper(recipe, valid, out, report, tuning)
        opener = keras.callbacks.LambdaCallback(on_epoch_begin=lambda n, logs: batches.begin(n))
        if not finished:
            report(
                f"{recipe.name}: {len(learn):,} faces train, {len(valid):,} validate, "
                f"epochs {start + 1} to {training.epochs}"
            )
            model.fit(
                for_fit(batches),
                epochs=training.epochs,
                initial_epoch=start,
                shuffle=False,  # the batches are, and Keras would order them by another seed
                callbacks=[opener, keeper],
                verbose=0,
            )
            if throughput:
                report(_throughput(model, batches, keeper.seconds_per_step))
    draw_curves(out / "history.csv", out / "curves.png")
    if keeper.best is None:
        keeper.evaluate_best()
    if recipe.calibration != CalibrationSection():
        keeper.calibrate(learn.targets.mean(0))
    assert keeper.best is not None
    return keeper.best


def _epochs_done(recipe: Recipe, out: Path, resume: bool) -> int:
    """How many epochs the run in `out` has; RecipeError where it is not to be gone on with."""
    recipe_file, state_file = out / "recipe.json", out / "state.json"
    if recipe_file.exists():
        if not resume:
            raise RecipeError(
                out,
                expected="an empty folder for a new run",
                found="a run",
                hint="Give another --out, or go on with --resume.",
            )
        if not _is(recipe, recipe_file):
            raise RecipeError(
                out,
                expected="a run of the same recipe to resume",
                found="one with other values",
                hint=f"Compare it with {recipe_file}.",
            )
    return int(json.loads(state_file.read_text())["epochs_done"]) if state_file.exists() else 0


def _stopped(out: Path) -> bool:
    """Whether the run ended before its last epoch because the recipe says when to stop."""
    state_file = out / "state.json"
    return state_file.exists() and "stopped" in json.loads(state_file.read_text())


def _is(recipe: Recipe, file: Path) -> bool:
    """Whether a stored recipe is this one; sections that are newer than it have their defaults."""
    try:
        return Recipe.model_validate_json(file.read_bytes()) == recipe
    except ValidationError:
        return False


def _tuning(recipe: Recipe, fresh: keras.Model) -> FineTuning | None:
    """The quantization-aware fine-tuning that a recipe asks for, if it does."""
    if not recipe.quantization.aware:
        return None
    if recipe.calibration != CalibrationSection():
        raise RecipeError(
            "calibration",
            expected="none with quantization.aware, which learns the ranges of the logits",
            found="one",
            hint="Calibrate the run that it starts from.",
        )
    return begin(recipe, fresh)


def _teachers(recipe: Recipe, learn: Dataset, size: int, out: Path) -> Teachers | None:
    """The teachers that a recipe names, if it does; their answers in `out`, if they are kept.

    Nobody is asked where the recipe has their answers.
    """
    section = recipe.distillation
    if not section.teachers and not section.answers:
        return None
    if section.answers:
        unpack_answers(recipe, learn, size, out)
    return Teachers(
        () if section.answers else section.teachers,
        len(learn.names),
        batches=len(learn) // recipe.training.batch_size or 1,
        folder=out if section.views else None,
        precision=recipe.training.precision,
    )


def start_from(start: str, model: keras.Model) -> str:
    """Give a fresh model the weights of another one where they fit; says how many did."""
    theirs = {layer.name: layer.get_weights() for layer in load_checkpoint(start).model.layers}
    own = [layer for layer in model.layers if layer.weights]
    fitting = [
        layer
        for layer in own
        if [w.shape for w in theirs.get(layer.name, [])] == [tuple(w.shape) for w in layer.weights]
    ]
    if not fitting:
        raise RecipeError(
            "model.start",
            expected=f"weights that fit a layer of {model.name}",
            found=f"none in {start}",
        )
    for layer in fitting:
        layer.set_weights(theirs[layer.name])
    return f"{len(fitting)} of {len(own)} layers begin with the weights of {start}"


def _throughput(model: keras.Model, batches: Batches, seconds: float) -> str:
    """The training's speed beside that of its bare step on a batch that is at hand.

    Changes the model's weights: for the end of a training.
    """
    # Fitting with averages ends as above: JAX has each average share a weight's buffer.
    model.set_weights(_copied(model.get_weights()))
    batch, times = batches[0], []
    for _ in range(12):
        started = time.monotonic()
        model.train_on_batch(*batch)
        times.append(time.monotonic() - started)
    faces, bare = len(batch[0]), float(np.median(times[2:]))
    return (
        f"throughput: {faces / seconds:.0f} faces/s, {bare / seconds:.0%} of the bare training "
        f"step's {faces / bare:.0f} (median of {len(times) - 2})"
    )


@contextmanager
def _precision(name: str) -> Iterator[None]:
    """Where layers that are made compute in a recipe's precision."""
    policy = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.mixed_precision.set_dtype_policy(policy)


def _build(recipe: Recipe, classes: int) -> keras.Model:
    try:
        return zoo.build(recipe.model.architecture, classes=classes, **recipe.model.options)
    except (TypeError, ValueError, IndexError) as error:
        raise RecipeError(
            "model.options",
            expected=f"arguments of {recipe.model.architecture}",
            found=str(error),
        ) from error


class _Keeper(keras.callbacks.Callback):  # type: ignore[misc]
    """At each epoch's end: checkpoint, evaluate on valid, keep the best, write the history."""

    def __init__(
        self,
        recipe: Recipe,
        valid: Dataset,
        out: Path,
        report: Callable[[str], None],
        tuning: FineTuning | None,
    ) -> None:
        super().__init__()
        self.tuning = tuning
        self.recipe, self.valid, self.out, self.report = recipe, valid, out, report
        self.best: Scores | None = None
        self.epoch = 0
        self.started = self.spoken = time.monotonic()
        self.seconds_per_step = float("nan")
        """In the last epoch, the wait for batches included."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.epoch = epoch
        self.started = self.spoken = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        now = time.monotonic()
        self.seconds_per_step = (now - self.started) / (batch + 1)
        if now - self.spoken < SILENCE_S:
            return
        self.spoken = now
        done, steps = batch + 1, self.params["steps"]
        left = (now - self.started) / done * (steps - done)
        self.report(f"epoch {self.epoch + 1:3d}  step {done} of {steps}, {left:.0f} s left")

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        weights = _copied(self.model.get_weights())
        if self.recipe.optimizer.ema:
            self.model.optimizer.finalize_variable_values(self.model.trainable_variables)
            # JAX would now share each average's buffer with a weight, and predict gives up its own.
            self.model.set_weights(_copied(self.model.get_weights()))
        probabilities = self._predict(self.model)
        figures = score(probabilities, self.valid.labels, self.valid.names)
        loss = -(self.valid.targets * np.log(np.maximum(probabilities, 1e-7))).sum(1).mean()
        if self.best is None:
            self.best = self._read_best()
        if self.best is None or merit(figures.accuracy, figures.balanced_accuracy) > merit(
            self.best.accuracy, self.best.balanced_accuracy
        ):
            self.best = figures
            self._save_best(figures)
        self.model.set_weights(weights)
        row = (
            epoch + 1,
            (logs or {}).get("loss", float("nan")),
            figures.accuracy,
            figures.balanced_accuracy,
            float(loss),
            time.monotonic() - self.started,
            (logs or {}).get("accuracy", float("nan")),
            1000 * self.seconds_per_step,
        )
        self._append(row)
        # Last and together: a kill before this costs the epoch, and nothing of it is half done.
        replace_file(self.out / "last.keras", self.model.save)
        state: dict[str, Any] = {"epochs_done": epoch + 1}
        reason = self._reason_to_stop(row[6])
        if reason:
            self.model.stop_training = True
            state["stopped"] = reason
        write_text(self.out / "state.json", json.dumps(state))
        draw_curves(self.out / "history.csv", self.out / "curves.png")
        self.report(
            f"epoch {epoch + 1:3d}  loss {row[1]:.4f}  valid loss {loss:.4f}  "
            f"accuracy {figures.accuracy:.4f}  balanced {figures.balanced_accuracy:.4f}  "
            f"{row[5]:.0f} s"
        )
        if reason:
            self.report(f"stopped: {reason}")

    def _reason_to_stop(self, train_accuracy: float) -> str | None:
        """Why the recipe wants no more epochs, if it does; the history knows of earlier ones."""
        training = self.recipe.training
        if training.stop_accuracy is not None and train_accuracy >= training.stop_accuracy:
            return f"accuracy {train_accuracy:.4f} on the training batches"
        if training.patience is None:
            return None
        with (self.out / "history.csv").open(newline="") as file:
            merits = [
                merit(float(row["accuracy"]), float(row["balanced_accuracy"]))
                for row in csv.DictReader(file)
            ]
        stale = len(merits) - 1 - int(np.argmax(merits))
        return f"no better epoch in {stale}" if stale >= training.patience else None

    def _predict(self, model: keras.Model) -> np.ndarray:
        with undivided():
            return predict_faces(model, self.valid.images, self.recipe.data.preprocessing)

    def _save_best(self, figures: Scores) -> None:
        """Store the weights in a float32 model, whatever precision trained them."""
        with _precision("float32"):
            plain = _build(self.recipe, len(self.valid.names))
        if self.tuning:
            self.tuning.unfold(self.model, plain)
        else:
            plain.set_weights(self.model.get_weights())
        replace_file(self.out / "best.keras", plain.save)
        if self.tuning:
            self.tuning.write_ranges(self.model, plain, self.out)
        write_text(self.out / "valid.json", json.dumps(self._summary(figures), indent=2))

    def _summary(self, figures: Scores) -> dict[str, Any]:
        valid = self.valid
        return {"protocol": valid.protocol, "split": valid.split, **figures.as_dict()}

    def _read_best(self) -> Scores | None:
        path = self.out / "valid.json"
        if not path.exists():
            return None
        stored = json.loads(path.read_text())
        return Scores(**{key: stored[key] for key in Scores.__dataclass_fields__ if key in stored})

    def evaluate_best(self) -> None:
        """Take up the stored figures of a run that was already finished."""
        self.best = self._read_best()

    def calibrate(self, shares: np.ndarray) -> None:
        """Fit the recipe's calibration to the best weights, write it, and measure with it."""
        section, names, labels = self.recipe.calibration, self.valid.names, self.valid.labels
        best = keras.saving.load_model(self.out / "best.keras", compile=False)
        raw = self._predict(best)
        before = score(raw, labels, names).calibration_error
        offsets = prior_offsets(shares, section.prior, names) if section.prior else {}
        chosen = OutputCalibration(offsets=offsets, origin="shares of the training rows")
        if section.temperature:
            chosen = fit_output_calibration(raw, self.valid, offsets)
        self.best = score(calibrated(raw, chosen, names), labels, names)
        write_text(self.out / "calibration.json", chosen.model_dump_json(indent=2))
        write_text(self.out / "valid.json", json.dumps(self._summary(self.best), indent=2))
        self.report(
            f"calibrated: temperature {chosen.temperature}, offsets {chosen.offsets or 'none'}; "
            f"accuracy {self.best.accuracy:.4f}  balanced {self.best.balanced_accuracy:.4f}  "
            f"calibration error {before:.4f} before, {self.best.calibration_error:.4f} after; "
            f"{chosen.origin}"
        )

    def _append(self, row: tuple[float, ...]) -> None:
        """Add an epoch to history.csv in place of a row that a killed run left."""
        path = self.out / "history.csv"
        rows: list[list[str]] = []
        if path.exists():
            with path.open(newline="") as file:
                rows = [r for r in list(csv.reader(file))[1:] if int(r[0]) < row[0]]
        rows.append([str(row[0]), *(f"{value:.5f}" for value in row[1:])])
        write_text(path, "\n".join(",".join(r) for r in [list(COLUMNS), *rows]) + "\n")


def _copied(weights: list[np.ndarray]) -> list[np.ndarray]:
    return [np.array(weight) for weight in weights]


def merit(accuracy: float, balanced_accuracy: float) -> float:
    """What the best epoch is chosen by: accuracy, with balanced accuracy as a tenth of it."""
    return accuracy + 0.1 * balanced_accuracy
