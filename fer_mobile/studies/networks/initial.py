"""Start weights that study 004 cites against vanishing gradients (Yilmaz and Poli, 2022)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import keras


@keras.saving.register_keras_serializable("fer_mobile")
class YilmazPoli(keras.initializers.Initializer):  # type: ignore[misc]
    """Normal weights around max(-1, -8 / n), n the neurons of the layer.

    The study prints the mean only; the spread is Glorot's, sqrt(2 / (inputs + outputs)).
    """

    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed
        self._random = keras.random.SeedGenerator(seed)

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """Weights of a dense layer, [inputs, n]."""
        inputs, neurons = shape
        spread = (2 / (inputs + neurons)) ** 0.5
        return keras.random.normal(
            shape, max(-1.0, -8 / neurons), spread, dtype=dtype, seed=self._random
        )

    def get_config(self) -> dict[str, Any]:
        """What Keras stores of it."""
        return {"seed": self.seed}


INITIAL: Final[dict[str, Callable[[], Any]]] = {
    "glorot": keras.initializers.GlorotUniform,
    "yilmaz-poli": YilmazPoli,
}
"""Start weights of a dense layer by name."""
