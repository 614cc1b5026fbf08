"""Training on one accelerator that makes its batches itself, by JAX.

An epoch is one program: faces are augmented on the device, a batch teaches every recipe's
network, and the teachers are asked once for all of them.  What is random of a batch comes from
`batches.BatchPlanner`, as for the backend keras, but for the noise of pixels and dropout.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, fields
from typing import Any, Final

import jax
import jax.numpy as jnp
import keras
import numpy as np

from fer_mobile.data.augmentation import Changes
from fer_mobile.data.steps import apply_steps
from fer_mobile.errors import RecipeError
from fer_mobile.training.backends.device_augmentation import add_noise, apply_changes
from fer_mobile.training.batches import BatchPlanner, LearnedRows
from fer_mobile.training.distillation import SoftTargets, at_size_of
from fer_mobile.training.network import Network
from fer_mobile.training.parallel import require_jax
from fer_mobile.training.recipe import Recipe
from fer_mobile.training.run import Run
from fer_mobile.training.teacher_cache import as_probabilities

OWN_KEYS: Final = {"training": ("balance", "patience", "stop_accuracy")}
"""In the sections whose values recipes must share: what each may have for itself."""


class DeviceBackend:
    """Fits several networks side by side."""

    def check(self, recipes: Sequence[Recipe]) -> None:
        """Refuse AugMix, and recipes whose batches differ."""
        require_jax("`backend='device'`")
        for recipe in recipes:
            if recipe.augmentation.augmix:
                raise RecipeError(
                    f"augmentation.augmix of {recipe.name}",
                    expected="0 with `backend='device'`, which does not know it",
                    found=str(recipe.augmentation.augmix),
                    hint="Train it with `backend='keras'`.",
                )
        for recipe in recipes[1:]:
            different = _differences(recipes[0], recipe)
            if different:
                raise RecipeError(
                    f"{different[0]} of {recipe.name}",
                    expected=f"that of {recipes[0].name}, to be trained side by side",
                    found="another",
                    hint="Train it by itself.",
                )

    def scope(self, rows: int) -> AbstractContextManager[Any]:
        """One device."""
        return nullcontext()

    def fit(self, runs: Sequence[Run], soft_targets: SoftTargets | None, throughput: bool) -> None:
        """Train the networks to their ends."""
        program = _Program(runs, soft_targets)
        first, seconds = min(run.epochs_done for run in runs), float("nan")
        for epoch in range(first, runs[0].recipe.training.epochs):
            # A run that was stopped, or that is an epoch ahead after a kill, has a rest.
            active = [r for r in runs if not r.finished and r.epochs_done == epoch]
            if active:
                for run in active:
                    run.begin_epoch()
                train = program.prepare(epoch, active)
                started = time.monotonic()
                results = train()
                seconds = (time.monotonic() - started) / program.planner.steps
                for run, (loss, accuracy) in zip(active, results, strict=True):
                    run.end_epoch(loss, accuracy, 1000 * seconds)
        if throughput:
            faces = program.planner.batch_size / seconds
            runs[0].report(f"throughput: {faces:.0f} faces/s in the last epoch")


def _differences(first: Recipe, other: Recipe) -> list[str]:
    """The keys in which two recipes differ that they must share."""
    keys = []
    for section in ("data", "training", "augmentation", "distillation"):
        one, two = (getattr(r, section).model_dump() for r in (first, other))
        own = OWN_KEYS.get(section, ())
        keys += [f"{section}.{key}" for key in one if one[key] != two[key] and key not in own]
    if first.model.options.get("size") != other.model.options.get("size"):
        keys.append("model.options.size")
    return keys


@dataclass(frozen=True, slots=True)
class _State:
    """The values of a network's variables, by which a program computes."""

    trainable: list[jax.Array]
    fixed: list[jax.Array]
    optimizer: list[jax.Array]


jax.tree_util.register_dataclass(
    _State, data_fields=["trainable", "fixed", "optimizer"], meta_fields=[]
)


