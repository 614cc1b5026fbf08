"""The first photo of a new process."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import numpy as np

from fer_mobile.bench.result import ColdStart
from fer_mobile.errors import FerMobileError

MOST_TIMES: Final = 3

_PROCESS: Final = """
import json, sys, time
start, model, threads, faces, detector, orient, photo = json.loads(sys.argv[1])
from fer_mobile.pipeline import load_pipeline
from fer_mobile.runtime.interpreter import runtime_name
import fer_mobile.detect.yunet
runtime_name()
ready = time.monotonic_ns()
pipeline = load_pipeline(
    model, faces=faces, threads=threads, detector=detector, orient=orient
)
loaded = time.monotonic_ns()
stages = pipeline(photo).stages
print(json.dumps([(ready - start) / 1e6, (loaded - ready) / 1e6,
                  stages.get("classify"), stages["total"]]))
"""
"""Its clock is the system's, so it can subtract the time at which the parent started it."""


def measure_cold_start(
    model: str | Path,
    photo: Path,
    *,
    threads: int,
    faces: str,
    detector: str,
    orient: str,
    times: int,
) -> ColdStart:
    """Medians over fresh processes, one after the other, of `photo` alone."""
    runs = []
    for _ in range(times):
        arguments = [time.monotonic_ns(), str(model), threads, faces, detector, orient, str(photo)]
        done = subprocess.run(
            [sys.executable, "-c", _PROCESS, json.dumps(arguments)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise FerMobileError(f"the cold start failed: {done.stderr.strip()[-300:]}")
        runs.append(json.loads(done.stdout))
    process, load, inference, total = zip(*runs, strict=True)
    return ColdStart(
        process_ms=float(np.median(process)),
        model_load_ms=float(np.median(load)),
        first_inference_ms=None if None in inference else float(np.median(inference)),
        first_photo_ms=float(np.median(total)),
    )
