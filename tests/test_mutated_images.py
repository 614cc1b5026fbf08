"""Whatever bytes a photo has: a photo or a PhotoError, within the budget of memory, in silence."""

from __future__ import annotations

import io
import itertools
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from fer_mobile.errors import PhotoError
from fer_mobile.images import load_photo
from fer_mobile.resources import photos_dir
from tests import profiles

FEW = 1_040
BUDGET = 300_000_000

OPTIONS = {
    "JPEG": [{"quality": 60}, {"progressive": True}, {"subsampling": 0}, {"optimize": True}],
    "PNG": [{}, {"compress_level": 0}],
    "WEBP": [{"quality": 60}, {"lossless": True}],
    "GIF": [{}, {"save_all": True}],
    "BMP": [{}],
    "TIFF": [
        {}, {"compression": "tiff_lzw"}, {"compression": "tiff_adobe_deflate"},
        {"compression": "packbits"}, {"compression": "jpeg"}, {"compression": "group4"},
    ],
    "AVIF": [{"quality": 60}],
    "MPO": [{"quality": 60}],
}  # fmt: skip
MODES = ("RGB", "L", "RGBA", "CMYK", "P", "1", "I;16")
PROFILES = {
    "RGB": profiles.rgb_profile(profiles.DISPLAY_P3),
    "L": profiles.gray_profile(1.8),
    "CMYK": profiles.cmyk_profile(),
}


def seeds() -> dict[str, bytes]:
    """A small photo in every form that Pillow writes: some turned by EXIF, some with a profile."""
    portrait = Image.open(photos_dir() / "astronaut-smile.jpg").convert("RGB").resize((64, 48))
    forms = {}
    for format, choices in OPTIONS.items():
        for options in choices:
            for mode in MODES:
                file = io.BytesIO()
                exif = Image.Exif()
                exif[0x0112] = 6
                extra = {"exif": exif} if mode == "L" and format != "BMP" else {}
                if mode in PROFILES and format not in ("BMP", "GIF"):
                    extra["icc_profile"] = PROFILES[mode]
                try:
                    portrait.convert("I" if mode == "I;16" else mode).convert(mode).save(
                        file, format, **options, **extra
                    )
                except (OSError, ValueError, KeyError, RuntimeError):
                    continue  # a mode that the format does not have
                forms[f"{format} {mode} {options}"] = file.getvalue()
    return forms


def mutated(contents: list[bytes], rng: np.random.Generator) -> Iterator[bytes]:
    """Each of the contents in turn, one to four bytes changed; one in five cut off."""
    for original in itertools.cycle(contents):
        content = bytearray(original)
        for place in rng.integers(0, len(content), rng.integers(1, 5)):
            content[place] = rng.integers(0, 256)
        if rng.random() < 0.2:
            del content[rng.integers(0, len(content)) :]
        yield bytes(content)


class Counts(NamedTuple):
    forms: int
    photos: int
    errors: int
    longest_s: float
    """Processor time of one image."""


def read_mutated(rounds: Iterable[int], capfd: pytest.CaptureFixture[str]) -> Counts:
    """Read a mutated image a round: each is a photo or a PhotoError, and nothing is printed."""
    forms = seeds()
    assert len(forms) >= 52
    capfd.readouterr()  # what libtiff says of modes that it cannot write
    photos, errors, longest_s = 0, 0, 0.0
    contents = mutated([*forms.values()], np.random.default_rng(5))
    for number, content in zip(rounds, contents, strict=False):
        start = time.process_time()
        try:
            photo = load_photo(content, min_long_side=20 if number % 2 else None, max_bytes=BUDGET)
        except PhotoError as error:
            errors += 1
            assert "\n" not in str(error)  # noqa: PT017
        else:
            photos += 1
            assert photo.rgb.dtype == np.uint8
            assert photo.rgb.shape[2] == 3
        longest_s = max(longest_s, time.process_time() - start)
    assert photos
    assert errors
    assert capfd.readouterr() == ("", "")
    return Counts(len(forms), photos, errors, longest_s)


def test_mutated_images_are_photos_or_errors(capfd):
    read_mutated(range(FEW), capfd)
