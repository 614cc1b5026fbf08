"""Builds fer_mobile/golden/faces.png: the faces of affective-25 and of official portraits.

    FER_MOBILE_DATA=... python -m tools.golden_faces [--count 128]

Every face of the bundled photos comes first, then portraits of the folder
photos/congress (works of the United States government, public domain) in the order of
their names, one in three, until the count is reached.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from fer_mobile.arrays import Pixels
from fer_mobile.data import data_path
from fer_mobile.detect import FaceDetector, load_detector
from fer_mobile.golden import SIDE
from fer_mobile.images import find_photos, load_photo
from fer_mobile.preprocess import CropRule, face_pixels
from fer_mobile.resources import photos_dir

TARGET = Path(__file__).resolve().parent.parent / "fer_mobile" / "golden" / "faces.png"
COLUMNS = 16


def faces_of(photo: Path, detector: FaceDetector, rule: CropRule) -> list[Pixels]:
    """The faces of a photo as they are stored: uint8 [SIDE, SIDE]."""
    whole = load_photo(photo)
    return [face_pixels(whole.rgb, f.box, SIDE, rule) for f in detector.detect(whole)]


def main() -> None:
    """Write the mosaic."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=128)
    count = parser.parse_args().count
    detector, rule = load_detector(), CropRule()
    faces = [f for p in find_photos(photos_dir()) for f in faces_of(p, detector, rule)]
    for portrait in find_photos(data_path() / "photos" / "congress")[::3]:
        if len(faces) < count:
            faces += faces_of(portrait, detector, rule)[:1]
    rows = -(-len(faces) // COLUMNS)
    tiles = np.zeros((rows * COLUMNS, SIDE, SIDE), np.uint8)
    tiles[: len(faces)] = faces
    mosaic = tiles.reshape(rows, COLUMNS, SIDE, SIDE).swapaxes(1, 2)
    Image.fromarray(mosaic.reshape(rows * SIDE, COLUMNS * SIDE)).save(TARGET, optimize=True)
    print(f"{len(faces)} faces, {TARGET.stat().st_size:,} bytes: {TARGET.name}")


if __name__ == "__main__":
    main()
