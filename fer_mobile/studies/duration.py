"""How long a suite will take, before it starts: its multiplications over what this machine does."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from fer_mobile.checkpoint import import_keras
from fer_mobile.environment import usable_cores
from fer_mobile.errors import FerMobileError
from fer_mobile.studies.attempt import Attempt
from fer_mobile.training.split import training_rows
from fer_mobile.zoo import ARCHITECTURES

if TYPE_CHECKING:
    import keras

_FORWARD_AND_BACK: Final = 3
"""A training step multiplies about as often as three predictions."""
_EFFICIENCY: Final = 0.5
"""Of the rate of large matrices that training reaches, roughly."""
_SPREAD: Final = 2.0
"""By how much the estimate may be wrong either way.  X.Cao with two streams, the thesis's baseline,
InceptionV3 and MobileNet, at 112 px on two cores, trained at 45 to 88 billion multiply-accumulates
a second, where large matrices go at about 100."""
_SIDE: Final = 1024


def estimate_duration(attempts: Sequence[Attempt]) -> str:
    """A line such as "about 0.5 to 2 h for 7 runs one after another on this processor".

    A run that stops early takes less; one whose network cannot be built here is not counted.
    """
    seconds = sum(map(multiplications, attempts)) / (_EFFICIENCY * _measure_rate())
    least, most = (_show(seconds * factor) for factor in (1 / _SPREAD, _SPREAD))
    span = most if least == most else f"{least} to {most}"
    return f"about {span} on this processor, if no run stops early"


def multiplications(attempt: Attempt) -> float:
    """Multiply-accumulates of a whole training; 0 for a network that cannot be built."""
    recipe = attempt.recipe
    faces, _ = training_rows(recipe, attempt.data)
    options = {key: value for key, value in recipe.model.options.items() if key != "weights"}
    try:
        model = ARCHITECTURES.find(recipe.model.architecture).build(
            classes=len(faces.names), **options
        )
    except (FerMobileError, ValueError, TypeError):  # its row will say why
        return 0
    count = sum(map(_of_layer, _layers(model)))
    import_keras().utils.clear_session()
    return float(_FORWARD_AND_BACK * count * len(faces) * recipe.training.epochs)


def _layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _layers(layer)
        else:
            yield layer


def _of_layer(layer: keras.layers.Layer) -> int:
    """Multiply-accumulates of a convolution or dense layer for one face; others hardly count."""
    kernel = getattr(layer, "kernel", None)
    if kernel is None:
        return 0
    places = math.prod(layer.output.shape[1:-1])
    return int(places * math.prod(kernel.shape))


def _measure_rate() -> float:
    """Multiply-accumulates of large float32 matrices that this machine does in a second.

    Counted in processor time, times the cores: other programs may keep them busy just now.
    """
    matrix = np.ones((_SIDE, _SIDE), np.float32)
    times = []
    for _ in range(4):
        started = time.process_time()
        matrix @ matrix
        times.append(time.process_time() - started)
    return float(_SIDE**3 / min(times)) * (usable_cores() or 1)


def _show(seconds: float) -> str:
    if seconds < 5400:
        return f"{max(1, round(seconds / 60))} min"
    return f"{seconds / 3600:.1f} h"
