"""The same exported files in every runtime: which labels, how far apart, and what is refused.

    python -m benchmarks.runtimes [--environments DIR]

Result: benchmarks/results/runtimes.jsonl and results/runtimes.md.

Each runtime gets a virtual environment of its own (in DIR, where it is kept, or in a
temporary folder) and runs every file of the shipped models on the golden faces, through
nothing but its own interpreter.  The newest ai-edge-litert is what the others are compared
with; ONNX Runtime is compared by the float32 file.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.result_files import RESULTS, write_rows
from fer_mobile.convert import export
from fer_mobile.files import write_text
from fer_mobile.golden import golden_faces
from fer_mobile.models import shipped_models
from fer_mobile.preprocess import normalise

REFERENCE = "ai-edge-litert 2.3.0"
CLOSE_ENOUGH = {"float32": 1e-5, "float16": 1e-5, "dynamic": 0.05, "int8": 0.05, "onnx": 1e-5}
"""The largest difference of a probability from the reference runtime's that is expected.

Integer kernels of different versions round differently here and there; a label must not
change where the two best labels are `TIE` or more apart."""
TIE = 0.05


@dataclass(frozen=True)
class Runtime:
    """A runtime, what to install for it and the module of its interpreter."""

    name: str
    packages: tuple[str, ...]
    module: str


RUNTIMES = (
    Runtime(REFERENCE, ("ai-edge-litert==2.3.0",), "ai_edge_litert.interpreter"),
    Runtime(
        "ai-edge-litert 2.1.2",
        ("ai-edge-litert==2.1.2", "numpy==1.26.4"),
        "ai_edge_litert.interpreter",
    ),
    Runtime(
        "tensorflow-cpu 2.21.0", ("tensorflow-cpu==2.21.0",), "tensorflow.lite.python.interpreter"
    ),
    Runtime(
        "tflite-runtime 2.14.0",
        ("tflite-runtime==2.14.0", "numpy<2"),
        "tflite_runtime.interpreter",
    ),
    Runtime("onnxruntime", ("onnxruntime",), "onnxruntime"),
)

WORKER = """
import importlib, sys
import numpy as np
name, path, images, output = sys.argv[1:]
module, images = importlib.import_module(name), np.load(images)
if name == "onnxruntime":
    session = module.InferenceSession(path, providers=["CPUExecutionProvider"])
    outputs = session.run(None, {session.get_inputs()[0].name: images})[0]
else:
    interpreter = module.Interpreter(model_path=path, num_threads=1)
    interpreter.allocate_tensors()
    image, result = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    rows = []
    for face in images:
        scale, zero = image["quantization"]
        if scale:
            limits = np.iinfo(image["dtype"])
            face = np.clip(np.floor(face / scale + 0.5) + zero, limits.min, limits.max)
        interpreter.set_tensor(image["index"], face[None].astype(image["dtype"]))
        interpreter.invoke()
        row = interpreter.get_tensor(result["index"])[0].astype(np.float32)
        scale, zero = result["quantization"]
        rows.append((row - zero) * scale if scale else row)
    outputs = np.stack(rows)
np.save(output, outputs)
"""
"""Runs a file in an environment that has the runtime and NumPy, and nothing of ours."""


def python_of(runtime: Runtime, folder: Path) -> Path:
    """The interpreter of the runtime's environment, made and filled if need be."""
    home = folder / runtime.name.replace(" ", "-")
    python = home / "bin" / "python"
    if not (home / "ready").is_file():
        venv.create(home, with_pip=True, clear=True)
        install: list[str | Path] = [python, "-m", "pip", "install", "--quiet", *runtime.packages]
        subprocess.run(install, check=True)
        (home / "ready").touch()
    return python


