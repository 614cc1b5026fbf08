"""Train recipes side by side on one accelerator that makes their batches itself.

    KERAS_BACKEND=jax python -m benchmarks.train_on_device RECIPE... --runs runs
        [--data PATH] [--set section.key=value ...] [--seconds S] [--every N]

What `fer-mobile train` does with the same recipes, but an epoch is one program: faces are augmented
on the device, a batch teaches every recipe's network, and the teachers are asked once for all of
them.  So the recipes must agree in data, input size, augmentation, teachers and all of [training]
but `balance`.  `distillation.views` and `answers` are not heeded, teachers are always asked, and
what is random is drawn by another generator.  With `--seconds` the recipes get as many of their
epochs as that time has room for.

A run folder has all that `fer-mobile train RECIPE --out FOLDER --resume` needs to add the
adjustment and the activation ranges.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np

from fer_mobile import zoo
from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.data import Dataset
from fer_mobile.data.augmentation import Augmentation
from fer_mobile.errors import RecipeError
from fer_mobile.files import replace_file, write_text
from fer_mobile.metrics import score
from fer_mobile.preprocess import resize
from fer_mobile.training.fit import COLUMNS, merit, start_from
from fer_mobile.training.optimizer import make_optimizer
from fer_mobile.training.recipe import Recipe, find_recipe, load_recipe, override
from fer_mobile.training.split import training_rows

CHUNK = 512
"""Faces of valid that are judged at once."""

SIGMAS = 0.4, 1.4
"""Smallest and largest blur, in pixels of a stored face."""


def draw(key: jax.Array, count: int, options: Augmentation) -> dict[str, jax.Array]:
    """What is to happen to each of `count` faces, as `data.augmentation.augment` draws it."""
    keys = iter(jax.random.split(key, 16))

    def uniform(low: float, high: float, *shape: int) -> jax.Array:
        return jax.random.uniform(next(keys), (count, *shape), minval=low, maxval=high)

    return {
        "flip": jnp.where(uniform(0, 1) < options.flip, -1.0, 1.0),
        "angle": uniform(-options.rotation, options.rotation) * math.pi / 180,
        "scale": jnp.exp(uniform(-1, 1) * math.log1p(options.scale)),
        "shift": uniform(-options.shift, options.shift, 2),
        "blurred": uniform(0, 1) < options.blur,
        "sigma": uniform(*SIGMAS),
        "gain": 1 + uniform(-options.contrast, options.contrast),
        "offset": uniform(-options.brightness, options.brightness),
        "erased": uniform(0, 1) < options.erase,
        "sides": uniform(0.1, 0.45, 2),
        "corner": uniform(0, 1, 2),
        "gray": uniform(0, 1),
    }


def render(stored: jax.Array, what: dict[str, jax.Array], size: int) -> jax.Array:
    """Faces uint8 [N, H, W], changed as `draw` said: float32 [N, size, size] in 0-1."""
    count, height, width = stored.shape
    step = width / size * what["scale"]
    cosine, sine = jnp.cos(what["angle"]) * step, jnp.sin(what["angle"]) * step
    place = jnp.arange(size) - (size - 1) / 2
    right, down = place[None, None, :], place[None, :, None]
    a, b, c, d = cosine * what["flip"], -sine, sine * what["flip"], cosine
    x = (width - 1) / 2 + _each(what["shift"][:, 0] * width) + _each(a) * right + _each(b) * down
    y = (height - 1) / 2 + _each(what["shift"][:, 1] * width) + _each(c) * right + _each(d) * down
    left, top = jnp.floor(x), jnp.floor(y)
    fx, fy = x - left, y - top
    flat = stored.reshape(count, -1).astype(jnp.float32) / 255

    def pixel(row: jax.Array, column: jax.Array) -> jax.Array:
        row = jnp.clip(row, 0, height - 1).astype(jnp.int32)
        column = jnp.clip(column, 0, width - 1).astype(jnp.int32)
        index = (row * width + column).reshape(count, -1)
        return jnp.take_along_axis(flat, index, 1).reshape(count, size, size)

    upper = (1 - fx) * pixel(top, left) + fx * pixel(top, left + 1)
    lower = (1 - fx) * pixel(top + 1, left) + fx * pixel(top + 1, left + 1)
    out = _blurred((1 - fy) * upper + fy * lower, what["blurred"], what["sigma"], size / width)
    out += (out.mean((1, 2), keepdims=True) - out) * (1 - _each(what["gain"]))
    out += _each(what["offset"])
    sides = jnp.floor(what["sides"] * size)
    first = jnp.floor(what["corner"] * (size - sides))
    at = jnp.arange(size)
    inside = (at >= first[..., None]) & (at < (first + sides)[..., None])
    hole = inside[:, 0, :, None] & inside[:, 1, None, :] & _each(what["erased"])
    return jnp.clip(jnp.where(hole, _each(what["gray"]), out), 0, 1)


def _each(values: jax.Array) -> jax.Array:
    return values[:, None, None]


def _blurred(faces: jax.Array, chosen: jax.Array, sigma: jax.Array, zoom: float) -> jax.Array:
    """Faces that are `zoom` times as large as stored; the `chosen` ones with a Gaussian blur."""
    taps = math.ceil(3 * SIGMAS[1] * zoom)
    far = jnp.arange(-taps, taps + 1)
    kernel = jnp.exp(-0.5 * (far / (sigma[:, None] * zoom)) ** 2)
    kernel = jnp.where(chosen[:, None], kernel / kernel.sum(1, keepdims=True), far == 0)
    size = faces.shape[1]
    padded = jnp.pad(faces, ((0, 0), (taps, taps), (0, 0)), mode="reflect")
    faces = sum(_each(kernel[:, i]) * padded[:, i : i + size] for i in range(len(far)))
    padded = jnp.pad(faces, ((0, 0), (0, 0), (taps, taps)), mode="reflect")
    return sum(_each(kernel[:, i]) * padded[:, :, i : i + size] for i in range(len(far)))


@dataclass
class Network:
    """A Keras model and the values that a jitted program has of it."""

    model: keras.Model

    def __post_init__(self) -> None:
        self.read()

    def read(self) -> None:
        """Take up the model's weights."""
        self.trainable = [v.value for v in self.model.trainable_variables]
        self.fixed = [v.value for v in self.model.non_trainable_variables]

    def __call__(self, trainable: Any, fixed: Any, faces: jax.Array, training: bool) -> Any:
        return self.model.stateless_call(trainable, fixed, faces[..., None], training=training)


