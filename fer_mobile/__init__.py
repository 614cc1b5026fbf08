"""fer-mobile: trains, exports, verifies and times small facial-expression models for Android."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fer_mobile.convert import export as export
    from fer_mobile.evaluation import evaluate as evaluate
    from fer_mobile.pipeline import load_pipeline as load_pipeline

__version__ = "0.1.0"
__all__ = ["__version__", "evaluate", "export", "load_pipeline"]

_HOME = {
    "load_pipeline": "fer_mobile.pipeline",
    "export": "fer_mobile.convert",
    "evaluate": "fer_mobile.evaluation",
}


def __getattr__(name: str) -> Any:
    """Import a verb when it is first used, so that `import fer_mobile` stays instant."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOME[name]), name)
