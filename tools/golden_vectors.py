"""Writes tests/golden/: what the code gives for given images, in files that Kotlin reads too.

    python -m tools.golden_vectors [--images]

`vectors.json` holds the cases and what they give; byte strings are [offset, length] in
`vectors.bin`.  Run it again when a shipped model was added or changed.  The images are part of
the vectors and stay as they are; --images makes them anew.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from fer_mobile import preprocess, quality
from fer_mobile.bench.photos import load_photo_set
from fer_mobile.bench.stats import stage_stats
from fer_mobile.detect.orientation import square_about
from fer_mobile.detect.scale import shrink
from fer_mobile.detect.yunet import HINT, HINTS, STRIDES, decode
from fer_mobile.files import write_bytes, write_text
from fer_mobile.golden import SIDE
from fer_mobile.images import load_photo
from fer_mobile.labels import ALIASES, EMOJI, LABELS, MULTIPLE
from fer_mobile.models import DEFAULT, shipped_models, tflite_file
from fer_mobile.pipeline import Pipeline, load_pipeline
from fer_mobile.preprocess import CropRule, Levelling
from fer_mobile.resources import models_dir, photos_dir
from fer_mobile.runtime.classifier import Classifier
from fer_mobile.types import STAGES, Box, Detection, Point

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"
FACES = ROOT / "fer_mobile" / "golden" / "faces.png"

ORIENTATION = 0x0112
RULE = CropRule()

# (image, orientation, box, rule, size)
CROPS: list[tuple[str, int, Box, CropRule, int]] = [
    *(("portrait.png", 1, Box(38, 55, 90, 113), RULE, size) for size in (48, 56, 64, 112)),
    *(("noise.png", n, Box(8.3, 5.6, 19.4, 23.7), RULE, 56) for n in range(1, 9)),
    *(("portrait.png", n, Box(40, 60, 80, 100), CropRule(1.3, -0.1), 48) for n in (3, 6, 8)),
    # Half and three quarters out, on every side; wholly out; far larger than the photo.
    ("portrait.png", 1, Box(-60, 40, 120, 120), RULE, 56),
    ("portrait.png", 1, Box(160, 40, 120, 120), RULE, 56),
    ("portrait.png", 1, Box(60, -90, 120, 120), RULE, 56),
    ("portrait.png", 1, Box(60, 240, 120, 120), RULE, 56),
    ("portrait.png", 1, Box(-300, -300, 100, 100), RULE, 56),
    ("portrait.png", 1, Box(900, 900, 100, 100), RULE, 56),
    ("noise.png", 1, Box(-500, -500, 1000, 1000), RULE, 56),
    ("noise.png", 1, Box(0, 0, 3, 1500), RULE, 48),
    # One pixel, less than one, the halves that rounding decides, wide and high boxes.
    ("noise.png", 1, Box(7, 9, 1, 1), RULE, 56),
    ("noise.png", 1, Box(60, 42, 1, 1), RULE, 56),
    ("noise.png", 1, Box(30.2, 20.7, 0.01, 0.01), RULE, 56),
    ("noise.png", 1, Box(0.5, 0.5, 3, 3), CropRule(1, 0), 7),
    ("noise.png", 1, Box(-4.5, -4.5, 3, 3), CropRule(1, 0), 7),
    ("noise.png", 1, Box(10.25, 3.75, 31.5, 12.5), CropRule(1, 0), 56),
    ("noise.png", 1, Box(5, 2, 50, 20), RULE, 56),
    ("noise.png", 1, Box(5, 2, 9, 38), RULE, 56),
    # The same size, one more, one less; enlarged; reduced by whole and other factors.
    *(("noise.png", 1, Box(2, 1, n, n), CropRule(1, 0), size)
      for n, size in ((40, 40), (41, 40), (39, 40), (5, 112), (3, 130), (42, 21), (42, 14))),
    *(("portrait.png", 1, Box(3, 4, n, n), CropRule(1, 0), 56)
      for n in (55, 56, 57, 112, 168, 199, 211)),
    *(("portrait.png", 1, Box(0, 0, 200, 200), CropRule(1, 0), size) for size in (1, 2, 3, 199)),
    # Transparency over white; a photo of one pixel; gray as a photo.
    ("alpha.png", 1, Box(2, 2, 20, 20), RULE, 56),
    ("alpha.png", 6, Box(2, 2, 20, 20), RULE, 24),
    ("pixel.png", 1, Box(0, 0, 1, 1), RULE, 56),
    ("faces.png", 1, Box(64, 0, 64, 64), CropRule(1, 0), 56),
    ("faces.png", 1, Box(64, 0, 64, 64), RULE, 48),
]  # fmt: skip

# (image, orientation, box, the person's right and left eye, rule, size)
LEVELLED: list[tuple[str, int, Box, tuple[Point, Point], CropRule, int]] = [
    # The eyes of the portrait, at every model's size; the photo turned, with the eyes.
    *(("portrait.png", 1, Box(38, 55, 90, 113), ((62, 103), (102, 104)), RULE, size)
      for size in (48, 56, 64)),
    ("portrait.png", 6, Box(42, 38, 113, 90), ((107, 62), (106, 102)), RULE, 56),
    ("portrait.png", 3, Box(72, 42, 90, 113), ((138, 107), (98, 106)), RULE, 56),
    ("portrait.png", 8, Box(55, 72, 113, 90), ((103, 138), (104, 98)), RULE, 56),
    # All round, among them quarters, eighths and a millionth of a degree.
    *(("portrait.png", 1, Box(40.3, 60.8, 80.1, 100.7), ((80, 100), (80 + x, 100 + y)), RULE, 56)
      for x, y in ((9, 0), (9, 9), (0, 9), (-9, 9), (-9, 0), (-9, -9), (0, -9), (9, -9), (9, 4),
                   (9, -2), (-7.3, 0.4), (0.7, -31.9), (30, 5e-7))),
    # Half out on every side and wholly out; another rule; a pixel; enlarged and reduced.
    *(("portrait.png", 1, Box(x, y, 120, 120), ((50, 60), (90, 75)), RULE, 56)
      for x, y in ((-60, 40), (160, 40), (60, -90), (60, 240), (900, 900))),
    ("portrait.png", 1, Box(40, 60, 80, 100), ((50, 60), (80, 30)), CropRule(1.3, -0.1), 48),
    *(("noise.png", 1, Box(9, 7, n, n), ((3, 9), (8, 12)), CropRule(1, 0), size)
      for n, size in ((0.01, 8), (1, 56), (3, 24), (20, 56), (40, 56), (300, 7), (30, 1))),
]  # fmt: skip

# (image, longest side)
SHRINKS = [
    *(("portrait.png", side) for side in (140, 105, 90, 70, 64, 42, 30, 21, 10, 1)),
    *(("group.png", side) for side in (120, 90, 72)),
    *(("noise.png", side) for side in (100, 60, 43, 31, 20, 7)),
    ("pixel.png", 640),
]

# Within the image of 160×96, halves, over each of its sides, larger than it, outside.
HINT_BOXES = [
    (60, 40, 10, 20), (70.5, 30.25, 5, 4.5), (-20, 30, 30, 30), (150, 30, 30, 30),
    (50, -25, 30, 30), (50, 90, 30, 30), (-90, -90, 400, 400), (300, 10, 20, 20), (10, -90, 20, 20),
]  # fmt: skip

QUALITY_BOX = Box(38, 55, 90, 113)
# (width and height in px, score, tilt in degrees, levelled)
QUALITIES = [
    (90.0, 113.0, 0.9375, 3, False), (15.5, 19.5, 0.9375, 3, False),
    (4.0, 5.0, 0.9375, 3, False), (90.0, 113.0, 0.625, 3, False),
    (90.0, 113.0, 0.9375, -41, False), (90.0, 113.0, 0.9375, 130, False),
    (90.0, 113.0, 0.9375, -41, True), (58.0, 113.0, 0.9375, 3, False),
    (123.0, 113.0, 0.9375, 3, False),
]  # fmt: skip

# (image, orientation as an EXIF value that the photo does not state)
PHOTOS = [
    ("portrait.png", 1), ("group.png", 1), ("noise.png", 1), ("tilted.png", 1),
    ("portrait.png", 8), ("group.png", 6), ("group.png", 3),
]  # fmt: skip
"""What goes through the whole pipeline."""


class Blob:
    """Byte strings one after the other."""

    def __init__(self) -> None:
        self.content = bytearray()

    def add(self, array: np.ndarray) -> list[int]:
        """Where the array's bytes now are: offset and length."""
        place = [len(self.content), array.nbytes]
        self.content += array.tobytes()
        return place


