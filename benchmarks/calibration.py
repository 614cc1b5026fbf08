"""How the source of the int8 ranges shows in the file's predictions, on ferplus-strict valid.

    FER_MOBILE_DATA=... python -m benchmarks.calibration RUN [--name NAME]

Result: benchmarks/results/NAME.json (`--name`, default calibration; none is committed).

Compares TensorFlow's converter with ai-edge-quantizer, the bundled golden faces with
training faces, and how many faces' extremes a range leaves out (`observation.OUTLIERS`): labels
and probabilities against the float file's, accuracy, and speed (interleaved, one thread).
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.result_files import write_row
from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.convert import observation
from fer_mobile.convert.calibration import Calibration, find_calibration
from fer_mobile.convert.converter import to_tflite
from fer_mobile.convert.int8 import to_int8
from fer_mobile.data import data_path, load_dataset
from fer_mobile.graph.network import read_network
from fer_mobile.metrics import score
from fer_mobile.preprocess import normalise, resize
from fer_mobile.runtime.interpreter import load_interpreter

BATCH = 64
ROUNDS, RUNS = 40, 20


def predict(model: bytes, faces: np.ndarray) -> np.ndarray:
    """Probabilities of a bare file with float32 or int8 input and output."""
    interpreter = load_interpreter(model)
    image, output = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scale, zero = output["quantization"]
    outputs = []
    for start in range(0, len(faces), BATCH):
        batch = faces[start : start + BATCH, ..., None]
        in_float = image["dtype"] is np.float32
        values = normalise(batch) if in_float else (batch.astype(np.int16) - 128).astype(np.int8)
        interpreter.resize_tensor_input(image["index"], values.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(image["index"], values)
        interpreter.invoke()
        rows = interpreter.get_tensor(output["index"]).astype(np.float32)
        outputs.append((rows - zero) * scale if scale else rows)
    return np.concatenate(outputs)


def milliseconds(models: dict[str, bytes]) -> dict[str, float]:
    """The shortest time of one face, in turns."""
    interpreters = {name: load_interpreter(model) for name, model in models.items()}
    best = dict.fromkeys(models, np.inf)
    for _ in range(ROUNDS):
        for name, interpreter in interpreters.items():
            interpreter.invoke()
            started = time.perf_counter()
            for _ in range(RUNS):
                interpreter.invoke()
            best[name] = min(best[name], (time.perf_counter() - started) / RUNS * 1e3)
    return {name: round(value, 4) for name, value in best.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--name", default="calibration")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    network = read_network(load_checkpoint(arguments.run).model)
    valid = load_dataset(split="valid")
    faces = np.stack([resize(image, network.size) for image in valid.images])
    in_float = to_tflite(network, "float32")
    expected = predict(in_float, faces)
    golden = find_calibration(network).faces
    training = find_calibration(network, faces=data_path()).faces

    files = {
        "converter, golden faces": to_tflite(network, "int8", faces=golden),
        "converter, training faces": to_tflite(network, "int8", faces=training),
        "quantizer, golden faces": to_int8(network, Calibration("", golden)),
    }
    for share in (0.0, 0.005, 0.01, 0.02, 0.05):
        with patch.object(observation, "OUTLIERS", share):
            limits = observation.observe_network(network, training)
        files[f"quantizer, training faces but {share:.1%}"] = to_int8(
            network, Calibration("", golden, limits)
        )
    times = milliseconds(files)
    rows: dict[str, Any] = {}
    for name, file in {"float32": in_float, **files}.items():
        predicted = predict(file, faces)
        scores = score(predicted, valid.labels, valid.names)
        difference = np.abs(predicted - expected)
        same = predicted.argmax(1) == expected.argmax(1)
        rows[name] = {
            "accuracy": round(scores.accuracy, 4),
            "balanced_accuracy": round(scores.balanced_accuracy, 4),
            "same_label": round(float(same.mean()), 4),
            "largest_difference": round(float(difference.max()), 4),
            "mean_difference": round(float(difference.mean()), 5),
            "ms": times.get(name),
            "bytes": len(file),
        }
    write_row(
        arguments.name,
        {"protocol": valid.protocol, "split": valid.split, "n": len(valid), "files": rows},
    )


if __name__ == "__main__":
    main()
