"""Whatever bytes a photo has: a photo or a PhotoError, within the budget of memory, in silence."""

from __future__ import annotations

import io
import resource
import time
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from fer_mobile.errors import PhotoError
from fer_mobile.images import load_photo
from fer_mobile.resources import photos_dir

MUTATED = 100_000
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


def seeds() -> dict[str, bytes]:
    """A small photo in every form that Pillow writes, upright or turned by EXIF."""
    portrait = Image.open(photos_dir() / "astronaut-smile.jpg").convert("RGB").resize((64, 48))
    forms = {}
    for format, choices in OPTIONS.items():
        for options in choices:
            for mode in MODES:
                file = io.BytesIO()
                exif = Image.Exif()
                exif[0x0112] = 6
                turned = {"exif": exif} if mode == "L" and format != "BMP" else {}
                try:
                    portrait.convert("I" if mode == "I;16" else mode).convert(mode).save(
                        file, format, **options, **turned
                    )
                except (OSError, ValueError, KeyError, RuntimeError):
                    continue  # a mode that the format does not have
                forms[f"{format} {mode} {options}"] = file.getvalue()
    return forms


def mutated(contents: list[bytes], count: int, rng: np.random.Generator) -> Iterator[bytes]:
    """Each of the contents in turn, one to four bytes changed; one in five cut off."""
    for number in range(count):
        content = bytearray(contents[number % len(contents)])
        for place in rng.integers(0, len(content), rng.integers(1, 5)):
            content[place] = rng.integers(0, 256)
        if rng.random() < 0.2:
            del content[rng.integers(0, len(content)) :]
        yield bytes(content)


@pytest.mark.parametrize(
    "count", [FEW, pytest.param(MUTATED, marks=pytest.mark.prove)], ids=["few", "many"]
)
def test_mutated_images_are_photos_or_errors(count, capfd):
    forms = seeds()
    assert len(forms) >= 52
    capfd.readouterr()  # what libtiff says of modes that it cannot write
    photos, longest = 0, 0.0
    for number, content in enumerate(mutated([*forms.values()], count, np.random.default_rng(5))):
        start = time.process_time()
        try:
            photo = load_photo(content, min_long_side=20 if number % 2 else None, max_bytes=BUDGET)
        except PhotoError as error:
            assert "\n" not in str(error)  # noqa: PT017
        else:
            photos += 1
            assert photo.rgb.dtype == np.uint8
            assert photo.rgb.shape[2] == 3
        longest = max(longest, time.process_time() - start)
    assert 0 < photos < count
    assert capfd.readouterr() == ("", "")
    if count == MUTATED:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        with capfd.disabled():
            print(
                f"\n{count} images of {len(forms)} forms: {photos} photos, "
                f"{count - photos} errors; longest {longest:.2f} s, peak {peak:.0f} MB"
            )
