"""The outputs of the arm64 runtime, under qemu's user-mode emulation, against this machine's.

    python -m benchmarks.arm_parity [--folder DIR]

Result: benchmarks/results/arm_parity.jsonl.

Parity, not speed.  Needs Debian's apt and its package qemu-user-static, and no other rights: an
arm64 Python is unpacked from Debian's packages into DIR (kept there; else a temporary folder),
and the runtime's arm64 wheels with it.  Every shipped file runs on the golden faces, the
detector on three of the bundled photos.

ai-edge-litert 2.3.0 dies of a signal under qemu 7.2, with XNNPACK and with plain kernels (its
rows say so); 2.1.2 and tflite-runtime 2.14.0 run, with XNNPACK.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.result_files import write_rows
from benchmarks.runtimes import WORKER
from fer_mobile.bench.photos import load_photo_set
from fer_mobile.detect.yunet import shipped_yunet
from fer_mobile.golden import golden_faces
from fer_mobile.images import load_photo
from fer_mobile.models import shipped_models
from fer_mobile.preprocess import normalise
from fer_mobile.runtime.classifier import load_classifier

PACKAGES = (
    "python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib", "libc6", "libgcc-s1",
    "libstdc++6", "libexpat1", "zlib1g", "libffi8", "libssl3", "libbz2-1.0", "liblzma5",
)  # fmt: skip
"""Of Debian 12; what NumPy and the runtimes need of it."""

COMMON = ("flatbuffers", "tqdm", "typing_extensions", "backports.strenum")
RUNTIMES = {
    "ai-edge-litert 2.3.0, plain kernels": ("ai-edge-litert==2.3.0", "numpy==2.4.6"),
    "ai-edge-litert 2.1.2, XNNPACK": ("ai-edge-litert==2.1.2", "numpy==1.26.4"),
    "tflite-runtime 2.14.0, XNNPACK": ("tflite-runtime==2.14.0", "numpy==1.26.4"),
}
PLATFORMS = (
    "manylinux2014",
    "manylinux_2_17",
    "manylinux_2_27",
    "manylinux_2_28",
    "manylinux_2_34",
)

FACES = 16
"""Golden faces a file; the emulator needs up to a second for one."""

PLAIN = """
import functools
resolver = getattr(module, "OpResolverType", None)
if {plain}:
    kind = resolver.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    module.Interpreter = functools.partial(
        module.Interpreter, experimental_op_resolver_type=kind
    )
