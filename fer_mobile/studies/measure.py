"""Measures a trained run on test or, where the data has none, on valid, which chose its epoch."""

from __future__ import annotations

import csv
import hashlib
import json
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.data import Dataset, as_protocol, load_dataset
from fer_mobile.errors import DataError
from fer_mobile.files import write_text
from fer_mobile.metrics import classification_report, score
from fer_mobile.predictor import predict_faces
from fer_mobile.studies.confusion import draw_confusion
from fer_mobile.training.recipe import Recipe
from fer_mobile.training.split import fraction, training_rows

_TIMED: Final = 30
_WARM_UP: Final = 5


def measure_run(recipe: Recipe, folder: Path, data: str | Path | None) -> dict[str, Any]:
    """The figures of a finished run, by the keys of `suite.COLUMNS` and more.

    Writes into its folder test.json (the figures), classification_report.json and
    confusion.png.  Where the data has no test split, valid is measured.  `correct` says of each
    face whether it was predicted right (see `unpack_bits`), so that runs on the same faces, those
    of one `labels_sha256`, can be compared face by face.  `data_sha256` is the digest of the
    faces that were learned from.
    """
    checkpoint = load_checkpoint(folder)
    train_rows, valid_rows = training_rows(recipe, data)
    faces = _unseen(recipe, data)
    started = time.monotonic()
    probabilities = predict_faces(checkpoint.model, faces.images, recipe.data.preprocessing)
    scores = score(probabilities, faces.labels, faces.names)
    report = classification_report(scores)
    mean = report["weighted avg"]
    valid = json.loads((folder / "valid.json").read_text(encoding="utf-8"))
    history = read_history(folder)
    figures = {"protocol": faces.protocol, "split": faces.split, **scores.as_dict()}
    write_text(folder / "test.json", json.dumps(figures, indent=2))
    write_text(folder / "classification_report.json", json.dumps(report, indent=2))
    draw_confusion(scores.confusion, faces.names, folder / "confusion.png")
    return {
        "faces": {"train": len(train_rows), "valid": len(valid_rows), faces.split: len(faces)},
        "size": int(checkpoint.model.input_shape[1]),
        "epochs": len(history),
        "parameters": checkpoint.parameters,
        "protocol": faces.protocol,
        "split": faces.split,
        "accuracy": figures["accuracy"],
        "balanced_accuracy": figures["balanced_accuracy"],
        "loss": figures["loss"],
        "precision": round(mean["precision"], 5),
        "recall": round(mean["recall"], 5),
        "f1": round(mean["f1"], 5),
        "train_accuracy": history[-1]["train_accuracy"],
        "valid_accuracy": valid["accuracy"],
        "step_ms": history[-1]["step_ms"],
        "train_s": round(sum(row["seconds"] for row in history), 1),
        "test_s": round(time.monotonic() - started, 1),
        "label_recall": figures["recall"],
        "label_faces": scores.counts,
        "correct": pack_bits(probabilities.argmax(1) == faces.labels),
        "data_sha256": train_rows.digest(),
        "labels_sha256": hashlib.sha256(faces.labels.astype("<i8").tobytes()).hexdigest(),
        "history": history,
    }


def pack_bits(values: NDArray[np.bool_]) -> str:
    """Truth values [N] as hexadecimal digits, the first one in the highest bit."""
    return np.packbits(values).tobytes().hex()


def unpack_bits(digits: str, count: int) -> NDArray[np.bool_]:
    """The `count` truth values that `pack_bits` wrote."""
    return np.unpackbits(np.frombuffer(bytes.fromhex(digits), np.uint8), count=count).astype(bool)


def time_prediction(folder: Path) -> float:
    """Median milliseconds for one face on this machine, as Keras predicts a batch of one."""
    model = load_checkpoint(folder).model
    face = np.full((1, *model.input_shape[1:]), 0.5, np.float32)
    times = []
    for _ in range(_WARM_UP + _TIMED):
        started = time.perf_counter()
        model.predict_on_batch(face)
        times.append(time.perf_counter() - started)
    return round(1000 * float(np.median(times[_WARM_UP:])), 2)


def read_history(folder: Path) -> list[dict[str, float]]:
    """The rows of a run's history.csv."""
    with (folder / "history.csv").open(newline="") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def _unseen(recipe: Recipe, data: str | Path | None) -> Dataset:
    protocol, labels = as_protocol(recipe.data.protocol), recipe.data.labels
    try:
        faces = load_dataset(data, protocol=protocol, split="test", labels=labels)
    except DataError:
        faces = load_dataset(data, protocol=protocol, split="valid", labels=labels)
    return fraction(faces, recipe.training.valid_fraction, recipe.training.seed)
