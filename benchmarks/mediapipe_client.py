"""Shows that a client which nobody here wrote reads our files: MediaPipe Tasks' ImageClassifier.

    python -m benchmarks.mediapipe_client MODEL_rgb_int8.tflite ...

Result: benchmarks/results/mediapipe_client.jsonl.

Needs mediapipe (in an environment of its own: it brings another OpenCV) and fer-mobile.
Each golden face is given already at the input's size; the client's best label must be the
one our own runtime gives (faces whose two best labels are within 0.02 apart), and every
score within 0.02.  Exit code 1 when it is not so.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import mediapipe
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision

from benchmarks.result_files import write_rows
from fer_mobile.golden import golden_faces
from fer_mobile.runtime.classifier import load_classifier
from fer_mobile.runtime.interpreter import runtime_name

TOLERANCE = 0.02


def client_scores(model: Path, faces: np.ndarray, labels: tuple[str, ...]) -> np.ndarray:
    options = vision.ImageClassifierOptions(
        base_options=BaseOptions(model_asset_path=str(model)), max_results=-1
    )
    rows = []
    with vision.ImageClassifier.create_from_options(options) as client:
        for face in faces:
            rgb = np.ascontiguousarray(np.repeat(face[..., None], 3, -1))
            image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=rgb)
            categories = client.classify(image).classifications[0].categories
            scores = {category.category_name: category.score for category in categories}
            rows.append([scores[label] for label in labels])
    return np.array(rows)


def compare(model: Path) -> dict[str, Any]:
    ours = load_classifier(model)
    faces = golden_faces(ours.size)
    theirs = client_scores(model, faces, ours.labels)
    expected = ours.classify(faces)
    best = np.sort(expected, 1)
    clear = best[:, -1] - best[:, -2] > TOLERANCE
    differ = (theirs.argmax(1) != expected.argmax(1)) & clear
    return {
        "model": model.name,
        "faces": len(faces),
        "ties": int((~clear).sum()),
        "labels_that_differ": int(differ.sum()),
        "largest_difference": float(np.abs(theirs - expected).max()),
        "mediapipe": mediapipe.__version__,
        "runtime": runtime_name(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", type=Path)
    rows = [compare(model) for model in parser.parse_args().models]
    print("\n".join(json.dumps(row) for row in rows))
    write_rows("mediapipe_client", rows)
    good = all(
        not row["labels_that_differ"] and row["largest_difference"] <= TOLERANCE for row in rows
    )
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
