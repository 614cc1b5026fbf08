"""Fitting a recipe: checkpoints every epoch, resumes after a kill, keeps the best weights.

A run folder holds::

    recipe.json   the resolved recipe
    state.json    the last finished epoch, written after its checkpoint
    last.keras    weights and optimizer after it
    best.keras    float32 weights (averaged, if the recipe says so) of the best epoch
    ranges.json   their activation ranges, after quantization-aware fine-tuning
    adjustment.json  temperature and offsets for them, which every reader of the run folds in
    history.csv   a row an epoch; curves.png draws it
    valid.json    the best epoch's figures on valid, adjusted once the training is done
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import keras
import numpy as np
from pydantic import ValidationError

from fer_mobile import zoo
from fer_mobile.contract import Adjustment
from fer_mobile.data import Dataset, load_dataset
from fer_mobile.errors import DataError, RecipeError
from fer_mobile.files import replace_file, write_text
from fer_mobile.metrics import Scores, score
from fer_mobile.preprocess import normalise, resize
from fer_mobile.train.adjust import adjust, fit_adjustment, prior_offsets
from fer_mobile.train.batches import Batches
from fer_mobile.train.curves import draw_curves
from fer_mobile.train.recipe import AdjustmentSection, Recipe

if TYPE_CHECKING:
    from fer_mobile.train.quantize_aware import FineTuning

COLUMNS: Final = ("epoch", "loss", "accuracy", "balanced_accuracy", "valid_loss", "seconds")
"""Columns of history.csv; all but loss and seconds are of the weights that best.keras keeps."""


SILENCE_S: Final = 30.0
"""Seconds within an epoch after which its progress is said."""


def train(
    recipe: Recipe,
    out: Path,
    *,
    data: str | Path | None = None,
    resume: bool = False,
    parameter_cap: bool = True,
    report: Callable[[str], None] = print,
) -> Scores:
    """Train a recipe into the run folder `out`; returns the best epoch's figures on valid.

    With `resume`, goes on after the last finished epoch.  Raises RecipeError when `out`
    holds another run, or one of a different recipe; DataError and ModelError as the data
    and the zoo do.
    """
    training = recipe.training
    learn = load_dataset(
        data,
        protocol=recipe.data.train_protocol or recipe.data.protocol,
        split="train",
        training=True,
    )
    valid = load_dataset(data, protocol=recipe.data.protocol, split="valid")
    if recipe.data.folds:
        learn, valid = _cross(recipe, learn, data)
    if learn.names != valid.names:
        raise DataError(
            "train_protocol",
            expected=f"the {len(valid.names)} labels of {recipe.data.protocol}",
            found=f"{len(learn.names)} labels",
        )
    learn = _fraction(learn, training.fraction, training.seed)
    start = _epochs_done(recipe, out, resume)

    keras.utils.set_random_seed(training.seed + start)
    keras.mixed_precision.set_dtype_policy(training.precision)
    try:
        model = _build(recipe, len(learn.names))
        zoo.check_cap(model, lifted=not parameter_cap)
        tuning = _tuning(recipe, model)
        if tuning:
            model = tuning.build()
        elif recipe.model.start and not start:
            report(_start_from(recipe.model.start, model))
        if recipe.distillation.teachers:
            from fer_mobile.train.distillation import student

            model = student(model, recipe.distillation.teachers, recipe.distillation.weight)
        # Only now: a recipe that builds no model should leave no run behind.
        write_text(out / "recipe.json", recipe.model_dump_json(indent=2))
        size = int(model.input_shape[1])
        batches = Batches(learn, recipe, size)
        model.compile(
            _optimizer(recipe, len(batches)), "categorical_crossentropy", auto_scale_loss=False
        )
        if start:
            model.optimizer.build(model.trainable_variables)  # it has its state to load, too
            model.load_weights(out / "last.keras")
        keeper = _Keeper(recipe, valid, size, out, report, tuning)
        begin = keras.callbacks.LambdaCallback(on_epoch_begin=lambda n, logs: batches.begin(n))
        if start < training.epochs:
            report(
                f"{recipe.name}: {len(learn):,} faces train, {len(valid):,} validate, "
                f"epochs {start + 1} to {training.epochs}"
            )
            model.fit(
                batches,
                epochs=training.epochs,
                initial_epoch=start,
                shuffle=False,  # the batches are, and Keras would order them by another seed
                callbacks=[begin, keeper],
                verbose=0,
            )
            report(_throughput(model, batches, keeper.seconds_per_step))
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    draw_curves(out / "history.csv", out / "curves.png")
    if keeper.best is None:
        keeper.evaluate_best()
    if recipe.adjustment != AdjustmentSection():
        keeper.adjust(learn.targets.mean(0))
    assert keeper.best is not None
    return keeper.best


def _fraction(dataset: Dataset, fraction: float, seed: int) -> Dataset:
    """A share of every class's rows (at least one), chosen by the seed."""
    if fraction == 1:
        return dataset
    rng = np.random.default_rng(seed)
    rows = np.concatenate(
        [
            rng.permutation(own)[: max(1, round(fraction * len(own)))]
            for own in (np.flatnonzero(dataset.labels == c) for c in np.unique(dataset.labels))
        ]
    )
    rows.sort()
    return dataset.take(rows)


