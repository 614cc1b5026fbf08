"""Which parts of a face a prediction rests on: occlusion for any model, gradients for Keras.

Both give a map float32 [S, S] with one value a pixel; its unit is that of the method.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

import numpy as np
from numpy.typing import NDArray

from fer_mobile.arrays import Pixels
from fer_mobile.errors import InputError
from fer_mobile.predictor import Predictor
from fer_mobile.preprocess import normalise
from fer_mobile.types import ExplainMethod

if TYPE_CHECKING:
    import keras

METHODS: Final[tuple[ExplainMethod, ...]] = get_args(ExplainMethod)

Saliency = NDArray[np.float32]
"""A map [S, S] with a value for each pixel."""

_PATCH: Final = 3
"""The side of a face over that of the patch, which hides a mouth or both eyes whole."""
_STEPS: Final = 6
"""Places of the patch over its own side."""
_SAMPLES: Final = 32
_NOISE: Final = 0.1
"""Standard deviation over the range of pixels, within the 10 to 20% that the paper advises."""


def occlusion(predictor: Predictor, face: Pixels, label: int) -> Saliency:
    """How far the log-odds of `label` fall where a patch hides a part of the face.

    `face` is uint8 [S, S] as `Predictor.prepare` gives it.  A square of a third of the side, of
    the face's mean gray, is laid over one place after another; a pixel's value is the mean
    fall, in nats, over the patches that hide it (Zeiler and Fergus, 2014, section 4.2, with
    log-odds for probabilities, which hardly move near 1).
    """
    size = len(face)
    patch = max(2, size // _PATCH)
    # Places reach over the border, so that pixels there are hidden as often as others.
    starts = np.arange(1 - patch, size, max(1, patch // _STEPS))
    places = [(top, left) for top in starts for left in starts]
    hidden = np.repeat(face[None], len(places) + 1, 0)
    gray = round(float(face.mean()))
    for image, (top, left) in zip(hidden[1:], places, strict=True):
        image[max(top, 0) : top + patch, max(left, 0) : left + patch] = gray
    odds = _log_odds(predictor.classify(hidden)[:, label].astype(np.float64))
    losses = odds[0] - odds[1:]
    total, count = np.zeros((2, size, size), np.float32)
    for loss, (top, left) in zip(losses, places, strict=True):
        rows, columns = slice(max(top, 0), top + patch), slice(max(left, 0), left + patch)
        total[rows, columns] += loss
        count[rows, columns] += 1
    saliency: Saliency = total / count
    return saliency


def _log_odds(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-odds of probabilities, 0 and 1 taken as half of the smallest step off them seen.

    That step is 1/256 for an int8 output, and what rounding leaves for a float one.
    """
    steps = np.concatenate([probabilities, 1 - probabilities])
    least = steps[steps > 0].min() / 2
    clipped = np.clip(probabilities, least, 1 - least)
    odds: NDArray[np.float64] = np.log(clipped / (1 - clipped))
    return odds


def gradient(predictor: Predictor, face: Pixels, label: int) -> Saliency:
    """How strongly the log probability of `label` follows each pixel.

    The mean magnitude of the gradient over noisy copies of the face (SmoothGrad, Smilkov et
    al., 2017), scaled to 0 to 1.  Raises InputError for a model without float weights or
    under another Keras backend than TensorFlow.
    """
    if predictor.network is None:
        raise InputError(
            "method",
            expected="a model with float weights (a shipped name, .keras, run folder)",
            found="an exported file",
            hint="Use `method='occlusion'`.",
        )
    noise = np.random.default_rng(0).standard_normal((_SAMPLES, *face.shape), np.float32)
    noisy = normalise(face)[None] + _NOISE * noise
    slopes = _gradients(predictor.network, noisy[..., None], label)[..., 0]
    saliency: Saliency = np.abs(slopes).mean(0)
    saliency /= max(float(saliency.max()), 1e-12)
    return saliency


def _gradients(network: keras.Model, images: np.ndarray, label: int) -> np.ndarray:
    import keras

    if keras.backend.backend() != "tensorflow":
        raise InputError(
            "method",
            expected="the Keras backend tensorflow",
            found=keras.backend.backend(),
            hint="Unset KERAS_BACKEND, or use `method='occlusion'`.",
        )
    import tensorflow as tf

    with tf.GradientTape() as tape:
        inputs = tf.convert_to_tensor(images)
        tape.watch(inputs)
        probabilities = network(inputs, training=False)
        logs = tf.math.log(tf.maximum(probabilities[:, label], 1e-7))
    return np.asarray(tape.gradient(logs, inputs))
