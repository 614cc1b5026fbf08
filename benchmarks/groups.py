"""How often each label is given to the faces of each group of people.

    FER_MOBILE_DATA=... python -m benchmarks.groups

Result: benchmarks/results/groups.jsonl, a row for each group.

The faces are those of UTKFace (part 1) in `faces_extra`, cut out by the shipped detector and
crop rule.  The names of their files state an age, a sex and one of five groups.  Nobody has said
which expression they show, so nothing here is an accuracy: that one group gets a label more
often may lie in the photos that were collected of it (parents' photos of babies, portraits of
officials), in how people pose, or in the model.  What can be seen is where the two shipped
models disagree, how often neither is sure, and whether photos of one group are more often
called poor: as they are, and with a fifth of the light.

A face is *unsure* where the label's probability is below 0.5; *of low quality* where its
quality (see `fer_mobile.quality`; its tilt is not known here) is below 0.5.  Intervals are
Wilson's, 95%.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from benchmarks.intervals import wilson
from benchmarks.result_files import write_rows
from fer_mobile.arrays import Pixels
from fer_mobile.labels import GROUPS as GROUPS_OF_LABELS
from fer_mobile.predictor import Predictions, classify_faces
from fer_mobile.preprocess import resize
from fer_mobile.quality import SIDE, face_quality
from fer_mobile.runtime.classifier import load_classifier
from fer_mobile.types import Box, Detection

MODELS: Final = ("compact", "xcao_two_stream")
LOW: Final = 0.5
TILE: Final = 64
COLUMNS: Final = 64

_NAME: Final = re.compile(r"(?P<age>\d+)_(?P<sex>[01])_(?P<group>[0-4])_")
SEXES: Final = ("male", "female")
GROUPS: Final = ("White", "Black", "Asian", "Indian", "other")
"""The words of UTKFace, in the order of its numbers."""
AGES: Final = {"0 to 2": 3, "3 to 9": 10, "10 to 19": 20, "20 to 39": 40, "40 to 59": 60}
"""Bands of age with the first year above; who is older is in none of them."""


@dataclass(frozen=True)
class People:
    """The faces, and what their files' names say of them."""

    images: Pixels
    """uint8 [N, 64, 64]"""
    quality: np.ndarray
    in_the_dark: np.ndarray
    """Quality with a fifth of the light."""
    groups: dict[str, np.ndarray]
    """str [N] by what is told apart."""


def read_people(folder: Path) -> tuple[People, int]:
    """The faces of UTKFace, and how many were left out because their names say less."""
    with (folder / "index.csv").open(newline="", encoding="utf-8") as file:
        listed = [row for row in csv.DictReader(file) if row["mosaic"].startswith("utk1_")]
    named = [(row, match) for row in listed if (match := _NAME.match(Path(row["file"]).name))]
    mosaics = {
        name: np.asarray(Image.open(folder / name).convert("L"))
        for name in sorted({row["mosaic"] for row, _ in named})
    }
    images = np.stack([_tile(mosaics[row["mosaic"]], int(row["tile"])) for row, _ in named])
    detections = [
        Detection(Box(0, 0, 1, float(row["face_height_px"])), float(row["detector_score"]))
        for row, _ in named
    ]
    groups = {
        "age": [_age(int(match["age"])) for _, match in named],
        "sex": [SEXES[int(match["sex"])] for _, match in named],
        "group": [GROUPS[int(match["group"])] for _, match in named],
    }
    by_name = {name: np.array(values) for name, values in groups.items()}
    by_name["sex and group"] = np.char.add(np.char.add(by_name["sex"], ", "), by_name["group"])
    quality, in_the_dark = (_rated(pixels, detections) for pixels in (images, images // 5))
    return People(images, quality, in_the_dark, by_name), len(listed) - len(named)


def _rated(images: Pixels, detections: Sequence[Detection]) -> np.ndarray:
    """The quality of every face."""
    pairs = zip(images, detections, strict=True)
    return np.array([face_quality(resize(image, SIDE), face).value for image, face in pairs])


def _tile(mosaic: Pixels, number: int) -> Pixels:
    top, left = TILE * (number // COLUMNS), TILE * (number % COLUMNS)
    return mosaic[top : top + TILE, left : left + TILE]


def _age(years: int) -> str:
    return next((band for band, above in AGES.items() if years < above), "60 and more")


def _in_order(name: str) -> tuple[int, str]:
    first = name.split()[0]
    return int(first) if first.isdigit() else 0, name


def share(chosen: np.ndarray) -> dict[str, Any]:
    """The share of the faces that are chosen (bool [N]), with its interval."""
    count, n = int(chosen.sum()), len(chosen)
    return {"count": count, "share": round(count / n, 4), "interval": wilson(count, n)}


def rows(people: People, predictions: dict[str, Predictions]) -> Iterator[dict[str, Any]]:
    """A row for every group, the first of all faces."""
    first, second = (np.array(each.best) for each in predictions.values())
    everyone = {"all": np.full(len(people.images), "everyone")}
    for kind, names in (everyone | people.groups).items():
        for name in sorted(set(names.tolist()), key=_in_order):
            within = names == name
            yield {
                "kind": kind,
                "group": name,
                "faces": int(within.sum()),
                "models_disagree": share((first != second)[within]),
                "low_quality": share((people.quality < LOW)[within]),
                "low_quality_in_the_dark": share((people.in_the_dark < LOW)[within]),
                "models": {
                    model: {
                        "labels": {
                            label: share(np.array(each.best)[within] == label)
                            for label in each.labels
                        },
                        "negative": share(np.isin(each.best, GROUPS_OF_LABELS["negative"])[within]),
                        "unsure": share(np.array(each.confidences)[within] < 0.5),
                    }
                    for model, each in predictions.items()
                },
            }


def main() -> None:
    folder = Path(os.environ["FER_MOBILE_DATA"]) / "faces_extra"
    people, left_out = read_people(folder)
    predictions = {model: classify_faces(people.images, model) for model in MODELS}
    protocol = {
        "command": "python -m benchmarks.groups",
        "protocol": "UTKFace part 1 in faces_extra; age, sex and group as its file names state "
        "them, expressions unknown; intervals: Wilson's, 95%",
        "left_out": left_out,
        "graphs": {model: load_classifier(model).contract.model_sha256 for model in MODELS},
    }
    write_rows("groups", [protocol | row for row in rows(people, predictions)])


if __name__ == "__main__":
    main()
