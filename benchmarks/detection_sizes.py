"""What a larger detection size finds, and what it costs.

    FER_MOBILE_DATA=... python -m benchmarks.detection_sizes [--photos 20]

Result: benchmarks/results/detection_sizes.json.

Made photos (`tools/made_photos.py`) with one face of 8 to 40 px, counted at a longest side of 640:
photos of 2560 px, and photos of 640 px, which a larger detection size enlarges.  Recall by
the face's height; processor time of one photo on one thread, the smallest of nine runs in
turn.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import cv2
import numpy as np

from benchmarks.detection import by_key
from benchmarks.result_files import write_row
from fer_mobile.detect import FaceDetector, load_detector
from fer_mobile.images import Photo
from tools.made_photos import sizes

HEIGHTS = (8, 10, 14, 16, 20, 24, 28, 32, 40)
LONG_SIDES = (2560, 640)
SIDES = (640, 960, 1280, 1920)
RUNS = 9


def detect_ms(detectors: dict[int, FaceDetector], photo: Photo) -> dict[int, float]:
    """Milliseconds of processor time: other programs slow it down, but are not counted."""
    least = dict.fromkeys(detectors, float("inf"))
    for _ in range(RUNS):
        for side, detector in detectors.items():
            start = time.thread_time()
            detector.detect(photo)
            least[side] = min(least[side], (time.thread_time() - start) * 1000)
    return least


def measure(long_side: int, count: int) -> dict[str, Any]:
    made = list(sizes(HEIGHTS, count, long_side=long_side))
    image = made[0][1].image
    photo = Photo(np.asarray(image), image.size)
    detectors = {side: load_detector(side=side) for side in SIDES}
    ms = detect_ms(detectors, photo)
    rows: dict[str, Any] = {}
    for side, detector in detectors.items():
        scores = by_key(made, detector)
        rows[str(side)] = {
            "recall_by_face_height_at_640_px": {k: row["recall"] for k, row in scores.items()},
            "false_alarms": sum(row["false_alarms"] for row in scores.values()),
            "detect_ms": round(ms[side], 1),
        }
    return {"photo": "×".join(map(str, image.size)), "photos": len(made), "detection_size": rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=20, help="of each face height")
    count = parser.parse_args().photos
    cv2.setNumThreads(1)
    write_row(
        "detection_sizes",
        {
            "protocol": f"made photos with one face, {count} of each height; found: a box that "
            "overlaps it by 0.4 at least",
            "detector": load_detector().identity,
            **{f"photos_of_{side}_px": measure(side, count) for side in LONG_SIDES},
        },
    )


if __name__ == "__main__":
    main()
