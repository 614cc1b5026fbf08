"""What reduced JPEG decoding costs in labels and gains in time, and the speed line.

    FER_MOBILE_DATA=... python -m benchmarks.reduced_decoding labels [--photos 160]
    FER_MOBILE_DATA=... taskset -c 1 python -m benchmarks.reduced_decoding times [--photos 160]

Result: benchmarks/results/reduced_decoding_labels.json and results/reduced_decoding.json (times).

Two made sets of 12-MP JPEG files (`tools/made_photos.py`): single faces of 20 to 300 px at
detection scale in real photos, and every shared photo with a face, enlarged to a long side of 4000.
The shared photos of 12 MP and more, most of them without a face, are a third set.
Each is given to the pipeline as a file (decoded reduced, and again where a face would be
enlarged) and as the whole photo's pixels; a photo agrees when both give it the same label.
`labels` says how many do, by shipped model.

`times` states decoding at a fixed reduction next to it, and ratios of processor time in one run
on one thread, the smallest of three runs a photo, in turn: the file to its label against one
full-resolution `cv2.imread` of it; and the pipeline on the 640-px image, detection to label,
against OpenCV's FaceDetectorYN alone on it.
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
from fer_mobile.detect.scale import shrink
from fer_mobile.detect.yunet import OVERLAP, SCORE, shipped_onnx
from fer_mobile.images import load_photo
from fer_mobile.models import shipped_models
from fer_mobile.pipeline import Pipeline, load_pipeline
from fer_mobile.types import PhotoResult
from tools.made_photos import LARGE, certain_photos, enlarged, photos_folder, single_faces

RUNS = 3
FIXED = (640, 1280)
"""Least long sides of decoding at a fixed reduction."""


@dataclass
class Compared:
    """One photo, as the pipeline reads it and otherwise."""

    whole: PhotoResult
    ours: PhotoResult
    fixed: dict[int, PhotoResult]
    megabytes: float
    twice: bool
    """It was decoded twice."""
    ms: dict[str, float]

    def ratio(self, some: str, other: str) -> float:
        return self.ms[some] / self.ms[other]


def compare(path: Path, pipeline: Pipeline, opencv: cv2.FaceDetectorYN) -> Compared:
    reduced = load_photo(path, min_long_side=pipeline.detector.side)
    small = shrink(reduced.rgb)
    bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
    opencv.setInputSize(bgr.shape[1::-1])
    results: dict[str, Any] = {}
    calls: dict[str, Callable[[], Any]] = {
        "file_to_label": lambda: pipeline(path),
        "imread": lambda: cv2.imread(str(path)),
        "detection_to_label": lambda: pipeline(small),
        "opencv_detection": lambda: opencv.detect(bgr),
    }
    ms = {name: float("inf") for name in calls}
    for _ in range(RUNS):
        for name, call in calls.items():
            start = time.thread_time()
            results[name] = call()
            ms[name] = min(ms[name], (time.thread_time() - start) * 1000)
    ours: PhotoResult = results["file_to_label"]
    rule = pipeline.classifier.contract.preprocessing.crop.rule
    sides = [rule.square(face.box)[2] * reduced.scale for face in ours.faces]
    return Compared(
        whole=pipeline(load_photo(path).rgb),
        ours=ours,
        fixed={
            side: pipeline(load_photo(path, min_long_side=side).rgb) for side in FIXED
        },
        megabytes=path.stat().st_size / 1e6,
        twice=min(sides, default=np.inf) < pipeline.classifier.size,
        ms=ms,
    )  # fmt: skip


def summary(photos: list[Compared]) -> dict[str, Any]:
    def same(label: Callable[[Compared], str | None]) -> dict[str, Any]:
        agree = [label(photo) == photo.whole.label for photo in photos]
        return {"same_label": sum(agree), "share": round(float(np.mean(agree)), 4)}

    def fixed(side: int) -> Callable[[Compared], str | None]:
        return lambda photo: photo.fixed[side].label

    def ratios(some: list[Compared], one: str, other: str) -> dict[str, Any]:
        values = [photo.ratio(one, other) for photo in some]
        if not values:
            return {"photos": 0}
        return {
            "photos": len(values),
            "median": round(float(np.median(values)), 3),
            "of_sums": round(
                sum(photo.ms[one] for photo in some) / sum(photo.ms[other] for photo in some), 3
            ),
            "p90": round(float(np.percentile(values, 90)), 3),
        }

    return {
        "photos": len(photos),
        "median_megabytes": round(float(np.median([photo.megabytes for photo in photos])), 2),
        "with_a_face": sum(photo.whole.label is not None for photo in photos),
        "pipeline": same(lambda photo: photo.ours.label),
        **{f"fixed_at_least_{side}": same(fixed(side)) for side in FIXED},
        "decoded_twice": sum(photo.twice for photo in photos),
        "file_to_label_over_imread": {
            "all": ratios(photos, "file_to_label", "imread"),
            "decoded_once": ratios([p for p in photos if not p.twice], "file_to_label", "imread"),
            "decoded_twice": ratios([p for p in photos if p.twice], "file_to_label", "imread"),
        },
        "detection_to_label_over_opencv_detection": ratios(
            photos, "detection_to_label", "opencv_detection"
        ),
        "median_ms": {
            name: round(float(np.median([photo.ms[name] for photo in photos])), 1)
            for name in photos[0].ms
        },
    }


def saved(photos: Iterable[Image.Image]) -> Iterator[Path]:
    """Each photo as a JPEG file, until the next one is asked for."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo.jpg"
        for photo in photos:
            photo.save(path, quality=92)
            yield path