class Student(Network):
    """A network in training by one of the recipes."""

    def __init__(self, recipe: Recipe, out: Path, classes: int) -> None:
        self.recipe, self.out = recipe, out
        keras.utils.set_random_seed(recipe.training.seed)
        super().__init__(build(recipe, classes, recipe.training.precision))
        if recipe.model.start:
            print(start_from(recipe.model.start, self.model), flush=True)
            self.read()
        self.size = int(self.model.input_shape[1])
        # Every step is told its learning rate, so that epochs can be fewer than the recipe's.
        self.optimizer = make_optimizer(override(recipe, ["optimizer.schedule=constant"]), 1)
        self.optimizer.build(self.model.trainable_variables)
        own = [id(variable) for variable in self.optimizer.variables]
        self.rate = own.index(id(self.optimizer._learning_rate))
        averages = self.optimizer._model_variables_moving_average if recipe.optimizer.ema else ()
        self.averages = [own.index(id(variable)) for variable in averages]
        self.state = (self.trainable, self.fixed, [v.value for v in self.optimizer.variables])
        self.predict = jax.jit(self._predict)
        self.history: list[tuple[float, ...]] = []
        self.merit = -1.0

    def step(self, state: Any, faces: Any, targets: Any, weights: Any, rate: Any) -> Any:
        """The state after one batch; its loss, and how often the likeliest label was met."""
        trainable, fixed, optimizer = state

        def loss(values: Any) -> Any:
            answers, after = self(values, fixed, faces, True)
            log = jnp.log(jnp.clip(answers.astype(jnp.float32), 1e-7, 1))
            return (-(targets * log).sum(1) * weights).mean(), (after, answers)

        (value, (fixed, answers)), gradients = jax.value_and_grad(loss, has_aux=True)(trainable)
        optimizer = list(optimizer)
        optimizer[self.rate] = rate
        trainable, optimizer = self.optimizer.stateless_apply(optimizer, gradients, trainable)
        hits = (answers.argmax(1) == targets.argmax(1)).mean()
        return (trainable, fixed, optimizer), (value, hits)

    def _predict(self, trainable: Any, fixed: Any, faces: jax.Array) -> jax.Array:
        def chunk(part: jax.Array) -> jax.Array:
            return self(trainable, fixed, part.astype(jnp.float32) / 255, False)[0]

        return jax.lax.map(chunk, faces.reshape(-1, CHUNK, *faces.shape[1:]))

    def judge(
        self, valid: Dataset, faces: jax.Array, epoch: int, loss: float, hits: float, seconds: float
    ) -> str:
        """Keep the weights if none before were better on valid, prepared as `faces`; says how
        good they are."""
        trainable, fixed, optimizer = self.state
        trainable = [optimizer[i] for i in self.averages] or trainable
        answers = np.asarray(self.predict(trainable, fixed, faces), np.float32)
        answers = answers.reshape(-1, answers.shape[-1])[: len(valid)]
        found = score(answers, valid.labels, valid.names)
        cost = -(valid.targets * np.log(np.maximum(answers, 1e-7))).sum(1).mean()
        if merit(found.accuracy, found.balanced_accuracy) > self.merit:
            self.merit, self.found = merit(found.accuracy, found.balanced_accuracy), found
            self.best = [np.asarray(v) for v in trainable], [np.asarray(v) for v in fixed]
        figures = (found.accuracy, found.balanced_accuracy)
        self.history.append((epoch, loss, *figures, cost, seconds, hits, float("nan")))
        return f"{self.recipe.name} {loss:.3f} {cost:.4f} {figures[0]:.4f} {figures[1]:.4f}"

    def save(self, epochs: int) -> None:
        """Write the run folder, with the best weights in float32."""
        recipe = override(self.recipe, [f"training.epochs={epochs}"])
        plain = build(recipe, len(self.found.counts), "float32", blank=True)
        for variables, values in (
            (plain.trainable_variables, self.best[0]),
            (plain.non_trainable_variables, self.best[1]),
        ):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
        replace_file(self.out / "best.keras", plain.save)
        summary = {"protocol": recipe.data.protocol, "split": "valid", **self.found.as_dict()}
        write_text(self.out / "valid.json", json.dumps(summary, indent=2))
        lines = [
            ",".join([str(epoch), *(f"{value:.5f}" for value in values)])
            for epoch, *values in self.history
        ]
        write_text(self.out / "history.csv", "\n".join([",".join(COLUMNS), *lines]) + "\n")
        write_text(self.out / "recipe.json", recipe.model_dump_json(indent=2))
        write_text(self.out / "state.json", json.dumps({"epochs_done": epochs}))
        print(
            f"{self.out}: best accuracy {self.found.accuracy:.4f}  "
            f"balanced {self.found.balanced_accuracy:.4f}",
            flush=True,
        )


