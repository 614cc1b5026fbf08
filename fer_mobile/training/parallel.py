"""Training over all devices of a machine: every batch, or every weight, is split among them.

Keras does it through JAX (`keras.distribution`).  A training step is one program over all
devices, so what is taken of a batch, the statistics of batch normalisation among it, is of
the whole batch wherever its rows are.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Literal, get_args

import keras

from fer_mobile.errors import InputError, RecipeError, nearest

Parallel = Literal["data", "model"]


def distributed(mode: Parallel | None, rows: int) -> AbstractContextManager[Any]:
    """Where models are built and trained over all devices, with batches of so many `rows`.

    `mode` "data" gives each device the weights and a share of the rows; "model" gives each
    the rows and a share of the weights, by their last axis where that can be split; with None
    there is nothing to split.  Raises InputError for an unknown mode, a Keras backend that is
    not JAX or a single device, RecipeError for rows that cannot be split.
    """
    if mode is None:
        return nullcontext()
    devices = _devices(mode)
    if mode == "data" and rows % len(devices):
        raise RecipeError(
            "training.batch_size",
            expected=f"a multiple of {len(devices)} devices",
            found=f"batches of {rows} faces",
        )
    make = {"data": keras.distribution.DataParallel, "model": _ModelParallel}[mode]
    scope: AbstractContextManager[Any] = make(devices=devices).scope()
    return scope


@contextmanager
def replicated() -> Iterator[None]:
    """Within `distributed`: every device does all of the work, on batches of any size."""
    current = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(current)


def _devices(mode: str) -> list[str]:
    modes = get_args(Parallel)
    if mode not in modes:
        raise InputError(
            "parallel", expected=" or ".join(modes), found=repr(mode), hint=nearest(mode, modes)
        )
    require_jax(f"`parallel={mode!r}`")
    devices: list[str] = keras.distribution.list_devices()
    if len(devices) < 2:
        raise InputError(
            "parallel",
            expected="several devices",
            found=f"one ({devices[0]})",
            hint="XLA_FLAGS=--xla_force_host_platform_device_count=2 makes two of a processor.",
        )
    return devices


def require_jax(subject: str) -> None:
    """Raise InputError, about `subject`, unless Keras runs on JAX."""
    if keras.backend.backend() != "jax":
        raise InputError(
            subject,
            expected="Keras on JAX",
            found=f"Keras on {keras.backend.backend()}",
            hint="Install it with: pip install 'fer-mobile[jax]', and set KERAS_BACKEND=jax.",
        )


class _ModelParallel(keras.distribution.ModelParallel):  # type: ignore[misc]
    """Splits kernels, and with them the optimizer's state, by the units or filters they make."""

    def __init__(self, devices: list[str]) -> None:
        mesh = keras.distribution.DeviceMesh((1, len(devices)), ("batch", "model"), devices)
        super().__init__(layout_map=keras.distribution.LayoutMap(mesh), batch_dim_name="batch")
        self._count = len(devices)

    def get_variable_layout(self, variable: Any) -> Any:
        shape = variable.shape
        axes: list[str | None] = [None] * len(shape)
        if len(shape) > 1 and shape[-1] % self._count == 0:
            axes[-1] = "model"
        return keras.distribution.TensorLayout(axes, self.device_mesh)
