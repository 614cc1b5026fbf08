"""The machine, its software and this process's memory, as a result file states them."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Final

from typing_extensions import TypedDict

from fer_mobile import __version__
from fer_mobile.runtime.interpreter import runtime_name

_PACKAGES: Final = ("numpy", "pillow", "opencv-python-headless")
_VECTORS: Final = (
    "avx", "avx2", "fma", "avx_vnni", "avx512f", "avx512_vnni", "amx_int8",
    "asimd", "asimddp", "i8mm", "sve",
)  # fmt: skip
"""Instruction sets that a network's time depends on, as Linux names them."""
_GOVERNOR: Final = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")


class HardwareFacts(TypedDict):
    """The machine; None for what the platform does not tell."""

    cpu: str | None
    """Model of the processor."""
    machine: str
    """Instruction set, such as x86_64."""
    vectors: str | None
    """Vector instruction sets that networks use, separated by spaces."""
    cores: int | None
    cores_usable: int | None
    memory_mb: int | None
    governor: str | None
    """Of the processor's clock."""


class SoftwareFacts(TypedDict):
    """What runs on the machine; None for a package that is not installed."""

    os: str
    kernel: str
    python: str
    fer_mobile: str
    runtime: str
    """TensorFlow Lite package and version."""
    packages: dict[str, str | None]


def describe_hardware() -> HardwareFacts:
    """CPU model, vector instructions, cores, memory and governor of this machine."""
    features = _field("/proc/cpuinfo", "flags") or _field("/proc/cpuinfo", "Features")
    return {
        "cpu": _field("/proc/cpuinfo", "model name") or platform.processor() or None,
        "machine": platform.machine(),
        "vectors": None if features is None else _vectors(features),
        "cores": os.cpu_count(),
        "cores_usable": usable_cores(),
        "memory_mb": _memory_mb(),
        "governor": _governor(),
    }


def describe_software() -> SoftwareFacts:
    """Versions of the operating system, Python, the TFLite runtime and the image libraries."""
    return {
        "os": _os_name(),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "fer_mobile": __version__,
        "runtime": runtime_name(),
        "packages": {name: _version(name) for name in _PACKAGES},
    }


def peak_memory_mb() -> float | None:
    """Largest resident memory of this process so far in MB (10**6 bytes); None if unknown.

    On Linux from /proc: there, getrusage also counts the program that started this one.
    """
    peak = _field("/proc/self/status", "VmHWM")
    if peak is not None:
        return round(int(peak.removesuffix(" kB")) * 1024 / 1e6, 1)
    try:
        import resource
    except ImportError:  # Windows has none
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, 1)


def _field(file: str, name: str) -> str | None:
    """The first value of `name` in a "name: value" file of /proc."""
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return None


def _vectors(features: str) -> str:
    return " ".join(name for name in _VECTORS if name in features.split())


def usable_cores() -> int | None:
    """The cores that this process may use; None where the system does not say."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def _memory_mb() -> int | None:
    total = _field("/proc/meminfo", "MemTotal")
    return None if total is None else int(total.removesuffix(" kB")) * 1024 // 10**6


def _governor() -> str | None:
    try:
        return _GOVERNOR.read_text(encoding="utf-8").strip()
    except OSError:
        return None


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.platform(terse=True)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