def image_path(name: str) -> Path:
    """An image of the vectors; the golden faces lie in the package."""
    return FACES if name == FACES.name else GOLDEN / name


def pixels(name: str, orientation: int = 1) -> np.ndarray:
    """The image as a photo with this EXIF orientation: upright uint8 H×W×3."""
    with Image.open(image_path(name)) as image:
        image.getexif()[ORIENTATION] = orientation
        return load_photo(image).rgb


def crop_cases(blob: Blob) -> list[dict[str, Any]]:
    """`CROPS` and the pixels that they give."""
    cases = []
    for name, orientation, box, rule, size in CROPS:
        rgb = pixels(name, orientation)
        cases.append(
            {
                "image": name,
                "orientation": orientation,
                "box": list(box),
                "rule": [rule.scale, rule.shift_y],
                "size": size,
                "square": list(rule.square(box)),
                "pixels": blob.add(preprocess.face_pixels(rgb, box, size, rule)),
            }
        )
    return cases


def levelled_cases(blob: Blob) -> list[dict[str, Any]]:
    """`LEVELLED` with the tilt of each, and the pixels that they give."""
    cases = []
    for name, orientation, box, eyes, rule, size in LEVELLED:
        face = Detection(box, 1.0, eyes)
        direction = Levelling(0).direction(face)
        pixels_given = preprocess.face_pixels(pixels(name, orientation), box, size, rule, direction)
        cases.append(
            {
                "image": name,
                "orientation": orientation,
                "box": list(box),
                "eyes": [list(eye) for eye in eyes],
                "tilt": face.tilt,
                "rule": [rule.scale, rule.shift_y],
                "size": size,
                "square": list(rule.square(box, direction)),
                "pixels": blob.add(pixels_given),
            }
        )
    return cases