def large_files() -> list[Path]:
    """The JPEG files of 12 MP and more among the shared photos."""
    files = sorted((photos_folder() / "immich").glob("*.jpg"))
    return [path for path in files if _pixels(path) > 12e6]


def _pixels(path: Path) -> int:
    with Image.open(path) as photo:
        return photo.width * photo.height


def labels(paths: Iterable[Path]) -> dict[str, Any]:
    """How many photos get the same label from a reduced and from the whole photo, by model."""
    pipelines = {name: load_pipeline(name) for name in shipped_models()}
    photos = 0
    same = dict.fromkeys(pipelines, 0)
    for path in paths:
        photos += 1
        whole = load_photo(path).rgb
        for name, pipeline in pipelines.items():
            same[name] += pipeline(path).label == pipeline(whole).label
    return {"photos": photos, "same_label": same}


def times(paths: Iterable[Path]) -> dict[str, Any]:
    pipeline = load_pipeline()
    opencv = cv2.FaceDetectorYN.create(str(shipped_onnx()), "", (320, 320), SCORE, OVERLAP, 5000)
    return summary([compare(path, pipeline, opencv) for path in paths])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["labels", "times"])
    parser.add_argument("--photos", type=int, default=160, help="of single faces")
    parser.add_argument("--enlarged", type=int, help="only the first N of the enlarged set")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    # Those that are no portraits first: of them, none is left out.
    shared = sorted(
        (photo for photo in certain_photos() if photo.faces),
        key=lambda photo: photo.path.parent.name == "congress",
    )[: args.enlarged]
    sets = {
        "single_faces": saved(made.image for made in single_faces(args.photos)),
        "shared_photos_enlarged": saved(enlarged(photo.path) for photo in shared),
        "shared_photos_of_12_megapixels": large_files(),
    }
    made = (
        f"made JPEG photos, long side {LARGE}, quality 92; labels against those of the whole photo"
    )
    if args.what == "labels":
        write_row(
            "reduced_decoding_labels",
            {"protocol": made, **{name: labels(paths) for name, paths in sets.items()}},
        )
        return
    write_row(
        "reduced_decoding",
        {
            "protocol": f"{made}; processor times on one thread, smallest of {RUNS} runs, in turn",
            "pipeline": load_pipeline().identity,
            **{name: times(paths) for name, paths in sets.items()},
        },
    )


if __name__ == "__main__":
    main()