def run(python: Path, module: str, model: Path, images: Path) -> np.ndarray | str:
    """Probabilities float32 [N, C], or the last line of the runtime printed."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "outputs.npy"
        done = subprocess.run(
            [python, "-c", WORKER, module, model, images, output],
            capture_output=True,
            text=True,
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        )
        if done.returncode == 0:
            outputs: np.ndarray = np.load(output)
            return outputs
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    error = next((line for line in reversed(lines) if "Error" in line), None)
    return error or f"exit code {done.returncode}"


def compare(outputs: np.ndarray, expected: np.ndarray, precision: str) -> dict[str, Any]:
    """How far the outputs of a runtime are from those of the reference."""
    difference = float(np.abs(outputs - expected).max())
    changed = outputs.argmax(1) != expected.argmax(1)
    best = np.sort(expected, 1)
    clear = best[:, -1] - best[:, -2] >= TIE
    return {
        "faces": len(outputs),
        "same_label": int((~changed).sum()),
        "changed_beyond_a_tie": int((changed & clear).sum()),
        "largest_difference": float(f"{difference:.3g}"),
        "agrees": bool(difference <= CLOSE_ENOUGH[precision] and not (changed & clear).any()),
    }


def matrix(folder: Path) -> list[dict[str, Any]]:
    """A row for every shipped model, runtime and exported file."""
    return [row for model in sorted(shipped_models()) for row in model_rows(model, folder)]


def model_rows(model: str, folder: Path) -> list[dict[str, Any]]:
    """A row for every pair of a runtime and an exported file of a model."""
    with tempfile.TemporaryDirectory() as work:
        files = {
            quantize: export(model, quantize=quantize, out=work).path
            for quantize in ("none", "float16", "dynamic", "int8")
        }
        files["float32"] = files.pop("none")
        onnx = export(model, quantize="none", format="onnx", out=work).path
        size = export_size(files["float32"])
        images = Path(work) / "images.npy"
        np.save(images, normalise(golden_faces(size))[..., None])
        expected: dict[str, np.ndarray] = {}
        rows = []
        for runtime in RUNTIMES:
            python = python_of(runtime, folder)
            tflite = runtime.module != "onnxruntime"
            for precision, path in files.items() if tflite else {"onnx": onnx}.items():
                outputs = run(python, runtime.module, path, images)
                row: dict[str, Any] = {
                    "model": model,
                    "runtime": installed(python, runtime),
                    "file": precision,
                    "bytes": path.stat().st_size,
                }
                if isinstance(outputs, str):
                    row |= {"runs": False, "reason": outputs}
                else:
                    if runtime.name == REFERENCE:
                        expected[precision] = outputs
                    reference = expected["float32" if precision == "onnx" else precision]
                    row |= {"runs": True, **compare(outputs, reference, precision)}
                print(json.dumps(row), flush=True)
                rows.append(row)
        return rows


def export_size(path: Path) -> int:
    """Height of the input of an exported file."""
    from fer_mobile.runtime.classifier import load_classifier

    return load_classifier(path).size


def installed(python: Path, runtime: Runtime) -> str:
    """Package and version, with the version of NumPy."""
    package = runtime.packages[0].partition("=")[0]
    code = (
        "from importlib.metadata import version as v; "
        f"print({package!r}, v({package!r}), '(numpy', v('numpy') + ')')"
    )
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def table(rows: list[dict[str, Any]]) -> str:
    """The matrix as Markdown: same labels of all faces, and the largest difference."""
    files = list(dict.fromkeys(row["file"] for row in rows))
    cells = {(row["model"], row["runtime"], row["file"]): row for row in rows}
    reasons: list[str] = []

    def cell(row: dict[str, Any] | None) -> str:
        if row is None:
            return "–"
        if row["runs"]:
            return f"{row['same_label']}/{row['faces']}, {row['largest_difference']:.2g}"
        if row["reason"] not in reasons:
            reasons.append(row["reason"])
        return f"refused ({reasons.index(row['reason']) + 1})"

    lines = ["| model | runtime | " + " | ".join(files) + " |", "|---" * (len(files) + 2) + "|"]
    for model, runtime in dict.fromkeys((row["model"], row["runtime"]) for row in rows):
        row = [cell(cells.get((model, runtime, file))) for file in files]
        lines.append("| " + " | ".join([model, runtime, *row]) + " |")
    head = (
        f"Labels equal to those of {REFERENCE}, of the golden faces, and the largest difference\n"
        "of a probability; made by `benchmarks/runtimes.py`.  A face with another label counts as\n"
        f"agreement where its two best labels are less than {TIE:g} apart (int8 and dynamic).\n"
    )
    numbered = [f"{number}. `{reason}`" for number, reason in enumerate(reasons, 1)]
    return "\n".join([head, *lines, "", *numbered]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--environments", type=Path, help="keep the environments here")
    folder = parser.parse_args().environments
    with tempfile.TemporaryDirectory() as temporary:
        rows = matrix((folder or Path(temporary)).resolve())
    write_rows("runtimes", rows)
    write_text(RESULTS / "runtimes.md", table(rows))
    if not all(row.get("agrees", True) for row in rows):
        sys.exit("a runtime disagrees")


if __name__ == "__main__":
    main()