def shrink_cases(blob: Blob) -> list[dict[str, Any]]:
    """`SHRINKS` and the pixels that they give."""
    cases = []
    for name, side in SHRINKS:
        small = shrink(pixels(name), side)
        height, width = small.shape[:2]
        cases.append({"image": name, "side": side, "size": [width, height], "rgb": blob.add(small)})
    return cases


def detection_case(blob: Blob) -> dict[str, Any]:
    """Made-up outputs of the detector, some of them sure, and the faces in them."""
    generator = np.random.default_rng(2026)
    height, width = 96, 160
    outputs = {}
    for stride in STRIDES:
        cells = (1, height // stride, width // stride)
        outputs[f"scores_{stride}"] = generator.uniform(0.2, 0.75, (*cells, 1)).astype(np.float32)
        offsets = generator.normal(0, 0.7, (*cells, 14)).astype(np.float32)
        outputs[f"offsets_{stride}"] = offsets
    scores = outputs["scores_16"]
    scores[0, 1, 2:5, 0] = scores[0, 3, 7, 0] = 0.74  # equal ones: the first cell wins
    return {
        "width": width,
        "height": height,
        "outputs": {name: blob.add(values) for name, values in outputs.items()},
        "faces": [
            {
                "box": list(face.box),
                "score": face.score,
                "landmarks": np.ravel(face.landmarks).tolist(),
            }
            for face in decode(outputs)
        ],
        "hints": [
            {"score": hint.score, **_square_about(hint.box, width, height)}
            for hint in decode(outputs, HINT, HINTS)
        ],
        "squares": [_square_about(Box(*box), width, height) for box in HINT_BOXES],
    }


def _square_about(box: Box, width: int, height: int) -> dict[str, Any]:
    """A box and left, top, width and height of the square about it, in an image of this size."""
    rows, columns = square_about(box, width, height)
    sides = [range(length)[part] for part, length in ((columns, width), (rows, height))]
    x, y = sides
    return {"box": list(box), "square": [x.start, y.start, len(x), len(y)] if x and y else None}


def model_faces() -> list[dict[str, Any]]:
    """The tiles of the golden faces' mosaic as boxes; every model is asked about them."""
    rows, columns = (side // SIDE for side in pixels(FACES.name).shape[:2])
    return [
        {"image": FACES.name, "box": [SIDE * column, SIDE * row, SIDE, SIDE]}
        for row in range(rows)
        for column in range(columns)
    ]


def model_pixels(classifier: Classifier) -> np.ndarray:
    """The `model_faces` at the model's size and framing: uint8 [N, size, size]."""
    rule = classifier.contract.preprocessing.crop.rule
    rgb = pixels(FACES.name)
    return np.stack(
        [
            preprocess.face_pixels(rgb, Box(*face["box"]), classifier.size, rule)
            for face in model_faces()
        ]
    )


def model_vector(file: Path) -> dict[str, Any]:
    """What a model file says of `model_faces`: its input's checksum and the probabilities."""
    classifier = Classifier(file)
    faces = model_pixels(classifier)
    return {
        "precision": classifier.contract.precision,
        "sha256": classifier.sha256,
        "inputs_sha256": hashlib.sha256(classifier.prepare(faces).tobytes()).hexdigest(),
        # One face a run, as the app does it.
        "probabilities": [
            [round(float(p), 8) for p in classifier.classify(face[None])[0]] for face in faces
        ],
    }


def model_vectors() -> dict[str, Any]:
    """Every shipped file's vector, by its path in models/."""
    return {
        f"{name}/{file.name}": model_vector(file)
        for name, model in shipped_models(copies=True).items()
        for file in model.files.values()
    }


def photo_case(pipeline: Pipeline, name: str, rgb: np.ndarray) -> dict[str, Any]:
    """What the pipeline says of a whole photo."""
    result = pipeline(rgb)
    return {
        "image": name,
        "label": result.label,
        "confidence": result.confidence,
        "turn": result.turn,
        "faces": [
            {
                "box": list(face.box),
                "label": face.label,
                "confidence": face.confidence,
                "tilt": face.tilt,
                "levelled": face.levelled,
                "quality": face.quality,
            }
            for face in result.faces
        ],
    }


def photo_cases() -> list[dict[str, Any]]:
    """What the pipeline with the default model says of `PHOTOS`."""
    pipeline = load_pipeline()
    return [
        {"orientation": turned, **photo_case(pipeline, name, pixels(name, turned))}
        for name, turned in PHOTOS
    ]


def quality_cases(blob: Blob) -> list[dict[str, Any]]:
    """Faces with every flaw and with none, and their quality."""
    square = preprocess.face_pixels(pixels("portrait.png"), QUALITY_BOX, quality.SIDE, RULE)
    blurred = preprocess.resize(preprocess.resize(square, 9), quality.SIDE)
    squares = {
        "as it is": square,
        "dark": square // 16,
        "flat": square // 8 + 140,
        "bright": np.minimum(square.astype(int) * 4, 255).astype(np.uint8),
        "blurred": blurred,
        "black": np.zeros_like(square),
    }
    cases = []
    for name, pixel in squares.items():
        for width, height, score, degrees, levelled in (
            QUALITIES if name == "as it is" else QUALITIES[:1]
        ):
            x, y = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
            eyes = ((0.0, 0.0), (round(20 * x, 6), round(20 * y, 6)))
            detection = Detection(Box(3, 4, width, height), score, eyes)
            value, flaw = quality.face_quality(pixel, detection, levelled=levelled)
            cases.append(
                {
                    "pixels": blob.add(np.ascontiguousarray(pixel)),
                    "box": list(detection.box),
                    "score": score,
                    "landmarks": np.ravel(eyes).tolist(),
                    "levelled": levelled,
                    "quality": value,
                    "flaw": flaw,
                }
            )
    return cases


def stats_case() -> dict[str, Any]:
    """Made-up stage times; one photo in three has no face, one lacks its total."""
    generator = np.random.default_rng(8)
    rows = []
    for photo in range(11):
        reached = STAGES[:2] if photo % 3 == 2 else STAGES[:-1]
        row = {stage: round(float(generator.gamma(2, 10)), 3) for stage in reached}
        rows.append({**row, "total": round(sum(row.values()) + 0.1, 3)})
    del rows[4]["total"]
    return {"rows": rows, "stats": {k: v.model_dump() for k, v in stage_stats(rows).items()}}


def vectors() -> tuple[dict[str, Any], bytes]:
    """The content of vectors.json and vectors.bin, made of the images that are there."""
    blob = Blob()
    photo_set = load_photo_set(photos_dir().name)
    found = {
        "preprocessing": preprocess.VERSION,
        "labels": {"labels": LABELS, "multiple": MULTIPLE, "emoji": EMOJI, "aliases": ALIASES},
        "crops": crop_cases(blob),
        "levelled": levelled_cases(blob),
        "shrinks": shrink_cases(blob),
        "detection": detection_case(blob),
        "model_faces": model_faces(),
        "models": model_vectors(),
        "default_model": tflite_file(DEFAULT).relative_to(models_dir()).as_posix(),
        "photos": photo_cases(),
        "photo_set": {"name": photo_set.name, "sha256": photo_set.sha256},
        "stage_stats": stats_case(),
        "qualities": quality_cases(blob),
    }
    return found, bytes(blob.content)


def write_images() -> None:
    """The images: a part of a bundled photo (a work of NASA, public domain), and made-up ones."""
    with Image.open(photos_dir() / "astronaut-smile.jpg") as photo:
        portrait = photo.convert("RGB").crop((140, 10, 340, 220))
    group = Image.new("RGB", (360, 210), (90, 110, 130))
    group.paste(portrait, (0, 0))
    mirrored = portrait.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    group.paste(mirrored.resize((150, 158), Image.Resampling.BICUBIC), (205, 40))
    generator = np.random.default_rng(0)
    images = {
        "portrait": portrait,
        "group": group,
        "tilted": portrait.rotate(-35, Image.Resampling.BICUBIC, fillcolor=(90, 110, 130)),
        "noise": Image.fromarray(generator.integers(0, 256, (43, 61, 3), dtype=np.uint8)),
        "alpha": Image.fromarray(generator.integers(0, 256, (24, 32, 4), dtype=np.uint8)),
        "pixel": Image.new("RGB", (1, 1), (12, 200, 77)),
    }
    GOLDEN.mkdir(exist_ok=True)
    for name, image in images.items():
        image.save(GOLDEN / f"{name}.png", optimize=True)


def main() -> None:
    """Write the vectors."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--images", action="store_true", help="make the images anew as well")
    if parser.parse_args().images:
        write_images()
    found, blob = vectors()
    write_text(GOLDEN / "vectors.json", json.dumps(found, indent=1) + "\n")
    write_bytes(GOLDEN / "vectors.bin", blob)
    for name in ("crops", "levelled", "shrinks", "models", "photos"):
        print(f"{name}: {len(found[name])}")


if __name__ == "__main__":
    main()
