"""Batch normalisation of a training step in one operation, where the backend has one.

Keras composes it of a dozen operations in float32, whatever the precision of the training.  On
processors TensorFlow's fused kernel passes over the maps far less often.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import keras


def fuse_normalisation(model: keras.Model) -> int:
    """Have the model's batch normalisations of maps train by TensorFlow's fused kernel.

    Only what a layer computes in training is replaced, and only in this object: a saved file
    holds Keras's own layers.  Apart from rounding only the moving variance differs from Keras's: it
    is the unbiased one (over N - 1 instead of N).  Returns how many layers were changed:
    none on another backend than TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        return 0
    layers = [layer for layer in model.layers if _is_of_maps(layer)]
    for layer in layers:
        layer.call = partial(_call, layer)
    return len(layers)


def _is_of_maps(layer: keras.Layer) -> bool:
    if not isinstance(layer, keras.layers.BatchNormalization):
        return False
    plain = layer.center and layer.scale and not layer.renorm and not layer.synchronized
    return plain and len(layer.output.shape) == 4 and layer.axis in (-1, 3)


def _call(
    layer: keras.layers.BatchNormalization,
    inputs: Any,
    training: bool | None = None,
    mask: Any = None,
) -> Any:
    if not (training and layer.trainable) or mask is not None:
        return type(layer).call(layer, inputs, training=training, mask=mask)
    import tensorflow as tf

    outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
        inputs, layer.gamma.value, layer.beta.value, epsilon=layer.epsilon, is_training=True
    )
    for moving, new in ((layer.moving_mean, mean), (layer.moving_variance, variance)):
        moving.assign(layer.momentum * moving + (1 - layer.momentum) * new)
    return outputs
