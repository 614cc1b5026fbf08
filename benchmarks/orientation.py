"""Photos that lie on a side or upside down: what turning them keeps, finds and costs.

    FER_MOBILE_DATA=... python -m benchmarks.orientation

Result: benchmarks/results/orientation.json.

Bundled and shared photos whose number of faces is certain, without those that test EXIF, are
given to the pipeline as arrays of at most 1,280 px.

*library*: the photos upright, with `orient` auto over none: pixels that the network computes,
padding included, and processor time of the whole pipeline without decoding; photos that are
turned; faces found where there is none.  *landscapes*: the same for the photos without a face.

*lying*: photos in which a face is found upright, turned by quarters: how many get the label
that they have upright.

*sizes*: made photos of 640×427 with one face of each height, turned by quarters: of those in which
it is found upright, how many are turned back.

*sure*: how many photos with a face have one of the score that is taken to be upright.
"""

from __future__ import annotations

import time
from typing import Any

import cv2
import numpy as np

from benchmarks.result_files import write_row
from fer_mobile.arrays import Pixels
from fer_mobile.detect import load_detector
from fer_mobile.detect.orientation import CERTAIN, GLANCE_SIDE, SURE, find_turn, turned
from fer_mobile.detect.scale import Scaled, shrink
from fer_mobile.detect.yunet import YuNet
from fer_mobile.images import Photo, load_photo
from fer_mobile.models import DEFAULT
from fer_mobile.pipeline import Pipeline
from fer_mobile.resources import photos_dir
from fer_mobile.runtime.classifier import load_classifier
from fer_mobile.types import ORIENTS, TURNS, Detection, Orient, PhotoResult, Turn
from tools.made_photos import Certain, certain_photos
from tools.made_photos import sizes as made_sizes

LONGEST = 1280
RUNS = 2
HEIGHTS = (30, 64, 90, 128, 180)


class Counting(YuNet):
    """Counts the pixels that the network computes: sides are padded to multiples of 32."""

    pixels = 0

    def find(self, rgb: Pixels) -> list[Detection]:
        height, width = rgb.shape[:2]
        self.pixels += (height + -height % 32) * (width + -width % 32)
        return super().find(rgb)


class Measured:
    """A pipeline with what it has cost."""

    def __init__(self, orient: Orient) -> None:
        self.network = Counting()
        self.pipeline = Pipeline(load_classifier(DEFAULT), Scaled(self.network), orient=orient)
        self.seconds = 0.0

    def __call__(self, rgb: Pixels) -> PhotoResult:
        spent = []
        for _ in range(RUNS):
            start = time.thread_time()
            result = self.pipeline(rgb)
            spent.append(time.thread_time() - start)
        self.seconds += min(spent)
        return result


def pixels(photo: Certain, turn: Turn = 0) -> Pixels:
    """The photo as it lies if it has to be turned clockwise by `turn`."""
    return laid(shrink(load_photo(photo.path).rgb, LONGEST), turn)


def laid(rgb: Pixels, turn: Turn) -> Pixels:
    """Pixels as they lie if they have to be turned clockwise by `turn`."""
    away = TURNS[-TURNS.index(turn)] if turn else turn
    return np.ascontiguousarray(turned(Photo(rgb, rgb.shape[1::-1]), away).rgb)


def library(photos: list[Certain]) -> tuple[dict[str, Any], dict[str, PhotoResult]]:
    """The cost of `auto` over `none`, and the results of `none` by the photo's name."""
    ways = {orient: Measured(orient) for orient in ORIENTS}
    results: dict[Orient, dict[str, PhotoResult]] = {orient: {} for orient in ORIENTS}
    for photo in photos:
        rgb = pixels(photo)
        for orient, way in ways.items():
            results[orient][photo.name] = way(rgb)
    auto, none = ways["auto"], ways["none"]
    alarms = {
        orient: sum(len(found[photo.name].faces) for photo in photos if not photo.faces)
        for orient, found in results.items()
    }
    row = {
        "photos": len(photos),
        "without_face": sum(not photo.faces for photo in photos),
        "pixels_searched_auto_over_none": round(auto.network.pixels / none.network.pixels, 3),
        "time_auto_over_none": round(auto.seconds / none.seconds, 3),
        "turned": sum(bool(result.turn) for result in results["auto"].values()),
        "faces_in_photos_without": alarms,
    }
    return row, results["none"]


