"""What levelling faces by their eyes corrects, breaks and costs.

    FER_MOBILE_DATA=... python -m benchmarks.levelling faces [--faces 2000]
    taskset -c 0 python -m benchmarks.levelling times

Result: benchmarks/results/levelling.json and results/levelling_times.json.

*faces*: faces of ferplus-strict valid in photos of their own (see `benchmarks.framing`), which
are turned by some degrees.  Those that the detector finds are given to the shipped int8 files
as they are and levelled.  For each least tilt, the same faces are compared in pairs: how many
predictions levelling makes right (*corrected*) or wrong (*broken*).

*times*: milliseconds of crop, gray and resize for a face, with and without levelling.
"""

from __future__ import annotations

import argparse
import math
import timeit
from typing import Any

import cv2
import numpy as np

from benchmarks.framing import difference, shown_faces
from benchmarks.result_files import write_row
from fer_mobile.data import load_dataset
from fer_mobile.detect.yunet import YuNet
from fer_mobile.preprocess import CropRule, Levelling, face_pixels
from fer_mobile.runtime.classifier import Classifier, load_classifier
from fer_mobile.types import Box

TURNS = (0, 10, 20, 30, 45)
LEAST_TILTS = (0, 5, 10, 15, 20)
MODELS = ("xcao_two_stream", "compact")
HEIGHTS = (60, 100, 150, 200, 300)
"""Of a face's box, in pixels."""


def compare(turn: int, images: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """The figures of all models for faces in photos turned by `turn` degrees."""
    classifiers = {name: load_classifier(name) for name in MODELS}
    rules = {name: each.contract.preprocessing.crop.rule for name, each in classifiers.items()}
    pixels: dict[tuple[str, bool], list[np.ndarray]] = {
        (name, levelled): [] for name in MODELS for levelled in (False, True)
    }
    tilts, found = [], []
    for shown in shown_faces(images, labels, YuNet(), turn):
        tilts.append(shown.face.tilt or 0.0)
        found.append(shown.label)
        direction = Levelling(0).direction(shown.face)
        for (name, levelled), faces in pixels.items():
            size, way = classifiers[name].size, direction if levelled else None
            faces.append(face_pixels(shown.rgb, shown.face.box, size, rules[name], way))
    tilt, label = np.abs(tilts), np.array(found)
    rows = {}
    for name, classifier in classifiers.items():
        as_they_are, levelled = (
            predictions(classifier, np.stack(pixels[name, way])) == label for way in (False, True)
        )
        rows[name] = {"as_they_are": round(float(as_they_are.mean()), 4)} | {
            f"from {least}": pairs(as_they_are, np.where(tilt >= least, levelled, as_they_are))
            for least in LEAST_TILTS
        }
    quarters = np.percentile(tilts, (25, 50, 75)).round(1).tolist()
    shares = {f"from {least}": round(float((tilt >= least).mean()), 4) for least in LEAST_TILTS}
    return {"found": len(label), "tilt_quartiles": quarters, "levelled": shares, "models": rows}


def predictions(classifier: Classifier, pixels: np.ndarray) -> np.ndarray:
    """The index of each face's label."""
    parts = [pixels[i : i + 50] for i in range(0, len(pixels), 50)]
    return np.concatenate([classifier.classify(part).argmax(1) for part in parts])


def pairs(before: np.ndarray, after: np.ndarray) -> dict[str, Any]:
    """What levelling changes, of the same faces; both say which are right (bool [N])."""
    return {
        "accuracy": round(float(after.mean()), 4),
        "corrected": int((after & ~before).sum()),
        "broken": int((before & ~after).sum()),
    } | difference(after, before)


def faces(count: int) -> None:
    """Measure every turn."""
    valid = load_dataset(split="valid")
    chosen = np.random.default_rng(0).permutation(len(valid))[:count]
    images, labels = valid.images[chosen], valid.labels[chosen]
    rows = {str(turn): compare(turn, images, labels) for turn in TURNS}
    write_row(
        "levelling",
        {
            "protocol": f"ferplus-strict valid, {len(chosen)} faces at random (seed 0), enlarged "
            "to 100 to 280 px in photos without a face, the photos turned; int8 files; points "
            "of accuracy from levelling, interval: half of 95%",
            "turned_by": rows,
        },
    )


def times() -> None:
    """Measure the cost of one face by its height."""
    rng = np.random.default_rng(0)
    photo = rng.integers(0, 256, (480, 640, 3), np.uint8)
    # As after any photo: having freed one, the allocator keeps memory of that size.
    photo = photo.copy()
    tilt = math.radians(20)
    rows = {}
    for height in HEIGHTS:
        box = Box(320 - 0.4 * height, 240 - height / 2, 0.8 * height, height)
        ways = {"as_it_is": None, "levelled": (math.cos(tilt), math.sin(tilt))}
        row = {
            name: min(
                timeit.repeat(
                    lambda: face_pixels(photo, box, 56, CropRule(), way),  # noqa: B023
                    number=50,
                    repeat=40,
                )
            )
            / 50
            * 1e3
            for name, way in ways.items()
        }
        row["more"] = row["levelled"] - row["as_it_is"]
        rows[f"{height} px"] = {name: round(ms, 3) for name, ms in row.items()}
    write_row("levelling_times", {"protocol": "ms a face, least of 40 × 50, 56 px", "by": rows})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("faces", "times"))
    parser.add_argument("--faces", type=int, default=2000, help="drawn from valid")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    if arguments.what == "faces":
        faces(arguments.faces)
    else:
        times()


if __name__ == "__main__":
    main()