class _Program:
    """The programs of an epoch, for whichever runs are active in it."""

    def __init__(self, runs: Sequence[Run], soft_targets: SoftTargets | None) -> None:
        first, learn = runs[0], runs[0].learn
        self._recipe, self._soft_targets = first.recipe, soft_targets
        self._classes = len(learn.names)
        self._size = _network(first).size
        taught = soft_targets is not None
        rows = {
            id(run): LearnedRows.of(run.recipe, learn, first.unlabelled, taught=taught)
            for run in runs
        }
        every = rows[id(first)]
        self.planner = BatchPlanner(first.recipe, len(every), self._size)
        faces = apply_steps(every.images[np.arange(len(every))], first.recipe.data.preprocessing)
        self._images = jnp.asarray(faces)
        self._targets = jnp.asarray((1 - every.soft_share[:, None]) * every.targets)
        self._soft_share = jnp.asarray(every.soft_share)
        self._weights = {key: jnp.asarray(own.weights) for key, own in rows.items()}
        teachers = soft_targets.teachers.models if soft_targets and soft_targets.teachers else []
        self._teachers = [(model, _values(model)) for model in teachers]
        self._compiled: dict[tuple[Any, ...], Any] = {}

    def prepare(self, epoch: int, runs: Sequence[Run]) -> Callable[[], list[tuple[float, float]]]:
        """Compile an epoch (from 0) of these runs; what is returned trains it, and returns the
        mean loss and accuracy of each."""
        cache = self._soft_targets.cache if self._soft_targets else None
        view = self.planner.view(epoch)
        known = cache is not None and cache.knows(view)
        asked = bool(self._teachers) and not known
        inputs = self._inputs(epoch)
        if cache is not None and known:
            stored = [cache.get(view, index) for index in range(self.planner.steps)]
            inputs["soft"] = jnp.asarray(np.stack(stored))  # type: ignore[arg-type]
        states = [_state(_network(run)) for run in runs]
        given = (
            self._images, self._targets, self._soft_share, [self._weights[id(run)] for run in runs],
            [values for _, values in self._teachers] if asked else [],
        )  # fmt: skip
        key = (asked, *(id(run) for run in runs))
        if key not in self._compiled:
            networks = [_network(run) for run in runs]
            program = jax.jit(self._epoch_of(networks, asked), donate_argnums=0)
            self._compiled[key] = program.lower(states, given, inputs).compile()

        def train() -> list[tuple[float, float]]:
            after, results, soft = self._compiled[key](states, given, inputs)
            for run, state in zip(runs, after, strict=True):
                _assign(_network(run), state)
            if cache is not None and asked:
                for index, predicted in enumerate(np.asarray(soft)):
                    cache.put(view, index, predicted)
            return [(float(loss), float(accuracy)) for loss, accuracy in results]

        return train

    def _inputs(self, epoch: int) -> dict[str, Any]:
        """What every step of an epoch gets, each array [steps, batch size, ...]."""
        order = self.planner.order(epoch)
        steps = range(self.planner.steps)
        plans = [self.planner.plan(epoch, order, index) for index in steps]
        key = jax.random.fold_in(jax.random.key(self._recipe.training.seed), epoch)
        changes = {
            f.name: _float32(np.stack([getattr(plan.changes, f.name) for plan in plans]))
            for f in fields(Changes)
        }
        return {
            "rows": jnp.asarray(np.stack([plan.rows for plan in plans])),
            "mixup": jnp.asarray(np.stack([plan.mixup for plan in plans])),
            "changes": changes,
            "key": jax.random.split(key, self.planner.steps),
            "mirrored": jnp.full(self.planner.steps, self.planner.mirrored(epoch)),
        }

    def _epoch_of(self, networks: Sequence[Network], asked: bool) -> Any:
        noise = self._recipe.augmentation.noise
        rounded = self._soft_targets is not None and self._soft_targets.cache is not None

        def step(carry: Any, inputs: dict[str, Any]) -> Any:
            states, (images, targets, soft_share, weights, teachers) = carry
            rows, share = inputs["rows"], inputs["mixup"][:, None]
            faces = apply_changes(images[rows], inputs["changes"], self._size)
            faces = share[..., None] * faces + (1 - share[..., None]) * faces[::-1]
            wanted = share * targets[rows] + (1 - share) * targets[rows][::-1]
            soft = inputs.get("soft", jnp.zeros((0, self._classes)))
            if asked:
                soft = self._ask(teachers, faces[..., None])
                # As a cache will give it back, so that later epochs have the same.
                soft = as_probabilities(soft.astype(jnp.float16)) if rounded else soft
            if asked or "soft" in inputs:
                part = soft_share[rows][:, None]
                wanted += (share * part + (1 - share) * part[::-1]) * soft
            faces = jnp.where(inputs["mirrored"], faces[:, :, ::-1], faces)
            if noise:
                faces = add_noise(faces, noise, inputs["key"])
            done = []
            for network, state, every in zip(networks, states, weights, strict=True):
                own = share[:, 0] * every[rows] + (1 - share[:, 0]) * every[rows][::-1]
                done.append(_step(network.model, state, faces[..., None], wanted, own))
            carry = ([state for state, _ in done], carry[1])
            return carry, ([result for _, result in done], soft)

        def epoch(states: Any, given: Any, inputs: Any) -> Any:
            (states, _), (results, soft) = jax.lax.scan(step, (states, given), inputs)
            return states, [(loss.mean(), hits.mean()) for loss, hits in results], soft

        return epoch

    def _ask(self, values: Any, faces: jax.Array) -> jax.Array:
        """The teachers' mean prediction, float32 [N, classes]."""
        predicted = [
            model.stateless_call(trainable, fixed, at_size_of(model, faces), training=False)[0]
            for (model, _), (trainable, fixed) in zip(self._teachers, values, strict=True)
        ]
        mean: jax.Array = jnp.stack(predicted).astype(jnp.float32).mean(0)
        return mean


