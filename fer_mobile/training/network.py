"""The network of a run: built as its recipe says, with what is kept of it and how."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from fer_mobile import zoo
from fer_mobile.checkpoint import RunFolder, load_checkpoint
from fer_mobile.data import Dataset
from fer_mobile.errors import ModelError, RecipeError
from fer_mobile.files import replace_file
from fer_mobile.metrics import Scores
from fer_mobile.predictor import predict_faces
from fer_mobile.training.fused import fuse_normalisation
from fer_mobile.training.optimizer import make_optimizer
from fer_mobile.training.parallel import replicated
from fer_mobile.training.quantize_aware import FineTuning, fine_tuning
from fer_mobile.training.recipe import Recipe


class Network:
    """A Keras model in training."""

    def __init__(self, recipe: Recipe, classes: int, *, parameter_cap: bool = True) -> None:
        """Build it with fresh weights, in the recipe's precision.

        Raises ModelError for an unknown architecture or, with `parameter_cap`, one of too many
        parameters; RecipeError for options that it refuses.
        """
        self.recipe, self.classes = recipe, classes
        with precision(recipe.training.precision):
            fresh = build(recipe, classes)
            zoo.check_cap(fresh, lifted=not parameter_cap)
            self.fine_tuning: FineTuning | None = None
            if recipe.quantization.aware:
                self.fine_tuning = fine_tuning(recipe, fresh)
        self.model: keras.Model = self.fine_tuning.model if self.fine_tuning else fresh

    @property
    def size(self) -> int:
        """Height and width of the input in pixels."""
        return int(self.model.input_shape[1])

    def compile(self, steps_per_epoch: int) -> None:
        """Make it ready for a training of so many steps an epoch."""
        fuse_normalisation(self.model)
        self.model.compile(
            make_optimizer(self.recipe, steps_per_epoch),
            "categorical_crossentropy",
            # As an object: of a name Keras makes variables in the first step, and traces it twice.
            metrics=[keras.metrics.CategoricalAccuracy("accuracy")],
            auto_scale_loss=False,
        )
        self.model.optimizer.build(self.model.trainable_variables)

    def save_checkpoint(self, path: Path) -> None:
        """Write weights and optimizer."""
        replace_file(path, self.model.save)

    def load_checkpoint(self, path: Path) -> None:
        """Take up the weights and the optimizer's state that `save_checkpoint` wrote.

        Raises ModelError for a file that is damaged, or of another network.
        """
        try:
            with warnings.catch_warnings(action="ignore"):  # which Keras gives before it fails
                self.model.load_weights(path)
        except Exception as error:  # Keras raises nearly anything for a file that is not its own
            reason = str(error).strip().splitlines()
            raise ModelError(
                path,
                expected="weights and optimizer as this run keeps them after an epoch",
                found=f"others, or a damaged file ({reason[0] if reason else 'unreadable'})",
                hint="Restore it from a copy, or train again into another folder.",
            ) from error

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """With the weights that are kept: the averages, where the recipe has some."""
        if not self.recipe.optimizer.ema:
            yield
            return
        weights = copies(self.model)
        self.model.optimizer.finalize_variable_values(self.model.trainable_variables)
        # On JAX each average now shares a weight's buffer, which `predict` would give up.
        self.model.set_weights(copies(self.model))
        try:
            yield
        finally:
            self.model.set_weights(weights)

    def predict(self, dataset: Dataset) -> NDArray[np.float32]:
        """Probabilities float32 [N, classes] for a dataset's faces, by the present weights."""
        return predict(self.model, dataset, self.recipe)

    def write_best(self, folder: RunFolder, valid: Dataset, scores: Scores) -> None:
        """Keep the present weights, in float32 whatever trained them, and their figures."""
        with precision("float32"):
            plain = build(self.recipe, self.classes)
        if self.fine_tuning:
            self.fine_tuning.unfold(self.model, plain)
        else:
            plain.set_weights(self.model.get_weights())
        folder.write_best(plain.save)
        folder.write_scores(valid.protocol, valid.split, scores)
        if self.fine_tuning:
            self.fine_tuning.write_ranges(self.model, plain, folder.path)


def predict(model: keras.Model, dataset: Dataset, recipe: Recipe) -> NDArray[np.float32]:
    """Probabilities float32 [N, classes] of a model for a dataset's faces, prepared as the recipe
    says."""
    with replicated():
        return predict_faces(model, dataset.images, recipe.data.preprocessing)


def build(recipe: Recipe, classes: int) -> keras.Model:
    """The recipe's architecture with fresh weights.

    Raises ModelError for an unknown architecture or option, RecipeError for values that it refuses.
    """
    architecture = zoo.find(recipe.model.architecture)
    architecture.check_options(recipe.model.options)
    try:
        return architecture.build(classes=classes, **recipe.model.options)
    except (TypeError, ValueError, IndexError) as error:
        raise RecipeError(
            "model.options",
            expected=f"arguments of {recipe.model.architecture}",
            found=str(error),
        ) from error


def start_from(start: str, model: keras.Model, labels: Sequence[str] = ()) -> str:
    """Give a fresh model the weights of another one where they fit; returns how many did.

    The last layer with weights begins anew where the other model's labels are not `labels`.
    Raises ModelError where there is no such model, RecipeError where nothing fits.
    """
    checkpoint = load_checkpoint(start, value_range="0..1")  # as every architecture here takes
    theirs = {layer.name: layer.get_weights() for layer in checkpoint.model.layers}
    own = [layer for layer in model.layers if layer.weights]
    other_labels = checkpoint.labels and labels and checkpoint.labels != tuple(labels)
    fitting = [
        layer
        for layer in (own[:-1] if other_labels else own)
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
    return f"{len(fitting)} of {len(own)} layers start from the weights of {start}"


@contextmanager
def precision(name: str) -> Iterator[None]:
    """Where layers that are made compute in a precision, as Keras names its policies."""
    policy = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.mixed_precision.set_dtype_policy(policy)


def copies(model: keras.Model) -> list[NDArray[np.float32]]:
    """A model's weights in memory of their own."""
    return [np.array(weight) for weight in model.get_weights()]
