"""Photos that the shared set lacks, made from it: sizes, groups, tilt, panoramas, 12 MP.

A made photo is one without a face with cut-outs of single-face photos laid upon it, so it is
known where every face is: the box that the shipped detector finds in the original, scaled.
(It finds exactly one in each of them; otherwise the photo would not be used.)  Every set
follows from its seed.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from fer_mobile.detect import DETECTION_SIDE, FaceDetector, load_detector
from fer_mobile.images import load_photo
from fer_mobile.types import Box

LARGE = 4000
"""Long side of a 12-MP photo."""

GRAIN = 2.5
"""Standard deviation of the noise of 12-MP photos: their files then have 3 to 5 MB."""

MARGIN = (0.6, 0.5)
"""What a cut-out keeps about the face at each side, over the box's width and height."""


@dataclass(frozen=True)
class Certain:
    """A shared photo whose count of faces is certain."""

    path: Path
    name: str
    faces: int
    tags: str = ""
    expression: str = ""


@dataclass(frozen=True)
class Made:
    """A made photo and where its faces are."""

    image: Image.Image
    boxes: list[Box]


@dataclass(frozen=True)
class CutOut:
    """A face with a little of its photo about it."""

    image: Image.Image
    box: Box

    def scaled(self, factor: float) -> CutOut:
        """`factor` times as large."""
        size = (max(1, round(self.image.width * factor)), max(1, round(self.image.height * factor)))
        return CutOut(self.image.resize(size, Image.Resampling.BICUBIC), self.box.scaled(factor))

    def within(self, width: float, height: float) -> CutOut:
        """Made smaller where it is larger than these sides."""
        return self.scaled(min(1.0, width / self.image.width, height / self.image.height))

    def with_face(self, height: float) -> CutOut:
        """Scaled so that the face's box is so many pixels high."""
        return self.scaled(height / self.box.height)


def photos_folder() -> Path:
    """The shared photos."""
    return Path(os.environ["FER_MOBILE_DATA"]) / "photos"


def certain_photos(folder: Path | None = None) -> list[Certain]:
    """The photos of a folder's manifest whose count of faces is a plain integer."""
    folder = folder or photos_folder()
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["faces"].strip().isdigit()]
    return [
        Certain(
            folder / row["file"],
            row["file"],
            int(row["faces"]),
            row.get("tags", ""),
            row.get("expression", ""),
        )
        for row in rows
    ]


