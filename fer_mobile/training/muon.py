"""Muon: weights move by the same length in every direction that their gradients have.

Jordan et al., "Muon: an optimizer for hidden layers in neural networks" (2024), with the step
length of Liu et al., "Muon is scalable for LLM training" (2025), at which AdamW's learning rates
and weight decay fit.  Keras's own leaves convolutions out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import keras
from keras import ops

LARGEST: Final = 512
"""Kernels with more inputs and more outputs than this get AdamW: to orthogonalise the dense layer
of `xcao_two_stream`, 6272 by 1024, takes half as long as the rest of a step on two cores."""

MOMENTUM: Final = 0.95
ITERATIONS: Final = 5
COEFFICIENTS: Final = (3.4445, -4.7750, 2.0315)
"""Of the Newton-Schulz iteration, by Jordan et al.: lengths end between 0.68 and 1.14, not at 1."""

RMS: Final = 0.2
"""Root of an update's mean square, over the learning rate: about AdamW's (Liu et al.)."""


@keras.saving.register_keras_serializable("fer_mobile")
class Muon(keras.optimizers.AdamW):  # type: ignore[misc]
    """Muon with Nesterov momentum for the kernels of convolutions and dense layers.

    A kernel [H, W, I, O] is a matrix [H·W·I, O] to it.  Very large ones, the logits' and all that
    are no kernels are changed as AdamW does.
    """

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Make the state for these variables, as Keras asks for once."""
        if self.built:
            return
        super().build(variables)
        self._directions = {
            self._index(variable): self.add_variable_from_reference(variable, name="direction")
            for variable in variables
            if _is_hidden_kernel(variable)
        }

    def _index(self, variable: Any) -> int:
        """The number of a variable that was built, also as the backend hands it to `update_step`.

        On TensorFlow that is not the object of `build`; Keras has no public name for it.
        """
        return int(self._get_variable_index(variable))

    def update_step(self, gradient: Any, variable: keras.Variable, learning_rate: Any) -> None:
        """Change one variable by its gradient, as Keras asks for at every step."""
        direction = self._directions.get(self._index(variable))
        if direction is None:
            super().update_step(gradient, variable, learning_rate)
            return
        gradient = ops.cast(gradient, variable.dtype)
        self.assign(direction, MOMENTUM * direction + gradient)
        update = orthogonal(ops.reshape(gradient + MOMENTUM * direction, (-1, variable.shape[-1])))
        length = RMS * math.sqrt(max(update.shape)) * ops.cast(learning_rate, variable.dtype)
        self.assign_sub(variable, ops.reshape(length * update, variable.shape))


def _is_hidden_kernel(variable: keras.Variable) -> bool:
    if len(variable.shape) not in (2, 4) or "logits" in variable.path:
        return False
    *inputs, outputs = variable.shape
    return bool(min(math.prod(inputs), outputs) <= LARGEST)


def orthogonal(matrix: Any) -> Any:
    """The nearest matrix whose singular values are equal, about 1, of a float32 one [M, N].

    In bfloat16, whose digits suffice for it.
    """
    tall = matrix.shape[0] > matrix.shape[1]
    # In float32 first: fewer digits have no room for the squares of small gradients.
    x = ops.cast(matrix / (ops.norm(matrix) + 1e-7), "bfloat16")
    x = ops.transpose(x) if tall else x
    a, b, c = COEFFICIENTS
    for _ in range(ITERATIONS):
        square = ops.matmul(x, ops.transpose(x))
        x = a * x + ops.matmul(b * square + c * ops.matmul(square, square), x)
    return ops.cast(ops.transpose(x) if tall else x, matrix.dtype)