def held_out(recipe: Recipe, data: str | Path | None = None) -> Dataset:
    """The fold of the training rows that a recipe of cross-validation is measured on."""
    section = recipe.data
    rows = load_dataset(data, protocol=section.protocol, split="train", training=True)
    name = f"train, fold {section.fold + 1} of {section.folds}"
    return rows.take(rows.folds(section.folds) == section.fold, name)


def _cross(recipe: Recipe, learn: Dataset, data: str | Path | None) -> tuple[Dataset, Dataset]:
    """The rows outside the recipe's fold, to learn from, and those in it."""
    section = recipe.data
    if section.fold >= section.folds:
        raise RecipeError(
            "data.fold", expected=f"0 to {section.folds - 1}", found=str(section.fold)
        )
    return learn.take(learn.folds(section.folds) != section.fold), held_out(recipe, data)


def _epochs_done(recipe: Recipe, out: Path, resume: bool) -> int:
    """How many epochs the run in `out` has; RecipeError where it is not to be gone on with."""
    recipe_file, state_file = out / "recipe.json", out / "state.json"
    if recipe_file.exists():
        if not resume:
            raise RecipeError(
                out,
                expected="an empty folder for a new run",
                found="a run",
                todo="Give another --out, or go on with --resume.",
            )
        if not _is(recipe, recipe_file):
            raise RecipeError(
                out,
                expected="a run of the same recipe to resume",
                found="one with other values",
                todo=f"Compare it with {recipe_file}.",
            )
    return int(json.loads(state_file.read_text())["epochs_done"]) if state_file.exists() else 0


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
    if recipe.adjustment != AdjustmentSection():
        raise RecipeError(
            "adjustment",
            expected="none with quantization.aware, which learns the ranges of the logits",
            found="one",
            todo="Adjust the run that it starts from.",
        )
    from fer_mobile.train.quantize_aware import begin  # plain training needs no export

    return begin(recipe, fresh)


def _start_from(start: str, model: keras.Model) -> str:
    """Give a fresh model the weights of another one where they fit; says how many did."""
    from fer_mobile.convert.source import load_source

    theirs = {layer.name: layer.get_weights() for layer in load_source(start).model.layers}
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


def _build(recipe: Recipe, classes: int) -> keras.Model:
    try:
        return zoo.build(recipe.model.architecture, classes=classes, **recipe.model.options)
    except (TypeError, ValueError, IndexError) as error:
        raise RecipeError(
            "model.options",
            expected=f"arguments of {recipe.model.architecture}",
            found=str(error),
        ) from error