def lying(photos: list[Certain], upright: dict[str, PhotoResult]) -> dict[str, Any]:
    """For each turn and way, how many have a face and how many the label that they have upright."""
    shown = [photo for photo in photos if upright[photo.name].faces]
    ways = {orient: Measured(orient) for orient in ORIENTS}
    rows: dict[str, Any] = {"photos": len(shown)}
    for turn in TURNS:
        counts = {orient: {"found": 0, "same_label": 0} for orient in ORIENTS}
        right = 0
        before = {orient: way.network.pixels for orient, way in ways.items()}
        for photo in shown:
            rgb = pixels(photo, turn)
            for orient, way in ways.items():
                result = way.pipeline(rgb)
                counts[orient]["found"] += bool(result.faces)
                counts[orient]["same_label"] += result.label == upright[photo.name].label
                right += orient == "auto" and result.turn == turn
        auto, none = (ways[orient].network.pixels - before[orient] for orient in ("auto", "none"))
        rows[f"{turn}°"] = counts | {
            "turn_right": right,
            "pixels_searched_auto_over_none": round(auto / none, 3),
        }
    return rows


def sizes() -> dict[str, dict[str, int]]:
    """By the face's height in pixels: photos on a side, and how many of them are turned back."""
    detector = load_detector()
    rows = {f"{height} px": {"photos": 0, "turned_right": 0} for height in HEIGHTS}
    for height, made in made_sizes(HEIGHTS, 40):
        rgb = np.asarray(made.image)
        if not detector.detect(Photo(rgb, rgb.shape[1::-1])):
            continue
        for turn in TURNS[1:]:
            lies = laid(rgb, turn)
            found, _ = find_turn(detector, Photo(lies, lies.shape[1::-1]))
            row = rows[f"{height} px"]
            row["photos"] += 1
            row["turned_right"] += found == turn
    return rows


def sure(upright: dict[str, PhotoResult]) -> dict[str, Any]:
    """How often the surest face of an upright photo is sure."""
    best = [
        max(face.score or 0 for face in found.faces) for found in upright.values() if found.faces
    ]
    return {"photos_with_face": len(best), "sure": int((np.array(best) >= SURE).sum())}


def main() -> None:
    """Measure the portraits of congress apart, as they are many and alike."""
    cv2.setNumThreads(1)
    photos = [photo for photo in certain_photos() if "EXIF" not in photo.tags]
    portraits = [photo for photo in photos if photo.name.startswith("congress/")][::4]
    rest = [photo for photo in photos if not photo.name.startswith("congress/")]
    rest += certain_photos(photos_dir())
    rows: dict[str, dict[str, Any]] = {}
    for name, chosen in {
        "portraits of congress, every fourth": portraits,
        "the rest": rest,
    }.items():
        cost, upright = library(chosen)
        rows[name] = {"library": cost, "sure": sure(upright), "lying": lying(chosen, upright)}
    landscapes = [photo for photo in rest if not photo.faces]
    rows["the rest"]["landscapes"] = library(landscapes)[0]
    write_row(
        "orientation",
        {
            "protocol": "arrays of at most 1,280 px, default model and detector at 640 px; "
            f"processor time, smaller of {RUNS} runs, in turn",
            "sure": SURE,
            "certain": CERTAIN,
            "glance_side": GLANCE_SIDE,
            "sets": rows,
            "sizes": sizes(),
        },
    )


if __name__ == "__main__":
    main()
