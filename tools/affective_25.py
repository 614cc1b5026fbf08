"""Rebuild the bundled photo set `affective-25` and its manifest from the shared photos.

    FER_MOBILE_DATA=DIR python -m tools.affective_25 [--out DIR]

The same Pillow version gives the same bytes; another one may encode JPEG a little differently.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, ImageCms, ImageOps

from fer_mobile.errors import DataError, InputError
from fer_mobile.resources import photos_dir

COLUMNS: Final = (
    "file",
    "faces",
    "expression",
    "source",
    "licence",
    "attribution",
    "made",
    "width",
    "height",
    "sha256",
)
JPEG_QUALITY: Final = 88
LONG_SIDE: Final = 1280

PERMITTED: Final = {
    "public domain (US government, as stated in README)": "public domain",
    'public domain (NASA, "no known copyright restrictions")': "public domain",
    "public domain (US Navy)": "public domain",
    "CC0": "CC0",
    "CC0 or Pexels License (assets/README.md)": "CC0 or Pexels",
}
"""What the shared manifest says of a photo that may ship -> the licence in ours."""

PAGES: Final = {
    "max_emotion/angry.jpg": "pexels.com/photo/portrait-angry-closeup-black-and-white-18175/",
    "max_emotion/group.jpeg": "pexels.com/photo/group-of-people-in-a-meeting-1080865/",
    "max_emotion/happy-baby.jpeg": "pexels.com/photo/baby-lying-on-fur-1648383/",
    "max_emotion/neutral.jpeg": "pexels.com/photo/woman-in-red-tank-top-638700/",
    "max_emotion/sad-baby.jpeg": "pexels.com/photo/baby-child-close-up-crying-47090/",
    "max_emotion/surprised.jpeg": "pexels.com/photo/man-in-santa-claus-costume-716658/",
    "singnet/classroom_in_tanzania.jpg": (
        "pixnio.com/people/children-kids/close-up-faces-of-girls-in-classroom-in-tanzania"
    ),
    "singnet/model_face.jpg": "publicdomainpictures.net/en/view-image.php?image=158262",
    "singnet/woman_portrait.jpg": "pxhere.com/en/photo/748770",
}
"""The photo's own page, where the collection names one."""

PUBLIC_DOMAIN: Final = {
    "singnet/classroom_in_tanzania.jpg": "pixnio.com",
    "singnet/model_face.jpg": "publicdomainpictures.net",
    "singnet/woman_portrait.jpg": "pxhere.com",
}
"""The photos of a mixed collection that its README marks as public domain -> whom to credit."""

EXIF_ORIENTATION: Final = 0x0112
STORED_TURN: Final = {6: Image.Transpose.ROTATE_90}
"""EXIF orientation -> how an upright picture is turned before it is stored under that tag."""


@dataclass(frozen=True, slots=True)
class Photo:
    """One file of the set: where it comes from and what is done to it, in this order."""

    file: str
    faces: int
    expression: str
    sources: tuple[str, ...]
    crop: tuple[int, int, int, int] | None = None  # left, top, right, bottom in source pixels
    gray: bool = False
    orientation: int = 1


def _one(file: str, expression: str, source: str, **changes: object) -> Photo:
    return Photo(file, 1, expression, (source,), **changes)  # type: ignore[arg-type]


def _portrait(file: str, expression: str, member: str) -> Photo:
    return _one(file, expression, f"congress/{member}.jpg", gray=True)


PHOTOS: Final = (
    _one("astronaut-smile.jpg", "happiness", "pypi/astronaut.png"),
    _one("baby-crying.jpg", "sadness", "max_emotion/sad-baby.jpeg"),
    _one("baby-laughing.jpg", "happiness", "max_emotion/happy-baby.jpeg"),
    _one(
        "child-white-veil.jpg",
        "neutral",
        "singnet/classroom_in_tanzania.jpg",
        crop=(126, 150, 258, 330),
    ),
    _one("hopper-portrait.jpg", "neutral", "pypi/grace_hopper.jpg"),
    _one("man-grimace.jpg", "anger", "max_emotion/angry.jpg", gray=True),
    _one("man-pointing.jpg", "neutral", "max_emotion/group.jpeg", crop=(832, 150, 1280, 740)),
    _one("santa-surprised.jpg", "surprise", "max_emotion/surprised.jpeg"),
    _one("woman-curls.jpg", "neutral", "singnet/model_face.jpg"),
    _one("woman-hair-bun.jpg", "neutral", "max_emotion/neutral.jpeg"),
    _one("woman-turning.jpg", "neutral", "singnet/woman_portrait.jpg", orientation=6),
    _portrait("gray-man-frown.jpg", "anger", "W000154"),
    _portrait("gray-man-glare.jpg", "anger", "C001088"),
    _portrait("gray-man-glasses-smile.jpg", "happiness", "D000355"),
    _portrait("gray-man-grin.jpg", "happiness", "S001184"),
    _portrait("gray-man-looking-away.jpg", "sadness", "C001078"),
    _portrait("gray-man-raised-brows.jpg", "surprise", "F000372"),
    _portrait("gray-woman-calm.jpg", "neutral", "M001188"),
    _portrait("gray-woman-raised-brows.jpg", "surprise", "W000187"),
    _portrait("gray-woman-smile.jpg", "happiness", "C001080"),
    Photo("cat.png", 0, "", ("pypi/chelsea.png",)),
    Photo("coffee-cup.jpg", 0, "", ("pypi/coffee.png",)),
    Photo("rocket.jpg", 0, "", ("pypi/rocket.jpg",)),
    Photo(
        "four-portraits.jpg",
        4,
        "",
        tuple(f"congress/{m}.jpg" for m in ("B001229", "S001183", "M001150", "K000385")),
        gray=True,
    ),
    Photo("meeting.jpg", 3, "", ("max_emotion/group.jpeg",), crop=(0, 0, 805, 853)),
)