def _optimizer(recipe: Recipe, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    section = recipe.optimizer
    steps = steps_per_epoch * recipe.training.epochs
    warmup = min(round(section.warmup_epochs * steps_per_epoch), steps - 1)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0 if warmup else section.learning_rate,
        steps - warmup,
        warmup_target=section.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    common: dict[str, Any] = {
        "weight_decay": section.weight_decay,
        "global_clipnorm": section.clip_norm,
        "use_ema": section.ema > 0,
        "ema_momentum": section.ema or 0.99,
    }
    if section.name == "sgd":
        return keras.optimizers.SGD(rate, momentum=section.momentum, nesterov=True, **common)
    optimizer = keras.optimizers.AdamW(rate, **common)
    # Scales, shifts and biases have no reason to shrink.
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


class _Keeper(keras.callbacks.Callback):  # type: ignore[misc]
    """At each epoch's end: checkpoint, evaluate on valid, keep the best, write the history."""

    def __init__(
        self,
        recipe: Recipe,
        valid: Dataset,
        size: int,
        out: Path,
        report: Callable[[str], None],
        tuning: FineTuning | None,
    ) -> None:
        super().__init__()
        self.tuning = tuning
        self.recipe, self.valid, self.out, self.report = recipe, valid, out, report
        faces = np.stack([resize(image, size) for image in valid.images])
        self.pixels = normalise(faces)[..., None]
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
        probabilities = self.model.predict(self.pixels, batch_size=256, verbose=0)
        figures = score(probabilities, self.valid.labels, self.valid.names)
        loss = -(self.valid.targets * np.log(np.maximum(probabilities, 1e-7))).sum(1).mean()
        if self.best is None:
            self.best = self._read_best()
        if self.best is None or _merit(figures) > _merit(self.best):
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
        )
        self._append(row)
        # Last and together: a kill before this costs the epoch, and nothing of it is half done.
        replace_file(self.out / "last.keras", self.model.save)
        write_text(self.out / "state.json", json.dumps({"epochs_done": epoch + 1}))
        draw_curves(self.out / "history.csv", self.out / "curves.png")
        self.report(
            f"epoch {epoch + 1:3d}  loss {row[1]:.4f}  valid loss {loss:.4f}  "
            f"accuracy {figures.accuracy:.4f}  balanced {figures.balanced_accuracy:.4f}  "
            f"{row[5]:.0f} s"
        )

    def _save_best(self, figures: Scores) -> None:
        """Store the weights in a float32 model, whatever precision trained them."""
        policy = keras.mixed_precision.dtype_policy()
        keras.mixed_precision.set_dtype_policy("float32")
        try:
            plain = _build(self.recipe, len(self.valid.names))
        finally:
            keras.mixed_precision.set_dtype_policy(policy)
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

    def adjust(self, shares: np.ndarray) -> None:
        """Fit the recipe's adjustment to the best weights, write it, and measure with it."""
        section, names, labels = self.recipe.adjustment, self.valid.names, self.valid.labels
        best = keras.saving.load_model(self.out / "best.keras", compile=False)
        raw = best.predict(self.pixels, batch_size=256, verbose=0)
        before = score(raw, labels, names).calibration_error
        offsets = prior_offsets(shares, section.prior, names) if section.prior else {}
        chosen = Adjustment(offsets=offsets, origin="shares of the training rows")
        if section.temperature:
            chosen = fit_adjustment(raw, self.valid, offsets)
        self.best = score(adjust(raw, chosen, names), labels, names)
        write_text(self.out / "adjustment.json", chosen.model_dump_json(indent=2))
        write_text(self.out / "valid.json", json.dumps(self._summary(self.best), indent=2))
        self.report(
            f"adjusted: temperature {chosen.temperature}, offsets {chosen.offsets or 'none'}; "
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


def _merit(figures: Scores) -> float:
    """What the best epoch is chosen by: accuracy, with balanced accuracy as a tenth of it."""
    return figures.accuracy + 0.1 * figures.balanced_accuracy
