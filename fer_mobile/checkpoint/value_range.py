"""The values that a network of somebody else expects of its input."""

from __future__ import annotations

from typing import Any, Final

_SMALL: Final = 4.0
"""A network's own values after its `Rescaling`: 255 times its scale is less for pixels of 0 to
255 (1 for 1/255, 2 for 1/127.5), and far more for values of 0 to 1."""


def take_unit_values(model: Any) -> None:
    """Let a Keras model take values of 0 to 1, where its first layer says that it takes 0 to 255.

    Many networks begin with ``Rescaling(1 / 255)`` or ``Rescaling(1 / 127.5, -1)``.  A network
    without such a layer says nothing, and is taken to expect 0 to 1.
    """
    for layer in [one for one in model.layers if type(one).__name__ != "InputLayer"][:1]:
        if type(layer).__name__ == "Rescaling" and 255 * abs(float(layer.scale)) <= _SMALL:
            layer.scale = 255 * layer.scale