@cache
def cut_outs() -> list[CutOut]:
    """The faces of single-face photos: the congress portraits thinned to half as many as there
    are others, and without the photos that test EXIF, which are copies or lie on their side."""
    photos = [photo for photo in certain_photos() if photo.faces == 1 and "EXIF" not in photo.tags]
    others = [photo for photo in photos if not photo.name.startswith("congress/")]
    congress = [photo for photo in photos if photo not in others]
    step = max(1, 2 * len(congress) // max(1, len(others)))
    found = [_cut_out(photo.path) for photo in [*others, *congress[::step]]]
    return [cut for cut in found if cut is not None]


def _cut_out(path: Path) -> CutOut | None:
    photo = load_photo(path)
    faces = _detector().detect(photo)
    if len(faces) != 1:
        return None
    box = faces[0].box
    width, height = photo.size
    left = max(0, round(box.x - MARGIN[0] * box.width))
    top = max(0, round(box.y - MARGIN[1] * box.height))
    right = min(width, round(box.x + (1 + MARGIN[0]) * box.width))
    bottom = min(height, round(box.y + (1 + MARGIN[1]) * box.height))
    image = Image.fromarray(photo.rgb).crop((left, top, right, bottom))
    return CutOut(image, Box(box.x - left, box.y - top, box.width, box.height))


@cache
def _detector() -> FaceDetector:
    return load_detector()


@cache
def backgrounds() -> list[Image.Image]:
    """The larger photos without a face."""
    empty = [photo.path for photo in certain_photos() if photo.faces == 0]
    images = [Image.fromarray(load_photo(path, min_long_side=2000).rgb) for path in empty[::3]]
    return [image for image in images if max(image.size) >= 600]


def background(size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """One of them, cut to the ratio and brought to the size."""
    choice = backgrounds()
    image = choice[rng.integers(len(choice))]
    factor = min(image.width / size[0], image.height / size[1])
    width, height = round(size[0] * factor), round(size[1] * factor)
    left = (image.width - width) // 2
    top = (image.height - height) // 2
    return image.crop((left, top, left + width, top + height)).resize(size)


def paste(photo: Image.Image, cut: CutOut, left: int, top: int) -> Box:
    """Lay a cut-out upon the photo; where its face then is."""
    photo.paste(cut.image, (left, top))
    return Box(left + cut.box.x, top + cut.box.y, cut.box.width, cut.box.height)


def one_face(cut: CutOut, size: tuple[int, int], rng: np.random.Generator) -> Made:
    """A photo with one face somewhere in it."""
    photo = background(size, rng)
    cut = cut.within(*size)
    left = int(rng.integers(size[0] - cut.image.width + 1))
    top = int(rng.integers(size[1] - cut.image.height + 1))
    return Made(photo, [paste(photo, cut, left, top)])


def row_of_faces(
    cuts: Sequence[CutOut],
    size: tuple[int, int],
    columns: int,
    rng: np.random.Generator,
) -> Made:
    """A photo with each cut-out in a cell of its own, row by row."""
    photo = background(size, rng)
    rows = -(-len(cuts) // columns)
    cell = (size[0] // columns, size[1] // rows)
    boxes = []
    for place, cut in enumerate(cuts):
        fitting = cut.within(*cell)
        left = place % columns * cell[0] + int(rng.integers(cell[0] - fitting.image.width + 1))
        top = place // columns * cell[1] + int(rng.integers(cell[1] - fitting.image.height + 1))
        boxes.append(paste(photo, fitting, left, top))
    return Made(photo, boxes)


def sizes(
    heights: Sequence[int],
    count: int,
    *,
    long_side: int = DETECTION_SIDE,
    seed: int = 0,
) -> Iterator[tuple[int, Made]]:
    """Faces of each height at detection scale, in photos with the ratio 3:2."""
    for height in heights:
        rng = np.random.default_rng(seed)
        for cut in _choose(count, rng):
            pixels = height * long_side / DETECTION_SIDE
            yield (
                height,
                one_face(cut.with_face(pixels), (long_side, long_side * 2 // 3), rng),
            )


def filling(count: int, *, seed: int = 0) -> Iterator[Made]:
    """Photos that hold nothing but the box of a face, 640 px high."""
    for cut in _choose(count, np.random.default_rng(seed)):
        left, top, width, height = cut.box
        face = cut.image.crop((round(left), round(top), round(left + width), round(top + height)))
        image = face.resize((round(DETECTION_SIDE * width / height), DETECTION_SIDE))
        yield Made(image, [Box(0, 0, *image.size)])


def groups(count: int, *, seed: int = 0) -> Iterator[Made]:
    """Two to twelve faces of 40 to 120 px at detection scale in a photo of 960×640."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        number = int(rng.integers(2, 13))
        cuts = _choose(number, rng)
        heights = 1.5 * np.exp(rng.uniform(np.log(40), np.log(120), number))
        faces = [cut.with_face(height) for cut, height in zip(cuts, heights, strict=True)]
        yield row_of_faces(faces, (960, 640), min(4, number), rng)


def tilted(angles: Sequence[int], count: int, *, seed: int = 0) -> Iterator[tuple[int, Made]]:
    """One face of 60 to 200 px; the whole photo turned, so that no edge of a cut-out shows."""
    for angle in angles:
        rng = np.random.default_rng(seed)
        for cut in _choose(count, rng):
            height = float(np.exp(rng.uniform(np.log(60), np.log(200))))
            photo = background((640, 640), rng)
            face = cut.with_face(height).within(400, 400)  # stays in the photo as it turns
            corner = (320 - face.image.width // 2, 320 - face.image.height // 2)
            yield angle, _turned(Made(photo, [paste(photo, face, *corner)]), angle)


def _turned(made: Made, angle: float) -> Made:
    centre = (made.image.width / 2, made.image.height / 2)
    sine, cosine = np.sin(np.radians(angle)), np.cos(np.radians(angle))
    boxes = []
    for box in made.boxes:
        x, y = box.x + box.width / 2 - centre[0], box.y + box.height / 2 - centre[1]
        # Pillow turns against the clock; y points down.
        turned = (cosine * x + sine * y + centre[0], cosine * y - sine * x + centre[1])
        boxes.append(
            Box(turned[0] - box.width / 2, turned[1] - box.height / 2, box.width, box.height)
        )
    edge = np.asarray(made.image).mean(axis=(0, 1)).astype(int)
    image = made.image.rotate(angle, Image.Resampling.BICUBIC, fillcolor=tuple(edge.tolist()))
    return Made(image, boxes)


def panoramas(ratio: int, count: int, *, seed: int = 0) -> Iterator[Made]:
    """Three faces of 40 to 80 px at detection scale in photos `ratio` times as wide as high,
    and as many as high."""
    rng = np.random.default_rng(seed)
    long_side = 3 * DETECTION_SIDE
    for number in range(count):
        cuts = _choose(3, rng)
        heights = 3 * np.exp(rng.uniform(np.log(40), np.log(80), 3))
        faces = [cut.with_face(height) for cut, height in zip(cuts, heights, strict=True)]
        if number % 2:
            yield row_of_faces(faces, (long_side // ratio, long_side), 1, rng)
        else:
            yield row_of_faces(faces, (long_side, long_side // ratio), 3, rng)


def single_faces(count: int, *, seed: int = 0) -> Iterator[Made]:
    """Photos of 4000×3000 with one face of 20 to 300 px at detection scale, and with grain."""
    rng = np.random.default_rng(seed)
    for cut in _choose(count, rng):
        height = float(np.exp(rng.uniform(np.log(20), np.log(300)))) * LARGE / DETECTION_SIDE
        made = one_face(cut.with_face(height), (LARGE, LARGE * 3 // 4), rng)
        yield Made(_grainy(made.image), made.boxes)


def enlarged(path: Path) -> Image.Image:
    """A photo, upright, with a long side of `LARGE`, and with grain."""
    image = Image.fromarray(load_photo(path).rgb)
    factor = LARGE / max(image.size)
    size = (round(image.width * factor), round(image.height * factor))
    return _grainy(image.resize(size, Image.Resampling.BICUBIC))


def _grainy(image: Image.Image) -> Image.Image:
    """The photo with a sensor's noise, without which its JPEG file would be far too small."""
    pixels = np.asarray(image).astype(np.int16)
    pixels += _grain()[: pixels.shape[0], : pixels.shape[1], None]
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


@cache
def _grain() -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, GRAIN, (LARGE, LARGE))
    return noise.round().astype(np.int16)


def _choose(count: int, rng: np.random.Generator) -> list[CutOut]:
    """Cut-outs in random order, each once before any comes twice."""
    faces = cut_outs()
    order = np.concatenate([rng.permutation(len(faces)) for _ in range(-(-count // len(faces)))])
    return [faces[index] for index in order[:count]]