def _step(model: keras.Model, state: _State, faces: Any, targets: Any, weights: Any) -> Any:
    """The state after one batch; its loss, and how often the likeliest label was met."""

    def loss(trainable: Any) -> Any:
        predicted, fixed, penalties = model.stateless_call(
            trainable, state.fixed, faces, training=True, return_losses=True
        )
        cross_entropy = keras.losses.categorical_crossentropy(targets, predicted)
        value = (cross_entropy * weights).mean() + sum(penalties)
        return value, (fixed, predicted)

    (value, (fixed, predicted)), gradients = jax.value_and_grad(loss, has_aux=True)(state.trainable)
    trainable, optimizer = model.optimizer.stateless_apply(
        state.optimizer, gradients, state.trainable
    )
    hits = (predicted.argmax(1) == targets.argmax(1)).mean()
    return _State(list(trainable), list(fixed), list(optimizer)), (value, hits)


def _network(run: Run) -> Network:
    assert run.network is not None  # for mypy: only unfinished runs are fitted
    return run.network


def _values(model: keras.Model) -> tuple[list[Any], list[Any]]:
    return (
        [variable.value for variable in model.trainable_variables],
        [variable.value for variable in model.non_trainable_variables],
    )


def _state(network: Network) -> _State:
    optimizer = network.model.optimizer.variables
    return _State(*_values(network.model), [variable.value for variable in optimizer])


def _assign(network: Network, state: _State) -> None:
    """Give the Keras model what a program made of it: what follows an epoch is Keras's."""
    model = network.model
    for variables, values in (
        (model.trainable_variables, state.trainable),
        (model.non_trainable_variables, state.fixed),
        (model.optimizer.variables, state.optimizer),
    ):
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)


def _float32(values: np.ndarray) -> jax.Array:
    return jnp.asarray(values.astype(np.float32) if values.dtype == np.float64 else values)
