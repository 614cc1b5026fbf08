"""The classifier's time by operation.

No Python runtime of TensorFlow Lite reports the time of an operation.  It is the difference between
two graphs: one cut after the operation, one cut before it.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import numpy as np

from fer_mobile.bench.operation_costs import cut_graph, operation_costs
from fer_mobile.bench.result import Operation
from fer_mobile.model_file import read_model, split
from fer_mobile.runtime.interpreter import Interpreter, load_interpreter
from fer_mobile.runtime.tflite_model import TfliteModel

ROUNDS: Final = 9
SECONDS: Final = 0.004

METHOD: Final = (
    "differences between the graph cut behind and before each operation; those below about "
    "0.01 ms are within the noise, and the runtime may do neighbours as one"
)


def profile(model: Path, threads: int = 1) -> tuple[Operation, ...]:
    """Every operation of a ``.tflite`` file with a contract, for one face (zeros).

    Each cut graph runs 4 ms at a time, so that it works from warm caches as the whole one
    does, nine times in turn with the others; the medians are compared.  A difference below
    zero counts as zero.

    Raises ModelError where the file cannot be read, has no contract or does not run.
    """
    bare, _ = split(read_model(model), model)
    operations = operation_costs(TfliteModel(bare, model))
    cuts = [
        load_interpreter(cut_graph(bare, n), threads=threads) for n in range(1, len(operations) + 1)
    ]
    times = np.array([[_median_ms(cut) for cut in cuts] for _ in range(ROUNDS)])
    spent = np.maximum(np.diff(np.median(times, axis=0), prepend=0.0), 0.0)
    return tuple(
        Operation(
            operation=operation.name,
            output=operation.output,
            macs=operation.macs,
            ms=float(ms),
            share=float(ms / spent.sum()),
        )
        for operation, ms in zip(operations, spent, strict=True)
    )


def _median_ms(interpreter: Interpreter) -> float:
    interpreter.invoke()
    times: list[float] = []
    end = time.perf_counter() + SECONDS
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter_ns()
        interpreter.invoke()
        times.append((time.perf_counter_ns() - start) / 1e6)
    return float(np.median(times))
