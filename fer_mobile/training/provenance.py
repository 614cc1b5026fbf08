"""Where the weights of a run come from, as data: what is not known is null."""

from __future__ import annotations

import hashlib
import platform
import zlib
from functools import reduce
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import keras

from fer_mobile import __version__
from fer_mobile.data import Dataset
from fer_mobile.models import shipped_models
from fer_mobile.training.recipe import Recipe

FORMAT: Final = "fer-mobile/provenance"
FORMAT_VERSION: Final = 1
_PACKAGES: Final = ("keras", "numpy", "opencv-python-headless")


def describe_provenance(
    recipe: Recipe, learn: Dataset, valid: Dataset, backend: str
) -> dict[str, Any]:
    """The content of a run folder's provenance.json."""
    framework = keras.backend.backend()
    packages = (*_PACKAGES, framework, f"{framework}-cpu")
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "recipe": recipe.name,
        "seed": recipe.training.seed,
        "data": {"train": _rows(learn), "valid": _rows(valid)},
        "start": None if recipe.model.start is None else describe_weights(recipe.model.start),
        "teachers": [describe_weights(name) for name in recipe.distillation.teachers],
        "teacher_cache": _file(Path(recipe.distillation.cache)),
        "backend": backend,
        "framework": framework,
        "packages": {
            "fer-mobile": __version__,
            "python": platform.python_version(),
            **{name: version for name in packages if (version := _version(name))},
        },
    }


def describe_weights(name: str) -> dict[str, Any]:
    """The weights that a recipe names, with the checksum of their file."""
    shipped, path = shipped_models().get(name), Path(name)
    file = shipped.checkpoint if shipped else path / "best.keras" if path.is_dir() else path
    return {"name": name, "sha256": (_file(file) or {}).get("sha256")}


def _rows(dataset: Dataset) -> dict[str, Any]:
    return {
        "protocol": dataset.protocol,
        "split": dataset.split,
        "rows": len(dataset),
        "faces_crc32": reduce(lambda sum_, face: zlib.crc32(face, sum_), dataset.images, 0),
        "targets_crc32": zlib.crc32(dataset.targets.tobytes()),
    }


def _file(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    return {"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
