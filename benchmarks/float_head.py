"""Whether an int8 file with a head in float32 predicts better than one that is all int8.

    FER_MOBILE_DATA=... python -m benchmarks.float_head

Result: benchmarks/results/float_head.jsonl.

For each shipped model, on ferplus-strict valid: the all-int8 file, one with the softmax in
float32, and one with the last dense layer in float32, too; against the float32 file, with
their sizes and times (interleaved, one thread).
"""

from __future__ import annotations

import json
import os
import warnings

import numpy as np

from benchmarks.calibration import milliseconds, predict
from benchmarks.result_files import write_rows
from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.convert.calibration import find_calibration
from fer_mobile.convert.converter import to_tflite
from fer_mobile.convert.quantize import _in_one_piece, _statistics
from fer_mobile.data import load_dataset
from fer_mobile.errors import ModelError
from fer_mobile.graph.network import read_network
from fer_mobile.metrics import mean_divergence, score
from fer_mobile.models import shipped_models
from fer_mobile.preprocess import resize
from fer_mobile.quiet import quiet

HEADS = {
    "int8": (),
    "float softmax": ("OUTPUT", "SOFTMAX"),
    "float last layer": ("OUTPUT", "SOFTMAX", "logits"),
}
"""What stays in float32: operations, in capitals, and the layer with `logits` in its name."""


def files(name: str) -> dict[str, bytes]:
    """The float32 file of a shipped model and its int8 ones, by head."""
    from ai_edge_quantizer import quantizer, recipe
    from ai_edge_quantizer.qtyping import TFLOperationName as Name

    checkpoint = load_checkpoint(name)
    network = read_network(checkpoint.model)
    graph, in_float = network.require_graph(), to_tflite(network, "float32")
    limits = find_calibration(network, checkpoint.folder).limits
    if limits is None:
        raise ModelError(name, expected="ranges of its training", found="none")
    made = {"float32": in_float}
    for head, kept in HEADS.items():
        with quiet(), warnings.catch_warnings(action="ignore"):
            work = quantizer.Quantizer(bytearray(in_float), recipe.static_wi8_ai8())
            for part in kept:
                scope, operation = (
                    (".*", Name[part]) if part.isupper() else (f".*{part}.*", Name.ALL_SUPPORTED)
                )
                work.update_quantization_recipe(
                    scope, operation, algorithm_key=quantizer.AlgorithmName.NO_QUANTIZE
                )
            done = work.quantize(_statistics(in_float, graph, limits), enable_progress_report=False)
        made[head] = _in_one_piece(done.quantized_model)
    return made


def main() -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    valid = load_dataset(split="valid")
    rows = []
    for name in sorted(shipped_models()):
        made = files(name)
        size = int(load_checkpoint(name).model.input_shape[1])
        faces = np.stack([resize(image, size) for image in valid.images])
        times = milliseconds(made)
        expected = predict(made["float32"], faces)
        for head, file in made.items():
            predicted = predict(file, faces)
            scores = score(predicted, valid.labels, valid.names)
            row = {
                "model": name,
                "head": head,
                "protocol": valid.protocol,
                "split": valid.split,
                "n": len(faces),
                "accuracy": round(scores.accuracy, 5),
                "balanced_accuracy": round(scores.balanced_accuracy, 5),
                "labels_changed": int((predicted.argmax(1) != expected.argmax(1)).sum()),
                "divergence": round(float(mean_divergence(expected, predicted)), 6),
                "bytes": len(file),
                "least_ms": round(times[head], 4),
            }
            print(json.dumps(row), flush=True)
            rows.append(row)
    write_rows("float_head", rows)


if __name__ == "__main__":
    main()
