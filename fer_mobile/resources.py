"""Where the files that ship with the package lie, in a wheel and in a checkout alike."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _folder(packed: str, in_checkout: str) -> Path:
    folder = _PACKAGE / packed
    return folder if folder.is_dir() else _PACKAGE.parent / in_checkout


def models_dir() -> Path:
    """The folder of shipped models: `models/` of a checkout, or its copy in a wheel."""
    return _folder("_models", "models")


def recipes_dir() -> Path:
    """The folder of shipped training recipes."""
    return _PACKAGE / "recipes"


def photos_dir(name: str = "affective-25") -> Path:
    """The folder of a bundled photo set."""
    return _PACKAGE / "photos" / name


def snippets_dir() -> Path:
    """The folder of code to copy into apps."""
    return _PACKAGE / "snippets"
