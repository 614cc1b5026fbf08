"""What reduced JPEG decoding costs in answers and gains in time.

    FER_MOBILE_DATA=... python benchmarks/reduced_decoding.py [--photos 40]

Photos of 12 MP are composed of congress portraits, nine to a photo, their sizes drawn so
that faces are 15 to 160 px high where the detector sees them, and stored as JPEG.  Each is
decoded whole and at the largest reductions that leave its longest side 1280 and 640 pixels
(what the detector needs); faces are compared with those of the whole photo that they overlap.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from rows import write_row

from fer_mobile.detect.yunet import overlap
from fer_mobile.images import load_photo
from fer_mobile.pipeline import Pipeline, load_pipeline
from fer_mobile.types import Face

SIZE = (4000, 3000)
SEED = 0
WAYS = {"whole": None, "at_least_1280": 1280, "at_least_640": 640}
"""`min_long_side` of `load_photo`."""


def compose(portraits: list[Path], rng: np.random.Generator) -> Image.Image:
    """A photo of nine portraits in the cells of a 3×3 grid, each at a size of its own."""
    photo = Image.effect_noise(SIZE, 20).convert("RGB")
    cell = (SIZE[0] // 3, SIZE[1] // 3)
    for place, path in enumerate(rng.choice(np.array(portraits, dtype=object), 9, replace=False)):
        portrait = Image.open(path).convert("RGB")
        height = int(np.exp(rng.uniform(np.log(200), np.log(cell[1]))))
        width = min(cell[0], round(portrait.width * height / portrait.height))
        corner = (place % 3 * cell[0], place // 3 * cell[1])
        photo.paste(portrait.resize((width, height), Image.Resampling.BICUBIC), corner)
    return photo


def read(pipeline: Pipeline, path: Path, min_long_side: int | None) -> list[Face]:
    """The photo's faces, their boxes in full resolution."""
    photo = load_photo(path, min_long_side=min_long_side)
    faces = pipeline(photo.rgb).faces
    return [replace(face, box=face.box.scaled(1 / photo.scale)) for face in faces]


def pairs(some: list[Face], others: list[Face]) -> list[tuple[Face, Face]]:
    return [(a, b) for a in some for b in others if overlap(a.box, b.box) >= 0.5]


def comparison(matched: list[tuple[Face, Face]], faces: int, ms: list[float]) -> dict[str, float]:
    difference = [
        max(abs(a.probabilities[label] - b.probabilities[label]) for label in a.probabilities)
        for a, b in matched
    ]
    return {
        "faces_found_again": round(len(matched) / faces, 4),
        "same_label": round(float(np.mean([a.label == b.label for a, b in matched])), 4),
        "probability_difference_mean": round(float(np.mean(difference)), 4),
        "ms_per_photo": round(float(np.mean(ms)), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=40)
    count = parser.parse_args().photos
    portraits = sorted((Path(os.environ["FER_MOBILE_DATA"]) / "photos" / "congress").glob("*.jpg"))
    rng = np.random.default_rng(SEED)
    pipeline = load_pipeline(faces="each")
    found: dict[str, list[list[Face]]] = {way: [] for way in WAYS}
    ms: dict[str, list[float]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo.jpg"
        for _ in range(count):
            compose(portraits, rng).save(path, quality=90)
            for way, min_long_side in WAYS.items():
                start = time.perf_counter()
                found[way].append(read(pipeline, path, min_long_side))
                ms[way].append((time.perf_counter() - start) * 1000)
    heights = [face.box.height * 640 / SIZE[0] for faces in found["whole"] for face in faces]
    figures = {}
    for way in WAYS:
        both = zip(found["whole"], found[way], strict=True)
        matched = [pair for whole, reduced in both for pair in pairs(whole, reduced)]
        figures[way] = comparison(matched, len(heights), ms[way])
    write_row(
        "reduced_decoding",
        {
            "protocol": f"{count} composed JPEG photos of {SIZE[0]}×{SIZE[1]}, seed {SEED}, "
            "compared with decoding them whole",
            "pipeline": pipeline.identity,
            "faces": len(heights),
            "face_height_at_640_px": {
                f"p{q}": round(float(np.percentile(heights, q)), 1) for q in (5, 50, 95)
            },
            "decoded": figures,
        },
    )


if __name__ == "__main__":
    main()
