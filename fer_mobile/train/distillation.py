"""Learning from teachers: their answers for the very faces the student sees, beside the votes.

Teachers judge each augmented (and mixed) batch as the student gets it, so that the student
learns their function, not a table (Beyer et al., 2022).  They are not part of the student:
neither its weights nor its files hold them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
from keras import ops

from fer_mobile.errors import RecipeError
from fer_mobile.network.source import load_source

Teach = Callable[[Any], Any]
"""From faces [N, S, S, 1] to probabilities [N, C]."""


class Student(keras.Model):  # type: ignore[misc]
    """A functional model whose targets are partly its teachers' answers."""

    teach: Teach
    share: float
    """Of the teachers in the target."""

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """The compiled loss against (1 - share) · votes + share · teachers."""
        taught = ops.stop_gradient(self.teach(x))
        y = (1 - self.share) * ops.cast(y, taught.dtype) + self.share * taught
        return super().compute_loss(x, y, y_pred, sample_weight, training)


def student(model: keras.Model, teachers: Sequence[str | Path], share: float) -> Student:
    """A model over the same layers that learns from `teachers` (as for `load_source`).

    A teacher with another input size sees the faces enlarged or shrunk.  Raises ModelError
    for one that cannot be read, RecipeError for one with other labels.
    """
    classes = int(model.output_shape[-1])
    found = Student(inputs=model.inputs, outputs=model.outputs, name=model.name)
    found.teach = mean_answer([_teacher(name, classes) for name in teachers])
    found.share = share
    return found


def mean_answer(teachers: Sequence[keras.Model]) -> Teach:
    """What the teachers say on average."""

    def teach(faces: Any) -> Any:
        answers = [teacher(_at(faces, teacher), training=False) for teacher in teachers]
        return sum(answers[1:], answers[0]) / len(answers)

    return teach


def _at(faces: Any, teacher: keras.Model) -> Any:
    size = int(teacher.input_shape[1])
    return faces if faces.shape[1] == size else ops.image.resize(faces, (size, size))


def _teacher(name: str | Path, classes: int) -> keras.Model:
    source = load_source(name)
    if len(source.labels) != classes:
        raise RecipeError(
            "distillation.teachers",
            expected=f"models of {classes} labels",
            found=f"{name} with {len(source.labels)}",
        )
    return source.model
