"""What the exact rewrites of the export gain, as ratios of times taken side by side.

    python -m benchmarks.export_speed [--rounds 7] [--seconds 3] [--processor 0]

Result: benchmarks/results/export_speed_UNIT.jsonl, UNIT being the vector unit of the processor.

xcao_two_stream with the shipped weights, as trained and rewritten, at 224 px (its default
poolings) and at the shipped 56 px, in three precisions; and the rewritten int8 file over the
plain float32 one.  One thread, pinned.  A round loads both files anew, in alternating order
(where a model's weights come to lie changes its time by several percent), and calls them by
turns; its figure is the ratio of the medians.  The result is the median of the rounds, its
noise their interquartile range.
"""

from __future__ import annotations

import argparse
import json
import os
import time

import numpy as np

from benchmarks.result_files import vector_unit, write_rows
from fer_mobile import zoo
from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.contract import Precision
from fer_mobile.convert.calibration import Calibration
from fer_mobile.convert.converter import to_tflite
from fer_mobile.convert.int8 import to_int8
from fer_mobile.golden import golden_faces
from fer_mobile.graph.network import read_network
from fer_mobile.models import DEFAULT
from fer_mobile.runtime.interpreter import load_interpreter, runtime_name

SIZES = (224, 56)
PRECISIONS: tuple[Precision, ...] = ("float32", "dynamic", "int8")
TARGETS = {
    (224, "int8"): 0.48,
    (224, "float32"): 0.88,
    (224, "dynamic"): 0.76,
    (56, "int8/float32"): 0.40,
}


def models(size: int) -> dict[tuple[str, bool], bytes]:
    """The files by precision and whether they are rewritten."""
    weights = load_checkpoint(DEFAULT).model.get_weights()
    model = zoo.build(DEFAULT, size=size)
    model.set_weights(weights)
    calibration = Calibration("the bundled golden faces", golden_faces(size))

    def file(precision: Precision, rewrite: bool) -> bytes:
        network = read_network(model, rewrite=rewrite)
        if precision == "int8":
            return to_int8(network, calibration)
        return to_tflite(network, precision, winograd=precision == "float32")

    return {(p, rewrite): file(p, rewrite) for p in PRECISIONS for rewrite in (False, True)}


def times(files: list[bytes], seconds: float, order: int) -> list[np.ndarray]:
    """Milliseconds of each file's calls, taken by turns."""
    positions = list(range(len(files)))[:: 1 if order % 2 == 0 else -1]
    interpreters = {}
    for position in positions:
        interpreter = load_interpreter(files[position])
        image = interpreter.get_input_details()[0]
        pixels = np.random.default_rng(0).integers(0, 128, image["shape"])
        real = pixels / np.float32(127) if image["dtype"] == np.float32 else pixels
        interpreter.set_tensor(image["index"], real.astype(image["dtype"]))
        for _ in range(5):
            interpreter.invoke()
        interpreters[position] = interpreter
    taken: list[list[float]] = [[] for _ in files]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for position in positions:
            start = time.perf_counter()
            interpreters[position].invoke()
            taken[position].append((time.perf_counter() - start) * 1000)
    return [np.array(row) for row in taken]


def compare(plain: bytes, rewritten: bytes, rounds: int, seconds: float) -> dict[str, object]:
    rounds_ms = [times([plain, rewritten], seconds, order) for order in range(rounds)]
    medians = np.array([[np.median(t) for t in both] for both in rounds_ms])
    least = np.array([[t.min() for t in both] for both in rounds_ms]).min(0)
    ratios = medians[:, 1] / medians[:, 0]

    def ms(file: int) -> dict[str, float]:
        return {
            "median": round(float(np.median(medians[:, file])), 4),
            "min": round(float(least[file]), 4),
        }

    return {
        "plain_ms": ms(0),
        "rewritten_ms": ms(1),
        "ratio": round(float(np.median(ratios)), 4),
        "ratio_of_minima": round(float(least[1] / least[0]), 4),
        "noise": round(float(np.subtract(*np.percentile(ratios, [75, 25]))), 4),
        "rounds": rounds,
        "calls": sum(len(both[0]) for both in rounds_ms),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--processor", type=int, default=0)
    options = parser.parse_args()
    rows = []
    for size in SIZES:
        files = models(size)
        pairs: dict[str, tuple[bytes, bytes]]
        pairs = {p: (files[p, False], files[p, True]) for p in PRECISIONS}
        pairs["int8/float32"] = (files["float32", False], files["int8", True])
        everywhere = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {options.processor})
        for precision, (plain, rewritten) in pairs.items():
            row = {
                "size": size,
                "precision": precision,
                "target": TARGETS.get((size, precision)),
                "runtime": runtime_name(),
                **compare(plain, rewritten, options.rounds, options.seconds),
                "bytes": [len(plain), len(rewritten)],
            }
            print(json.dumps(row), flush=True)
            rows.append(row)
        os.sched_setaffinity(0, everywhere)
    write_rows("export_speed", rows, of=vector_unit())


if __name__ == "__main__":
    main()
