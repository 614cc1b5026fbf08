"""A classifier on a GPU: LiteRT's own accelerator, with a software Vulkan where there is no GPU.

The accelerator is native code that a bad driver can end: it runs in a process of its own.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from fer_mobile.arrays import Pixels, Probabilities
from fer_mobile.errors import InputError
from fer_mobile.runtime.classifier import Classifier

DRIVER: Final = "VK_ICD_FILENAMES"
"""The variable by which Vulkan's loader is told its driver."""

SWIFTSHADER: Final = (
    "/usr/lib/chromium/vk_swiftshader_icd.json",
    "/opt/google/chrome/vk_swiftshader_icd.json",
)
"""Where packages put the manifest of SwiftShader, a Vulkan driver in software."""

_HINT: Final = "On Debian, without a GPU: apt-get install chromium"


@dataclass(frozen=True, slots=True)
class GpuOutputs:
    """What a classifier gave on a GPU."""

    probabilities: Probabilities
    """float32 [N, labels]"""
    resident: bool
    """Whether every operation ran on the accelerator, and none on the CPU."""
    driver: str
    """The Vulkan driver, in words."""


def swiftshader() -> str | None:
    """SwiftShader's manifest, if it is installed."""
    return next((path for path in SWIFTSHADER if Path(path).is_file()), None)


def classify_on_gpu(classifier: Classifier, faces: Pixels) -> GpuOutputs:
    """Probabilities of gray faces uint8 [N, size, size], one at a time.

    The driver is the one in `VK_ICD_FILENAMES`, else SwiftShader where it is installed, so that
    the outcome does not depend on the machine, else the system's.

    Raises InputError where LiteRT's accelerator or a driver for it is missing.
    """
    if importlib.util.find_spec("ai_edge_litert.compiled_model") is None:
        raise InputError(
            "the GPU",
            expected="LiteRT's accelerator",
            found="none in this runtime",
            hint="Install it with: pip install 'ai-edge-litert>=2.1'",
        )
    driver, environment = _driver()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        np.save(work / "inputs.npy", classifier.prepare(faces))
        (work / "model.tflite").write_bytes(classifier.bare)
        done = subprocess.run(
            [sys.executable, "-m", "fer_mobile.runtime.gpu_process", folder],
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            env=os.environ | {"XDG_RUNTIME_DIR": folder} | environment,
        )
        if done.returncode:
            raise InputError(
                "the GPU",
                expected="a Vulkan driver that LiteRT's accelerator can use",
                found=_reason(done.stderr) or f"exit code {done.returncode}",
                hint=_HINT,
            )
        outputs = np.load(work / "outputs.npy")
        facts = json.loads((work / "facts.json").read_text(encoding="utf-8"))
    return GpuOutputs(classifier.probabilities(outputs), facts["resident"], driver)


def _driver() -> tuple[str, dict[str, str]]:
    """The Vulkan driver in words, and what the environment needs for it."""
    stated, software = os.environ.get(DRIVER), swiftshader()
    if stated:
        return stated, {}
    if not software:
        return "the system's Vulkan driver", {}
    # Vulkan's loader lies beside it.
    libraries = os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    path = os.pathsep.join([*filter(None, libraries), str(Path(software).parent)])
    return "SwiftShader (software Vulkan)", {DRIVER: software, "LD_LIBRARY_PATH": path}


def _reason(stderr: str) -> str:
    """What LiteRT says of its failure, in one line."""
    lines = (line.strip() for line in stderr.splitlines())
    failures = [line for line in lines if "Couldn't load" in line or line.startswith("ERROR:")]
    return failures[0].partition(": ")[2] if failures else ""
