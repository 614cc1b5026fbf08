"""Names of version 0.1, which work for one version more, with a DeprecationWarning.

All of it goes with version 0.3; `errors` has what remains of the old `todo`.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Final, cast

_MODULES: Final = {
    "fer_mobile.bench.hardware": "fer_mobile.environment",
    "fer_mobile.experiments": "fer_mobile.studies",
    "fer_mobile.network": "fer_mobile.graph",
    "fer_mobile.network.fold_affine": "fer_mobile.graph.fold_batch_norm",
    "fer_mobile.network.graph": "fer_mobile.graph.ir",
    "fer_mobile.network.repeated_channels": "fer_mobile.graph.merge_repeated_channels",
    "fer_mobile.network.rewrites": "fer_mobile.graph.passes",
    "fer_mobile.network.source": "fer_mobile.checkpoint",
    "fer_mobile.train": "fer_mobile.training",
}
"""Modules that moved, with those below them."""

_NAMES: Final = {
    "Source": "Checkpoint",
    "complete": "propagate_ranges",
    "fold_affine": "fold_batch_norm",
    "load_source": "load_checkpoint",
    "repeated_channels": "merge_repeated_channels",
}
"""What got another name when its module moved."""


def warn(old: str, new: str, *, stacklevel: int = 2) -> None:
    """Warn that `old` is now `new`; `stacklevel` as for `warnings.warn`, from the caller's view."""
    warnings.warn(
        f"{old} is now {new}; the old name goes with the next version.",
        DeprecationWarning,
        stacklevel=stacklevel + 1,
    )


def renamed(module: str, **names: str) -> Callable[[str], object]:
    """A `__getattr__` for `module`, by which its old names give what they are called now."""

    def get(name: str) -> object:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        warn(f"{module}.{name}", names[name])
        return getattr(sys.modules[module], names[name])

    return get


class OldModules:
    """Finds and loads the modules of `_MODULES` where they are now.

    (Without the base classes of `importlib.abc`, whose import takes a tenth of `--help`'s time.)
    """

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(name, cast(Any, self), is_package=True) if _new_module(name) else None

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave it to Python."""

    def exec_module(self, module: ModuleType) -> None:
        new = importlib.import_module(_new_module(module.__name__))
        warn(module.__name__, new.__name__)

        def get(name: str) -> object:
            return getattr(new, _NAMES.get(name, name))

        module.__doc__ = new.__doc__
        vars(module)["__getattr__"] = get


def _new_module(name: str) -> str:
    """Where the module called `name` is now; an empty text for one that did not move."""
    new: str | None = _MODULES.get(name)
    if new is not None:
        return new
    parent, _, rest = name.rpartition(".")
    moved = _new_module(parent) if parent else ""
    return f"{moved}.{rest}" if moved else ""
