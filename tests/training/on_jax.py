"""What test_backends.py has done by Keras on JAX, in a process of its own; prints JSON."""

import contextlib
import json
import sys
from dataclasses import asdict, astuple
from pathlib import Path

import numpy as np

from fer_mobile.checkpoint import RunFolder
from fer_mobile.data.augmentation import Augmentation, apply_changes, draw_changes
from fer_mobile.errors import FerMobileError
from fer_mobile.golden import golden_faces
from fer_mobile.training import Callback, load_recipe, train_side_by_side
from fer_mobile.training.batches import BatchPlanner, LearnedRows
from fer_mobile.training.optimizer import make_optimizer
from fer_mobile.training.recipe import override
from fer_mobile.training.split import training_rows


def numbers(recipe, data):
    """What decides a training, as plain values; the tests ask for it on TensorFlow."""
    learn, _ = training_rows(recipe, data)
    planner = BatchPlanner(recipe, len(learn), 24)
    optimizer, rates = make_optimizer(recipe, planner.steps), []
    for step in range(3 * planner.steps):
        optimizer.iterations.assign(step)
        rates.append(float(optimizer.learning_rate))
    plan = planner.plan(2, planner.order(2), 3)
    rows = LearnedRows.of(recipe, learn)
    return {
        "rates": rates,
        "weights": rows.weights.tolist(),
        "targets": rows.targets.tolist(),
        "mixup": plan.mixup.tolist(),
        "rows": plan.rows.tolist(),
        "changes": [np.asarray(each).tolist() for each in astuple(plan.changes)],
    }


class Leave(Callback):
    """Leaves where a second epoch begins, as a killed process does."""

    def on_epoch_begin(self, run):
        if run.epochs_done:
            raise KeyboardInterrupt


def refusals(one, train):
    """What is refused, by what is changed of a recipe."""
    messages = {}
    for name, recipes in {
        "augmix": [override(one, ["augmix=3"])],
        "epochs": [one, override(one, ["epochs=4"])],
        "size": [one, override(one, ["model.options.size=48"])],
        "weight": [one, override(one, ["distillation.weight=0.1"])],
    }.items():
        try:
            train(recipes, [f"refused/{i}" for i in range(len(recipes))])
        except FerMobileError as error:
            messages[name] = str(error)
    return messages


def drawing_errors():
    """How far faces drawn in JAX are from OpenCV's, in the mean of each."""
    import jax

    from fer_mobile.training.backends import device_augmentation

    faces = golden_faces(48)[:32]
    options = Augmentation(
        rotation=20,
        scale=0.2,
        shift=0.1,
        brightness=0.1,
        contrast=0.3,
        blur=0.5,
        erase=0.5,
        stretch=0.3,
        dark=0.3,
        cover=0.3,
    )
    changes = draw_changes(len(faces), 56, options, np.random.default_rng(1))
    drawn = jax.jit(device_augmentation.apply_changes, static_argnums=2)(faces, asdict(changes), 56)
    return np.abs(drawn - apply_changes(faces, 56, changes)).mean((1, 2)).tolist()


def main(data):
    """Train in the folder of the tests."""
    one, other = (load_recipe(f"{name}.toml") for name in ("one", "other"))
    lines = []

    def train(recipes, out, **options):
        return train_side_by_side(
            recipes, out, data=data, finish=False, report=lines.append, **options
        )

    train([one, other], ["device/one", "device/other"])
    asked = [line for line in lines if line.startswith("teachers together")]
    # A run that Keras began on TensorFlow goes on beside one that begins.
    train([one, other], ["mixed/one", "mixed/other"], resume=True)
    # One that is stopped after its first epoch has a rest while the other goes on.
    with contextlib.suppress(KeyboardInterrupt):
        stopping = override(other, ["stop_accuracy=0.01"])
        train([one, stopping], ["left/one", "stopped"], callbacks=[Leave()])
    stopped = RunFolder(Path("stopped")).read_state()
    return {
        "asked": len(asked),
        "stopped": [stopped.epochs_done, stopped.stopped],
        "refused": refusals(one, train),
        "numbers": [numbers(recipe, data) for recipe in (one, other)],
        "drawing_errors": drawing_errors(),
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
