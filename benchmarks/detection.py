"""Recall, false alarms and time of the shipped detector on the shared photos.

    FER_MOBILE_DATA=... python benchmarks/detection.py [--score 0.6]

Only photos whose count of faces is certain (a plain integer in the manifest) take part.
Recall is Σ min(found, counted) / Σ counted; a face beyond the count is a false alarm.
Times are of one thread, the smallest of three runs a photo: what the pipeline does before
the classifier, decoding (reduced where possible) and detection (shrinking included).

OpenCV's FaceDetectorYN runs the same weights (the ONNX file) on the same images: how far
its boxes agree, and how long it takes for the detection alone, beside ours.
"""

from __future__ import annotations

import argparse
import csv
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rows import write_row

from fer_mobile.convert.yunet import shipped_onnx
from fer_mobile.detect import DETECTION_SIDE
from fer_mobile.detect.scale import shrink
from fer_mobile.detect.yunet import OVERLAP, SCORE, YuNet, overlap
from fer_mobile.images import load_photo
from fer_mobile.types import Box

OpenCV = cv2.FaceDetectorYN

RUNS = 3


@dataclass
class Row:
    file: str
    counted: int
    scores: list[float]
    decode_ms: float
    detect_ms: float
    tflite_ms: float
    """Detection alone, without shrinking."""
    opencv_ms: float
    opencv_found: int
    overlaps: list[float]
    """Intersection over union of each face with OpenCV's of the same rank."""

    @property
    def found(self) -> int:
        return len(self.scores)


def certain_photos(folder: Path) -> list[tuple[str, int]]:
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = [(row["file"], row["faces"].strip()) for row in csv.DictReader(file)]
    return [(name, int(faces)) for name, faces in rows if faces.isdigit()]


def fastest(call: Callable[[], Any]) -> tuple[float, Any]:
    """Milliseconds of the fastest run, and the result."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        result = call()
        times.append((time.perf_counter() - start) * 1000)
    return min(times), result


def measure(folder: Path, name: str, counted: int, detector: YuNet, opencv: OpenCV) -> Row:
    decode_ms, photo = fastest(lambda: load_photo(folder / name, min_long_side=DETECTION_SIDE))
    shrink_ms, small = fastest(lambda: shrink(photo.rgb))
    tflite_ms, faces = fastest(lambda: detector.detect(small))
    bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
    opencv.setInputSize(bgr.shape[1::-1])
    opencv_ms, (_, theirs) = fastest(lambda: opencv.detect(bgr))
    boxes = [] if theirs is None else sorted(theirs.tolist(), key=lambda row: -row[14])
    return Row(
        name,
        counted,
        [round(face.score, 3) for face in faces],
        decode_ms,
        shrink_ms + tflite_ms,
        tflite_ms,
        opencv_ms,
        len(boxes),
        [overlap(a.box, Box(*b[:4])) for a, b in zip(faces, boxes, strict=False)],
    )


def summary(rows: list[Row]) -> dict[str, object]:
    counted = sum(row.counted for row in rows)
    hit = sum(min(row.found, row.counted) for row in rows)
    alarms = [row for row in rows if row.found > row.counted]
    extra = sum(row.found - row.counted for row in alarms)
    return {
        "photos": len(rows),
        "faces": counted,
        "found": hit,
        "recall": round(hit / counted, 4) if counted else None,
        "missed_in": {
            row.file: f"{row.found} of {row.counted}" for row in rows if row.found < row.counted
        },
        "false_alarms": extra,
        "false_alarms_per_100_photos": round(100 * extra / len(rows), 2),
        "false_alarms_in": {row.file: row.scores[row.counted :] for row in alarms},
        "ms_per_photo": {
            stage: {
                "mean": round(float(np.mean(values)), 2),
                "p90": round(float(np.percentile(values, 90)), 2),
            }
            for stage, values in (
                ("decode", [row.decode_ms for row in rows]),
                ("detect", [row.detect_ms for row in rows]),
            )
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--score", type=float, default=SCORE, help="least score of a face")
    score = parser.parse_args().score
    cv2.setNumThreads(1)
    folder = Path(os.environ["FER_MOBILE_DATA"]) / "photos"
    detector = YuNet(score=score)
    opencv = OpenCV.create(str(shipped_onnx()), "", (320, 320), score, OVERLAP, 5000)
    rows = [
        measure(folder, name, faces, detector, opencv) for name, faces in certain_photos(folder)
    ]
    congress = [row for row in rows if row.file.startswith("congress/")]
    write_row(
        "detection",
        {
            "protocol": "photos of the shared set with a certain count; "
            "recall = Σ min(found, counted) / Σ counted",
            "detector": detector.identity,
            "long_side": DETECTION_SIDE,
            "congress": summary(congress),
            "rest": summary([row for row in rows if row not in congress]),
            "all": summary(rows),
            "opencv": {
                "same_number_of_faces": sum(len(row.scores) == row.opencv_found for row in rows),
                "least_overlap": round(min(min(row.overlaps, default=1.0) for row in rows), 4),
                "detection_ms": {
                    "tflite": round(float(np.mean([row.tflite_ms for row in rows])), 2),
                    "opencv": round(float(np.mean([row.opencv_ms for row in rows])), 2),
                },
            },
        },
    )


if __name__ == "__main__":
    main()
