"""The whole pipeline without decoding against OpenCV's face detector alone.

    taskset -c 0 python -m benchmarks.detector_ratio

Result: benchmarks/results/detector_ratio.json.

The bundled photos of 640 px and more, brought down to 640 px, are given as arrays to the pipeline
with either shipped model and everything at its default, and to OpenCV's FaceDetectorYN with the
same weights and nothing after it.  Processor time of one thread, the least of several runs in
turn.  The ratio is that of each photo; medians are over the photos with one face, which is sure,
and over those without a face, where other turns are glanced at (see
`fer_mobile.detect.orientation`).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import cv2
import numpy as np

from benchmarks.result_files import write_row
from fer_mobile.detect import DETECTION_SIDE
from fer_mobile.detect.orientation import SURE
from fer_mobile.detect.scale import shrink
from fer_mobile.detect.yunet import OVERLAP, SCORE, YuNet, shipped_onnx
from fer_mobile.images import find_photos, load_photo
from fer_mobile.pipeline import load_pipeline
from fer_mobile.resources import photos_dir

MODELS = ("xcao_two_stream", "compact")
RUNS = 15


def least(calls: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Milliseconds of each call, the least of `RUNS`, in turn."""
    ms = dict.fromkeys(calls, float("inf"))
    for _ in range(RUNS):
        for name, call in calls.items():
            start = time.thread_time()
            call()
            ms[name] = min(ms[name], (time.thread_time() - start) * 1e3)
    return ms


def medians(rows: list[dict[str, float]]) -> dict[str, Any]:
    """Median milliseconds, and median ratios to OpenCV's detector."""
    return {
        "photos": len(rows),
        "ms": {name: round(float(np.median([row[name] for row in rows])), 2) for name in rows[0]},
        "over_opencv": {
            name: round(float(np.median([row[name] / row["opencv"] for row in rows])), 3)
            for name in rows[0]
        },
    }


def main() -> None:
    """Measure all photos."""
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    cv2.setNumThreads(1)
    pipelines = {name: load_pipeline(name) for name in MODELS}
    opencv = cv2.FaceDetectorYN.create(str(shipped_onnx()), "", (320, 320), SCORE, OVERLAP, 5000)
    yunet = YuNet()
    single, without = [], []
    for path in find_photos(photos_dir()):
        rgb = load_photo(path).rgb
        if max(rgb.shape) < DETECTION_SIDE:
            continue
        rgb = np.ascontiguousarray(shrink(rgb))
        faces = yunet.find(rgb)
        bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
        opencv.setInputSize(bgr.shape[1::-1])
        calls: dict[str, Callable[[], object]] = {
            "opencv": partial(opencv.detect, bgr),
            "yunet": partial(yunet.find, rgb),
            **{name: partial(pipeline, rgb) for name, pipeline in pipelines.items()},
        }
        if not faces:
            without.append(least(calls))
        elif len(faces) == 1 and (faces[0].score or 0) >= SURE:
            single.append(least(calls))
    write_row(
        "detector_ratio",
        {
            "protocol": f"bundled photos at 640 px as arrays, least of {RUNS} runs in turn, "
            "processor time of one thread",
            "one_sure_face": medians(single),
            "no_face": medians(without),
        },
    )


if __name__ == "__main__":
    main()
