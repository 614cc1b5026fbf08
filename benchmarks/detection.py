"""Recall, false alarms and time of a face detector on the shared photos and on made ones.

    FER_MOBILE_DATA=... python -m benchmarks.detection [--detector yunet|opencv|mediapipe]

Result: benchmarks/results/detection.json, a part for each detector.

*Shared photos*: those whose count of faces is certain (a plain integer in the manifest).
Recall is Σ min(found, counted) / Σ counted; a face beyond the count is a false alarm.

*Made photos* (`tools/made_photos.py`): where every face is, is known; one is found when a box
overlaps it by at least 0.4 (intersection over union), and a box that overlaps no face is a
false alarm.

Times are of one thread, the smallest of three runs a photo: decoding (reduced where
possible) and detection (shrinking included).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from benchmarks.result_files import write_row
from fer_mobile.detect import FaceDetector, load_detector
from fer_mobile.detect.yunet import overlap
from fer_mobile.images import Photo, load_photo
from fer_mobile.types import DETECTORS, Detection
from tools.made_photos import (
    Certain,
    Made,
    certain_photos,
    filling,
    groups,
    panoramas,
    single_faces,
    sizes,
    tilted,
)

RUNS = 3
OVERLAP = 0.4
HEIGHTS = (16, 20, 24, 28, 32, 40, 48, 64, 96, 200, 400)
ANGLES = (-30, -20, -10, 10, 20, 30)
ORIENTATIONS = tuple(range(1, 9))
STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How an upright image is stored for each EXIF orientation."""


@dataclass
class Row:
    """A shared photo."""

    file: str
    counted: int
    scores: list[float]
    decode_ms: float
    detect_ms: float

    @property
    def found(self) -> int:
        return len(self.scores)


def fastest(call: Callable[[], Any]) -> tuple[float, Any]:
    """Milliseconds of the fastest run, and the result."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        result = call()
        times.append((time.perf_counter() - start) * 1000)
    return min(times), result


def measure(photo: Certain, detector: FaceDetector) -> Row:
    decode_ms, pixels = fastest(lambda: load_photo(photo.path, min_long_side=detector.side))
    detect_ms, faces = fastest(lambda: detector.detect(pixels))
    scores = [round(face.score, 3) for face in faces]
    return Row(photo.name, photo.faces, scores, decode_ms, detect_ms)


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


Result = tuple[Made, list[Detection]]


def score(results: Iterable[Result]) -> dict[str, Any]:
    """Recall and false alarms of made photos."""
    photos = faces = found = alarms = 0
    for made, detections in results:
        photos += 1
        faces += len(made.boxes)
        found += sum(any(overlap(box, d.box) >= OVERLAP for d in detections) for box in made.boxes)
        alarms += sum(all(overlap(box, d.box) == 0 for box in made.boxes) for d in detections)
    return {
        "photos": photos,
        "faces": faces,
        "found": found,
        "recall": round(found / faces, 4),
        "false_alarms": alarms,
    }


def directly(made: Iterable[Made], detector: FaceDetector) -> Iterator[Result]:
    for each in made:
        pixels = np.asarray(each.image)
        yield each, detector.detect(Photo(pixels, each.image.size))


def through_files(
    made: Iterable[Made], detector: FaceDetector, orientation: int = 1
) -> Iterator[Result]:
    """As JPEG files, stored with an EXIF orientation and decoded as the pipeline does."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo.jpg"
        for each in made:
            method = STORED.get(orientation)
            stored = each.image if method is None else each.image.transpose(method)
            stored.save(path, quality=90, exif=exif)
            yield each, detector.detect(load_photo(path, min_long_side=detector.side))


def by_key(pairs: Iterable[tuple[int, Made]], detector: FaceDetector) -> dict[str, Any]:
    """Scores by what each made photo was made for (a height, an angle)."""
    sets: dict[int, list[Made]] = {}
    for key, made in pairs:
        sets.setdefault(key, []).append(made)
    return {str(key): score(directly(made, detector)) for key, made in sets.items()}


def made_sets(detector: FaceDetector, count: int) -> dict[str, Any]:
    return {
        "made": "of the shared photos by tools/made_photos.py; every face's place is known",
        "face_height_at_640_px": by_key(sizes(HEIGHTS, count), detector),
        "face_fills_the_photo": score(directly(filling(count), detector)),
        "groups_of_2_to_12": score(directly(groups(count), detector)),
        "tilt_degrees": by_key(tilted(ANGLES, count), detector),
        "panorama_1_to_6": score(directly(panoramas(6, count), detector)),
        "exif_orientation": {
            str(turn): score(through_files(groups(count // 4, seed=turn), detector, turn))
            for turn in ORIENTATIONS
        },
        "12_megapixels_face_20_to_300_px": score(through_files(single_faces(count), detector)),
    }


def against_opencv(shared: list[Certain]) -> dict[str, Any]:
    """How far the shipped detector agrees with OpenCV's, and the time of both on one image."""
    detectors = [load_detector(), load_detector("opencv")]
    times: list[list[float]] = [[], []]
    same = 0
    overlaps = [1.0]
    for certain in shared:
        photo = load_photo(certain.path, min_long_side=detectors[0].side)
        results = []
        for spent, detector in zip(times, detectors, strict=True):
            ms, faces = fastest(lambda: detector.detect(photo))  # noqa: B023
            spent.append(ms)
            results.append(faces)
        same += len(results[0]) == len(results[1])
        overlaps += [overlap(a.box, b.box) for a, b in zip(*results, strict=False)]
    return {
        "photos": len(shared),
        "same_number_of_faces": same,
        "least_overlap": round(min(overlaps), 4),
        "detect_ms_mean": {
            "yunet": round(float(np.mean(times[0])), 2),
            "opencv": round(float(np.mean(times[1])), 2),
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--detector", default="yunet", choices=DETECTORS[:3])
    parser.add_argument("--made", type=int, default=40, help="photos of each made set")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    detector = load_detector(args.detector)
    shared = certain_photos()
    rows = [measure(photo, detector) for photo in shared]
    congress = [row for row in rows if row.file.startswith("congress/")]
    shipped = args.detector == "yunet"
    write_row(
        "detection" if shipped else f"detection_{args.detector}",
        {
            "protocol": "photos of the shared set with a certain count; "
            "recall = Σ min(found, counted) / Σ counted",
            "detector": detector.identity,
            "congress": summary(congress),
            "rest": summary([row for row in rows if row not in congress]),
            "all": summary(rows),
            "made_photos": made_sets(detector, args.made),
            **({"opencv": against_opencv(shared)} if shipped else {}),
        },
    )


if __name__ == "__main__":
    main()