def build(recipe: Recipe, classes: int, precision: str, *, blank: bool = False) -> keras.Model:
    """The recipe's network, which computes in `precision`; `blank` if its weights will be set."""
    options = {k: v for k, v in recipe.model.options.items() if not (blank and k == "weights")}
    keras.mixed_precision.set_dtype_policy(precision)
    model = zoo.build(recipe.model.architecture, classes=classes, **options)
    keras.mixed_precision.set_dtype_policy("float32")
    return model


def load_teacher(folder: str, precision: str) -> Network:
    """The network of a run folder, for its answers."""
    source = load_checkpoint(folder)
    recipe = Recipe.model_validate_json((Path(folder) / "recipe.json").read_bytes())
    model = build(recipe, len(source.labels), precision, blank=True)
    model.set_weights(source.model.get_weights())
    return Network(model)


def prepared(faces: np.ndarray, size: int) -> jax.Array:
    """Faces as every predictor resizes them, filled up to whole chunks."""
    out = np.stack([resize(face, size) for face in faces])
    return jnp.asarray(np.pad(out, ((0, -len(out) % CHUNK), (0, 0), (0, 0))))


def rates(recipe: Recipe, steps: int, epochs: int) -> np.ndarray:
    """The learning rate of every step, as `train/optimizer.py` has it: warm-up, then a cosine."""
    at, warmup = np.arange(steps * epochs), round(recipe.optimizer.warmup_epochs * steps)
    rest = (at - warmup) / max(len(at) - warmup, 1)
    curve = np.where(at < warmup, at / max(warmup, 1), 0.5 * (1 + np.cos(np.pi * rest)))
    return (recipe.optimizer.learning_rate * curve).astype(np.float32)


def agreed(recipes: list[Recipe]) -> Recipe:
    """The first of recipes whose batches can be the same; RecipeError where they cannot."""
    first = recipes[0]

    def shared(recipe: Recipe) -> tuple[object, ...]:
        training = recipe.training.model_copy(update={"balance": 0.0})  # each may have its own
        size = recipe.model.options.get("size")
        return (size, recipe.data, recipe.augmentation, recipe.distillation, training)

    for other in recipes[1:]:
        if shared(other) != shared(first):
            raise RecipeError(
                other.name,
                expected=f"size, data, augmentation, teachers and [training] of {first.name}",
                found="others",
                hint="Train it by itself.",
            )
    return first


