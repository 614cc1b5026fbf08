"""Opens `.keras` files, of which those with code in them are refused unopened."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from fer_mobile.errors import MissingPackageError, ModelError
from fer_mobile.quiet import quiet
from fer_mobile.zoo import ARCHITECTURES

_LARGEST_CONFIG: Final = 20_000_000
"""Bytes of config.json; a network's description is far smaller."""

_CODE: Final = ("Lambda", "__lambda__", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer")
"""Classes that run code which lies in the file, or somewhere that it names."""

_PARTS: Final = (
    "activations",
    "constraints",
    "dtype_policies",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "random",
    "regularizers",
)
"""Modules of Keras that networks are made of.  Others (`keras.utils`) have functions that act."""


def import_keras(purpose: str = "reading float weights", extra: str = "export") -> Any:
    """Keras, imported in silence.

    Raises MissingPackageError, which names `purpose` and `extra`, where it or the JAX that it is
    set to run on is not installed.
    """
    try:
        with quiet():
            import keras
    except ImportError as error:
        package = error.name or "keras"
        missing = "jax" if package == "jax" else extra
        raise MissingPackageError(purpose, package=package, extra=missing) from error
    return keras


def load_keras(path: Path) -> Any:
    """The Keras model of a ``.keras`` file.

    Raises ModelError for a file that is none, is damaged, or holds code: a Lambda layer, or a
    class that neither Keras has nor this process has registered.
    """
    keras = import_keras()
    for architecture in ARCHITECTURES.values():  # Keras must know their own layers
        architecture.load_module()
    _refuse_code(path, _read_config(path))
    try:
        with quiet():
            return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises nearly anything for a file that is not its own
        reason = str(error).strip().splitlines()
        raise ModelError(
            path, expected="a Keras 3 model file", found=reason[0] if reason else "something else"
        ) from error


def _read_config(path: Path) -> Any:
    """The description of the network in a ``.keras`` file."""
    expected = "a Keras 3 model file"
    try:
        with zipfile.ZipFile(path) as archive:
            entry = archive.getinfo("config.json")
            if entry.file_size > _LARGEST_CONFIG:
                raise ModelError(path, expected=expected, found="a description of its own size")
            return json.loads(archive.read(entry))
    except zipfile.BadZipFile as error:
        raise ModelError(path, expected=expected, found="no zip archive") from error
    # RuntimeError is an encrypted entry, RecursionError one of ten thousand brackets.
    except (KeyError, ValueError, OSError, EOFError, RuntimeError, RecursionError) as error:
        raise ModelError(path, expected=expected, found="no config.json in it") from error


def _refuse_code(path: Path, config: Any) -> None:
    for part in _objects(config):
        name, module = part["class_name"], part.get("module")
        if name in _CODE or not (_is_keras(module) or _is_registered(part.get("registered_name"))):
            raise ModelError(
                path,
                expected="a model of Keras's own layers, without code in the file",
                found=f"{name} of {module}" if name not in _CODE else f"a {name}",
                hint="Build the network in Python, load its weights there, and save it without.",
            )


def _objects(config: Any) -> Iterator[dict[str, Any]]:
    """Every part of a description that names a class or function."""
    waiting = [config]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if isinstance(part.get("class_name"), str):
                yield part
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part


def _is_keras(module: object) -> bool:
    """Whether a part's module is one that networks are made of.

    None are tensors and the like, which are data; "builtins" functions are looked up by name
    among Keras's own.
    """
    if module in (None, "builtins", "keras"):
        return True
    package, _, rest = str(module).partition(".")
    return package == "keras" and rest.removeprefix("src.").partition(".")[0] in _PARTS


def _is_registered(name: object) -> bool:
    """Whether a class was registered with Keras by code that runs here anyway."""
    return isinstance(name, str) and import_keras().saving.get_registered_object(name) is not None
