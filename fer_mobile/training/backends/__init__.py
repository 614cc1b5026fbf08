"""Backends: what fits the networks of one or several recipes.

The same recipe gives the same learning rates, targets, weights and augmentation on each.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

from fer_mobile.errors import InputError, nearest
from fer_mobile.training.recipe import Recipe

if TYPE_CHECKING:
    from fer_mobile.training.distillation import SoftTargets
    from fer_mobile.training.parallel import Parallel
    from fer_mobile.training.run import Run

BackendName = Literal["keras", "device"]
"""keras: `keras.Model.fit`, batches made on the processor.  device: on JAX, an epoch is one
program that makes its batches itself and trains several recipes side by side."""


class Backend(Protocol):
    """Fits networks, and reports to their runs."""

    def check(self, recipes: Sequence[Recipe]) -> None:
        """Raise RecipeError for a key that this backend cannot honour, before anything is read or
        written; InputError where it cannot work at all."""

    def scope(self, rows: int) -> AbstractContextManager[Any]:
        """Where networks are built and fitted, with batches of so many rows."""

    def fit(self, runs: Sequence[Run], soft_targets: SoftTargets | None, throughput: bool) -> None:
        """Train the compiled networks of unfinished runs to their end; with `throughput`, report
        the speed."""


def load_backend(name: str, parallel: Parallel | None = None) -> Backend:
    """The backend of a name; InputError for an unknown one and for what it cannot do."""
    if name == "keras":
        from fer_mobile.training.backends.keras import KerasBackend

        return KerasBackend(parallel)
    if name == "device":
        if parallel is not None:
            raise InputError(
                "parallel",
                expected="none with `backend='device'`, which trains on one device",
                found=repr(parallel),
            )
        from fer_mobile.training.backends.device import DeviceBackend

        return DeviceBackend()
    known = get_args(BackendName)
    raise InputError(
        "backend", expected=" or ".join(known), found=repr(name), hint=nearest(name, known)
    )