def _open(path: Path) -> Image.Image:
    """The upright photo in sRGB, without its metadata."""
    with Image.open(path) as image:
        profile = image.info.get("icc_profile")
        rgb = ImageOps.exif_transpose(image).convert("RGB")
    if profile:  # one source is in Adobe RGB; without its profile it would look dull
        to_srgb = ImageCms.buildTransform(
            io.BytesIO(profile), ImageCms.createProfile("sRGB"), "RGB", "RGB"
        )
        rgb = to_srgb.apply(rgb)
    return Image.frombytes("RGB", rgb.size, rgb.tobytes())


def _side_by_side(images: list[Image.Image]) -> Image.Image:
    """Equally large pictures in two columns."""
    width, height = images[0].size
    sheet = Image.new("RGB", (2 * width, -(-len(images) // 2) * height))
    for i, image in enumerate(images):
        sheet.paste(image.resize((width, height)), (i % 2 * width, i // 2 * height))
    return sheet


def render(photo: Photo, folder: Path) -> tuple[Image.Image, str]:
    """The upright picture of one entry, and in words what was done to its source."""
    done = []
    images = [_open(folder / source) for source in photo.sources]
    if len(images) > 1:
        image = _side_by_side(images)
        done.append(f"composite of {len(images)} photos")
    else:
        image = images[0]
    if photo.crop:
        image = image.crop(photo.crop)
        left, top, right, bottom = photo.crop
        done.append(f"cropped to x {left}-{right}, y {top}-{bottom}")
    if max(image.size) > LONG_SIDE:
        image = ImageOps.contain(image, (LONG_SIDE, LONG_SIDE), Image.Resampling.LANCZOS)
        done.append(f"scaled to {image.width}x{image.height}")
    if photo.file.endswith(".jpg") and photo.sources[0].endswith(".png"):
        done.append("stored as JPEG")
    if photo.gray:
        image = image.convert("L")
        done.append("stored as one gray channel")
    if photo.orientation != 1:
        done.append(f"stored turned, with EXIF orientation {photo.orientation}")
    return image, "; ".join(done)


def save(image: Image.Image, path: Path, orientation: int) -> None:
    """Write the picture with no metadata but, where it is not 1, its orientation."""
    if path.suffix == ".png":
        image.save(path, optimize=True)
        return
    exif = Image.Exif()
    if orientation != 1:
        image = image.transpose(STORED_TURN[orientation])
        exif[EXIF_ORIENTATION] = orientation
    image.save(path, quality=JPEG_QUALITY, optimize=True, exif=exif.tobytes() if exif else b"")


def licence(source: str, row: dict[str, str]) -> str:
    """Our short name of a source's licence; DataError when it may not ship."""
    if source in PUBLIC_DOMAIN:
        return "public domain"
    if row["licence"] not in PERMITTED:
        raise DataError(
            source,
            expected=f"one of the licences {sorted(set(PERMITTED.values()))}",
            found=row["licence"],
            hint="Choose another photo.",
        )
    return PERMITTED[row["licence"]]


def _joined(parts: list[str]) -> str:
    return " + ".join(dict.fromkeys(parts))


def build(folder: Path, out: Path) -> None:
    """Write the 25 photos and manifest.csv of the set into `out`."""
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as stream:
        shared = {row["file"]: row for row in csv.DictReader(stream)}
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for photo in sorted(PHOTOS, key=lambda p: p.file):
        image, done = render(photo, folder)
        path = out / photo.file
        save(image, path, photo.orientation)
        origins = [shared[source] for source in photo.sources]
        pages = [PAGES[source] for source in photo.sources if source in PAGES]
        credit = [
            PUBLIC_DOMAIN.get(s, row["attribution"])
            for s, row in zip(photo.sources, origins, strict=True)
        ]
        licences = [licence(s, row) for s, row in zip(photo.sources, origins, strict=True)]
        rows.append(
            {
                "file": photo.file,
                "faces": photo.faces,
                "expression": photo.expression,
                "source": _joined([row["source"] for row in origins] + pages),
                "licence": _joined(licences),
                "attribution": _joined(credit),
                "made": done,
                "width": image.width,
                "height": image.height,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
        )
    with (out / "manifest.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> int:
    """Build the set from the shared photos; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=photos_dir("affective-25"))
    out = parser.parse_args().out
    try:
        data = os.environ.get("FER_MOBILE_DATA")
        if not data:
            raise DataError(
                "FER_MOBILE_DATA",
                expected="the folder of the shared data, with photos/ in it",
                found="the variable is unset",
                hint="Set it to that folder.",
            )
        build(Path(data) / "photos", out)
    except InputError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
