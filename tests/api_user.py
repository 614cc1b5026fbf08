"""What a user's own code looks like; `test_api.py` has mypy check it, and does not run it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import fer_mobile
from fer_mobile import PhotoError, ScanOptions


def photos(array: NDArray[np.uint8], path: Path) -> list[str]:
    """Every kind of photo, and what its result holds."""
    pipeline: fer_mobile.Pipeline = fer_mobile.load_pipeline("compact", faces="each", threads=2)
    results = [
        pipeline(path),
        pipeline(str(path)),
        pipeline(path.read_bytes()),
        pipeline(io.BytesIO(path.read_bytes())),
        pipeline(array, bgr=True, boxes=[(1, 2, 30, 40)], on_error="result"),
        *pipeline.batch([path, array], on_error="raise"),
    ]
    lines: list[str] = []
    for result in results:
        width, height = result.size or (0, 0)
        lines.append(f"{result.path} {result.label or result.error} {width}×{height}")
        for face in result.faces:
            area: float = face.box.width * face.box.height
            points: list[float] = [x for x, _ in face.landmarks]
            lines.append(f"{face.label} {face.confidence:.2f} {face.score} {area} {points}")
            lines.append(str(face.probabilities["happiness"]))
        lines.append(str(result.as_dict()["faces"][0]["box"]))
    return lines


def faces(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Faces that are cut out already."""
    predictor = fer_mobile.load_predictor("compact")
    predictions = fer_mobile.classify_faces([rgb, rgb], predictor)
    best: list[str] = predictions.best
    confidences: list[float] = predictions.confidences
    print(best, confidences, predictions.labels)
    return predictions.probabilities


def models(folder: Path) -> float:
    """A recipe's way to a measured file."""
    run = fer_mobile.train("compact", folder / "run", data=folder / "faces.npz")
    exported = fer_mobile.export(run.folder, out=folder, quantize="float16")
    fer_mobile.export(options=fer_mobile.ExportOptions(quantize="int8", color="rgb"))
    proof = fer_mobile.verify(exported.path)
    figures = fer_mobile.evaluate(
        exported.path, folder / "faces.npz", protocol="ferplus-strict", split="valid"
    )
    dataset = fer_mobile.load_dataset(folder / "faces.npz", protocol="fer2013", split="all")
    names: tuple[str, ...] = dataset.names
    print(proof.passed, names, figures.scores.recall["fear"], exported.contract.labels)
    print([row["name"] for row in fer_mobile.list_models()])
    return figures.scores.accuracy


def library(folder: Path) -> list[str | None]:
    """A folder of photos."""
    options = ScanOptions(model="compact", workers=2, detector="yunet")
    try:
        return [result.label for result in fer_mobile.scan_library(folder, options)]
    except PhotoError as error:
        print(error.expected, error.found, error.hint)
        return []
