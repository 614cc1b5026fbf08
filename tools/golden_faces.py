"""Builds the bundled faces, fer_mobile/golden/*.png.

    FER_MOBILE_DATA=... python -m tools.golden_faces [--count 128]
    python -m tools.golden_faces --expressive

`faces.png`: every face of the bundled photos comes first, then portraits of the folder
photos/congress (works of the United States government, public domain) in the order of
their names, one in three, until the count is reached.  `expressive_faces.png`: the squares of
bundled photos that expressive_faces.csv lists, darkened by a gamma and mirrored as it says.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from fer_mobile.arrays import Pixels
from fer_mobile.data import data_path
from fer_mobile.detect import FaceDetector, load_detector
from fer_mobile.golden import EXPRESSIVE, GOLDEN, SIDE
from fer_mobile.images import find_photos, load_photo
from fer_mobile.preprocess import CropRule, face_pixels
from fer_mobile.resources import photos_dir
from fer_mobile.types import Box

COLUMNS = 16


def faces_of(photo: Path, detector: FaceDetector, rule: CropRule) -> list[Pixels]:
    """The faces of a photo as they are stored: uint8 [SIDE, SIDE]."""
    whole = load_photo(photo)
    return [face_pixels(whole.rgb, f.box, SIDE, rule) for f in detector.detect(whole)]


def golden(count: int) -> list[Pixels]:
    """So many faces of the bundled photos and of portraits."""
    detector, rule = load_detector(), CropRule()
    faces = [f for p in find_photos(photos_dir()) for f in faces_of(p, detector, rule)]
    for portrait in find_photos(data_path() / "photos" / "congress")[::3]:
        if len(faces) < count:
            faces += faces_of(portrait, detector, rule)[:1]
    return faces


def expressive() -> list[Pixels]:
    """The faces that the table beside the mosaic lists."""
    with EXPRESSIVE.with_suffix(".csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    photos = {row["photo"]: load_photo(photos_dir() / row["photo"]).rgb for row in rows}
    faces = []
    for row in rows:
        x, y, side = (float(row[key]) for key in ("x", "y", "side"))
        face = face_pixels(photos[row["photo"]], Box(x, y, side, side), SIDE, CropRule(1, 0))
        face = np.floor(255 * (face / 255) ** float(row["gamma"]) + 0.5).astype(np.uint8)
        faces.append(face[:, ::-1] if row["mirrored"] == "yes" else face)
    return faces


def write_mosaic(faces: Sequence[Pixels], target: Path) -> None:
    """Write faces uint8 [SIDE, SIDE] as a PNG."""
    rows = -(-len(faces) // COLUMNS)
    tiles = np.zeros((rows * COLUMNS, SIDE, SIDE), np.uint8)
    tiles[: len(faces)] = faces
    mosaic = tiles.reshape(rows, COLUMNS, SIDE, SIDE).swapaxes(1, 2)
    Image.fromarray(mosaic.reshape(rows * SIDE, COLUMNS * SIDE)).save(target, optimize=True)
    print(f"{len(faces)} faces, {target.stat().st_size:,} bytes: {target.name}")


def main() -> None:
    """Write a mosaic."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=128)
    parser.add_argument("--expressive", action="store_true", help="the others")
    options = parser.parse_args()
    if options.expressive:
        write_mosaic(expressive(), EXPRESSIVE)
    else:
        write_mosaic(golden(options.count), GOLDEN)


if __name__ == "__main__":
    main()
