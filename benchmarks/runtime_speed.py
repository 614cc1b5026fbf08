"""What the export's rewrites gain on older runtimes: int8 at 224 px, rewritten over as trained.

    python -m benchmarks.runtime_speed [--environments DIR] [--rounds 7] [--seconds 3]

Result: benchmarks/results/runtime_speed_UNIT.jsonl, UNIT being the vector unit of the processor.

Runtimes and their environments are those of `runtimes.py`.  A round is a process of its own,
which loads both files in alternating order and calls them by turns on one pinned thread; its
figure is the ratio of the medians, the result is the median of the rounds.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.export_speed import models
from benchmarks.result_files import vector_unit, write_rows
from benchmarks.runtimes import RUNTIMES, installed, python_of

SIZE, PRECISION = 224, "int8"

WORKER = """
import importlib, os, sys, time
import numpy as np
name, seconds, *paths = sys.argv[1:]
os.sched_setaffinity(0, {0})
loaded = []
for path in paths:
    interpreter = importlib.import_module(name).Interpreter(model_path=path, num_threads=1)
    interpreter.allocate_tensors()
    image = interpreter.get_input_details()[0]
    pixels = np.random.default_rng(0).integers(0, 128, image["shape"])
    interpreter.set_tensor(image["index"], pixels.astype(image["dtype"]))
    for _ in range(3):
        interpreter.invoke()
    loaded.append(interpreter)
taken = [[], []]
end = time.monotonic() + float(seconds)
while time.monotonic() < end or len(taken[0]) < 5:
    for interpreter, times in zip(loaded, taken):
        start = time.perf_counter()
        interpreter.invoke()
        times.append((time.perf_counter() - start) * 1000)
print(*(np.median(times) for times in taken))
"""
"""Times two files in an environment that has the runtime and NumPy, and nothing of ours."""


def measure(python: Path, module: str, files: list[Path], seconds: float) -> list[float]:
    command: list[str | Path] = [python, "-c", WORKER, module, str(seconds), *files]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [float(ms) for ms in done.stdout.split()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--environments", type=Path, help="keep the environments here")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=3)
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as work:
        folder = (options.environments or Path(work)).resolve()
        made = models(SIZE)
        files = []
        for rewritten in (False, True):
            files.append(Path(work) / f"{rewritten}.tflite")
            files[-1].write_bytes(made[PRECISION, rewritten])
        for runtime in (r for r in RUNTIMES if r.module != "onnxruntime"):
            python = python_of(runtime, folder)
            times = np.array(
                [
                    measure(python, runtime.module, files[::order], options.seconds)[::order]
                    for order in [1, -1] * options.rounds
                ][: options.rounds]
            )
            ratios = times[:, 1] / times[:, 0]
            row = {
                "runtime": installed(python, runtime),
                "size": SIZE,
                "precision": PRECISION,
                "plain_ms": round(float(np.median(times[:, 0])), 3),
                "rewritten_ms": round(float(np.median(times[:, 1])), 3),
                "ratio": round(float(np.median(ratios)), 4),
                "noise": round(float(np.subtract(*np.percentile(ratios, [75, 25]))), 4),
                "rounds": options.rounds,
            }
            print(json.dumps(row), flush=True)
            rows.append(row)
    write_rows("runtime_speed", rows, of=vector_unit())


if __name__ == "__main__":
    main()