def epoch_of(students: list[Student], teachers: list[Network], recipe: Recipe) -> Any:
    """The program of an epoch: from states, what does not change, and rows, keys and learning
    rates of every step, to new states and mean losses."""
    options, mixup, part = recipe.augmentation, recipe.training.mixup, recipe.distillation.weight
    size, batch = students[0].size, recipe.training.batch_size

    def step(carry: Any, what: Any) -> Any:
        (states, given), (rows, key, rate) = carry, what
        teaching, images, targets, weights = given
        keys = jax.random.split(key, 4)
        faces = render(images[rows], draw(keys[0], batch, options), size)
        wanted, heavy = targets[rows], [own[rows] for own in weights]
        if mixup:
            share = jax.random.beta(keys[1], mixup, mixup, (batch, 1, 1))
            faces = share * faces + (1 - share) * faces[::-1]
            share = share[:, 0]
            wanted = share * wanted + (1 - share) * wanted[::-1]
            heavy = [share[:, 0] * own + (1 - share[:, 0]) * own[::-1] for own in heavy]
        if teachers:
            answers = []
            for teacher, (trainable, fixed) in zip(teachers, teaching, strict=True):
                side = int(teacher.model.input_shape[1])
                large = jax.image.resize(faces, (batch, side, side), "bilinear")
                answers.append(teacher(trainable, fixed, large, False)[0])
            wanted = (1 - part) * wanted + part * sum(answers) / len(answers)
        spread = jax.random.uniform(keys[2], (batch, 1, 1), maxval=options.noise)
        faces = jnp.clip(faces + spread * jax.random.normal(keys[3], faces.shape), 0, 1)
        done = [
            student.step(state, faces, wanted, own, slow)
            for student, state, own, slow in zip(students, states, heavy, rate, strict=True)
        ]
        return ([state for state, _ in done], given), [losses for _, losses in done]

    def epoch(states: Any, given: Any, what: Any) -> Any:
        (states, _), losses = jax.lax.scan(step, (states, given), what)
        return states, [(loss.mean(), hits.mean()) for loss, hits in losses]

    return jax.jit(epoch, donate_argnums=0)


def train(
    recipes: list[Recipe], runs: Path, data: str | None, seconds: float | None, every: int
) -> None:
    """Train every recipe into its folder of `runs`."""
    started = time.monotonic()
    recipe = agreed(recipes)
    learn, valid = training_rows(recipe, data)
    classes, training = len(learn.names), recipe.training
    students = [Student(r, runs / r.name, classes) for r in recipes]
    teachers = [load_teacher(run, training.precision) for run in recipe.distillation.teachers]
    judged = prepared(valid.images, students[0].size)
    smoothed = learn.targets * (1 - training.label_smoothing)
    given = (
        [(teacher.trainable, teacher.fixed) for teacher in teachers],
        jnp.asarray(learn.images),
        jnp.asarray(smoothed + np.float32(training.label_smoothing / classes)),
        [jnp.asarray(class_weights(learn, r.training.balance)) for r in recipes],
    )
    steps = len(learn) // training.batch_size
    epochs, done = training.epochs, 0
    rng = np.random.default_rng(training.seed)
    keys = jax.random.split(jax.random.key(training.seed), epochs)

    def batches() -> Any:
        order = rng.permutation(len(learn))[: steps * training.batch_size]
        slow = [rates(r, steps, epochs)[done * steps : (done + 1) * steps] for r in recipes]
        now = [jnp.asarray(own) for own in slow]
        return jnp.asarray(order.reshape(steps, -1)), jax.random.split(keys[done], steps), now

    states, what = [student.state for student in students], batches()
    run = epoch_of(students, teachers, recipe).lower(states, given, what).compile()
    print(f"compiled after {time.monotonic() - started:.0f} s", flush=True)
    waited = 0.0
    while done < epochs:
        begun = time.monotonic()
        states, losses = run(states, given, what)
        losses = [(float(loss), float(hits)) for loss, hits in losses]
        took = time.monotonic() - begun
        waited += took
        done += 1
        if done == 2 and seconds:  # the first one has warmed up
            left = seconds - (time.monotonic() - started)
            epochs = min(epochs, max(3, done + int(left / took)))
            print(f"{took:.1f} s an epoch: {epochs} epochs", flush=True)
        if done % every == 0 or done == epochs:
            said = []
            for student, state, loss in zip(students, states, losses, strict=True):
                student.state = state
                said.append(student.judge(valid, judged, done, *loss, waited))
            waited = 0.0
            print(f"epoch {done:3d}  {took:.1f} s  {'  '.join(said)}", flush=True)
        if done < epochs:
            what = batches()
    for student in students:
        student.save(epochs)


def class_weights(learn: Dataset, balance: float) -> np.ndarray:
    """How much every row counts, as in `train/batches.py`."""
    counts = np.bincount(learn.labels, minlength=len(learn.names)).clip(1)
    weights = ((counts.max() / counts) ** balance)[learn.labels]
    return (weights / weights.mean()).astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipes", nargs="+")
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--data")
    parser.add_argument("--set", action="append", default=[], dest="changes")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--every", type=int, default=1, help="epochs between two looks at valid")
    options = parser.parse_args()
    recipes = [load_recipe(find_recipe(name), options.changes) for name in options.recipes]
    train(recipes, options.runs, options.data, options.seconds, options.every)


if __name__ == "__main__":
    main()