"""

CLOSE_ENOUGH = {"int8": 0.05, "float16": 1e-4, "float32": 1e-4, "detector": 1e-3}
"""Largest difference of a probability (of any output, for the detector) that is expected."""


def system(folder: Path) -> Path:
    """A folder with arm64 Python and its libraries, made if need be."""
    root = folder / "root"
    if (root / "usr" / "bin" / "python3.11").is_file():
        return root
    state, cache, debs = folder / "state", folder / "cache", folder / "debs"
    for part in (state / "lists" / "partial", cache / "archives" / "partial", debs):
        part.mkdir(parents=True, exist_ok=True)
    own = [
        "-o", "APT::Architecture=arm64", "-o", "APT::Architectures::=arm64",
        "-o", f"Dir::State={state}", "-o", "Dir::State::status=/dev/null",
        "-o", f"Dir::Cache={cache}",
    ]  # fmt: skip
    quiet: dict[str, Any] = {"check": True, "stdout": subprocess.DEVNULL}
    subprocess.run(["apt-get", "-qq", *own, "update"], **quiet)
    names = [f"{name}:arm64" for name in PACKAGES]
    subprocess.run(["apt-get", "-qq", *own, "download", *names], cwd=debs, **quiet)
    for deb in debs.glob("*.deb"):
        subprocess.run(["dpkg", "-x", deb, root], check=True)
    return root


def wheels(packages: tuple[str, ...], folder: Path) -> Path:
    """The arm64 wheels, unpacked."""
    site = folder / packages[0].replace("==", "-")
    if not site.is_dir():
        platforms = [word for name in PLATFORMS for word in ("--platform", f"{name}_aarch64")]
        with tempfile.TemporaryDirectory() as download:
            subprocess.run(
                [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *platforms,
                 "--python-version", "3.11", "--only-binary", ":all:", "--dest", download,
                 *packages, *COMMON],
                check=True,
            )  # fmt: skip
            for wheel in Path(download).glob("*.whl"):
                zipfile.ZipFile(wheel).extractall(site)
    return site


def run_arm(root: Path, site: Path, plain: bool, model: Path, images: Path) -> np.ndarray | str:
    """The first output for every image, or what the runtime died of."""
    module = "tflite_runtime" if "tflite" in site.name else "ai_edge_litert"
    lines = WORKER.partition("if name ==")
    code = lines[0] + PLAIN.format(plain=plain) + lines[1] + lines[2]
    output = images.with_name("arm.npy")
    output.unlink(missing_ok=True)
    done = subprocess.run(
        ["qemu-aarch64-static", "-L", root, root / "usr" / "bin" / "python3.11", "-c", code,
         f"{module}.interpreter", model, images, output],
        env=os.environ | {"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    if not output.is_file():
        return (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    outputs: np.ndarray = np.load(output)
    return outputs


def run_here(model: Path, images: Path) -> np.ndarray:
    """The same on this machine, with its own runtime."""
    output = images.with_name("here.npy")
    module = "ai_edge_litert.interpreter"
    subprocess.run(
        [sys.executable, "-c", WORKER, module, model, images, output],
        check=True,
        capture_output=True,
    )
    outputs: np.ndarray = np.load(output)
    return outputs


def inputs() -> dict[Path, np.ndarray]:
    """What every shipped file is given: float32 [N, H, W, C]."""
    inputs = {}
    for model in shipped_models().values():
        for file in model.files.values():
            size = load_classifier(file).size
            inputs[file] = normalise(golden_faces(size)[:FACES])[..., None]
    photos = [path for path in load_photo_set("affective-25").paths if "woman" in path.name][:3]
    pictures = [Image.fromarray(load_photo(path).rgb) for path in photos]
    squares = [np.asarray(picture.resize((320, 320))) for picture in pictures]
    inputs[shipped_yunet()] = np.stack(squares).astype(np.float32)
    return inputs


def compare(model: Path, outputs: np.ndarray, expected: np.ndarray) -> dict[str, Any]:
    kind = "detector" if model == shipped_yunet() else model.stem.rpartition("_")[2]
    difference = float(np.abs(outputs - expected).max())
    row: dict[str, Any] = {
        "inputs": len(outputs),
        "identical": bool(np.array_equal(outputs, expected)),
        "largest_difference": float(f"{difference:.3g}"),
        "agrees": difference <= CLOSE_ENOUGH[kind],
    }
    if kind != "detector":
        row["same_label"] = int((outputs.argmax(1) == expected.argmax(1)).sum())
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="keep the arm64 system here")
    arguments = parser.parse_args()
    for program in ("qemu-aarch64-static", "apt-get", "dpkg"):
        if shutil.which(program) is None:
            sys.exit(f"expected the program {program}, found none (Debian: qemu-user-static)")
    rows = []
    with tempfile.TemporaryDirectory() as work:
        folder = (arguments.folder or Path(work) / "arm64").resolve()
        root = system(folder)
        for model, values in inputs().items():
            images = Path(work) / "images.npy"
            np.save(images, values)
            expected = run_here(model, images)
            for runtime, packages in RUNTIMES.items():
                site = wheels(packages, folder)
                outputs = run_arm(root, site, "plain" in runtime, model, images)
                row = {"file": model.name, "runtime": f"arm64 {runtime}"}
                if isinstance(outputs, str):
                    row["reason"] = outputs
                else:
                    row |= compare(model, outputs, expected)
                rows.append(row)
                print(json.dumps(row), flush=True)
    write_rows("arm_parity", rows)
    if not all(row.get("agrees", True) for row in rows):
        sys.exit("arm64 disagrees")


if __name__ == "__main__":
    main()
