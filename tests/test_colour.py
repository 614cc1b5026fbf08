"""Photos of every colour space come out as sRGB."""

from __future__ import annotations

import io
import zlib

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from fer_mobile.colour import adobe_to_srgb, to_srgb
from fer_mobile.images import load_photo
from tests import profiles

CORNERS = (
    np.stack(np.meshgrid(*[[30, 90, 150, 220]] * 3), axis=-1).reshape(8, 8, 3).astype(np.uint8)
)
"""Colours that are in sRGB too, and some that are not."""


def encoded(image: Image.Image, format: str, profile: bytes, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, format, icc_profile=profile, **options)
    return file.getvalue()


@pytest.mark.parametrize("primaries", [profiles.DISPLAY_P3, profiles.ADOBE_RGB])
@pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP"])
def test_wide_colours_become_srgb(primaries, format):
    options = {"lossless": True, "exact": True} if format == "WEBP" else {}
    profile = profiles.rgb_profile(primaries)
    photo = load_photo(encoded(Image.fromarray(CORNERS), format, profile, **options))
    expected = profiles.as_srgb(CORNERS, primaries)
    assert np.abs(photo.rgb - expected).max() < 1.6
    assert np.abs(expected - CORNERS).max() > 20  # it is another colour


@pytest.mark.parametrize("format", ["JPEG", "AVIF", "HEIF"])
def test_formats_of_cameras_and_phones(format):
    if format == "HEIF":
        pytest.importorskip("pillow_heif", reason="needs the extra `heic`").register_heif_opener()
    options = {"subsampling": 0} if format == "JPEG" else {"subsampling": "4:4:4"}
    colour = np.array([180, 90, 60], np.uint8)
    image = Image.new("RGB", (64, 64), tuple(colour))
    profile = profiles.rgb_profile(profiles.DISPLAY_P3)
    photo = load_photo(encoded(image, format, profile, quality=95, **options), min_long_side=32)
    expected = profiles.as_srgb(colour, profiles.DISPLAY_P3)
    assert np.abs(photo.rgb - expected).max() < 6
    assert np.abs(colour - expected).max() > 12


def with_exif(image: Image.Image, space: int, index: str) -> Image.Exif:
    exif = image.getexif()
    exif.get_ifd(ExifTags.IFD.Exif)[0xA001] = space
    # Pillow writes no such part of its own accord.
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.IFD.Interop.value] = {1: index}
    return exif


@pytest.mark.parametrize(
    ("space", "index", "profile", "changes"),
    [
        (0xFFFF, "R03", None, True),
        (0xFFFF, "R98", None, False),
        (1, "R03", None, False),
        (0xFFFF, "R03", "its own", False),
    ],
    ids=["Adobe RGB", "another index", "sRGB", "a profile goes first"],
)
def test_adobe_rgb_that_exif_alone_tells(space, index, profile, changes):
    image = Image.new("RGB", (64, 64), (180, 90, 60))
    if profile:
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    file = io.BytesIO()
    image.save(file, "JPEG", quality=100, subsampling=0, icc_profile=profile,
               exif=with_exif(image, space, index))  # fmt: skip
    colour = load_photo(file.getvalue()).rgb[30, 30]
    expected = np.array([180, 90, 60])
    if changes:
        expected = profiles.as_srgb(expected, profiles.ADOBE_RGB)
        assert expected[0] > 190
    assert np.abs(colour - expected).max() < 2.5


def test_adobe_rgb_is_what_its_profile_says():
    expected = profiles.as_srgb(CORNERS, profiles.ADOBE_RGB)
    found = np.asarray(adobe_to_srgb(Image.fromarray(CORNERS)), float)
    assert np.abs(found - expected).max() < 1.6


def test_gray_and_inks_become_srgb():
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    gray = load_photo(encoded(Image.fromarray(ramp), "PNG", profiles.gray_profile(1.75)))
    assert np.abs(gray.rgb - profiles.encode((ramp / 255) ** 1.75)[..., None]).max() < 2
    inks = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    photo = load_photo(encoded(inks, "TIFF", profiles.cmyk_profile()))
    assert np.ptp(photo.rgb[0, 0]) <= 2  # its cyan is a gray
    assert 100 < photo.rgb[0, 0, 0] < 200


def test_transparency_stays_beside_a_profile():
    layer = np.dstack([CORNERS, np.tile([0, 255], 32).reshape(8, 8).astype(np.uint8)])
    profile = profiles.rgb_profile(profiles.ADOBE_RGB)
    for image in (Image.fromarray(layer), Image.fromarray(layer).quantize(256)):
        photo = load_photo(encoded(image, "PNG", profile))
        assert (photo.rgb[:, ::2] == 255).all()
        expected = profiles.as_srgb(CORNERS[:, 1::2], profiles.ADOBE_RGB)
        assert np.abs(photo.rgb[:, 1::2] - expected).max() < 1.6


@pytest.mark.parametrize(
    "profile",
    [
        b"",
        b"no profile",
        bytearray(b"no bytes"),
        profiles.rgb_profile(profiles.DISPLAY_P3)[:200],
        profiles.cmyk_profile(),
        profiles.gray_profile(1.8),
    ],
    ids=["none", "damaged", "of a wrong type", "cut off", "of inks", "of gray"],
)
def test_a_profile_that_does_not_fit_changes_nothing(profile):
    image = Image.fromarray(CORNERS)
    assert to_srgb(image, profile) is image


def test_srgb_by_any_maker_changes_nothing():
    own = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = Image.fromarray(CORNERS)
    assert to_srgb(image, own) is image


def test_a_damaged_text_keeps_the_profile_of_a_png():
    """Metadata that Pillow refuses are left out; what the colours stand for is not."""
    plain = encoded(Image.fromarray(CORNERS), "PNG", profiles.rgb_profile(profiles.ADOBE_RGB))
    text = b"zTXt" + b"note\0\0" + zlib.compress(b"x" * 3_000_000)
    chunk = (len(text) - 4).to_bytes(4) + text + zlib.crc32(text).to_bytes(4)
    damaged = plain[:33] + chunk + plain[33:]
    assert (load_photo(damaged).rgb == load_photo(plain).rgb).all()


def test_an_image_of_pillow_is_read_as_its_file_is():
    content = encoded(Image.fromarray(CORNERS), "PNG", profiles.rgb_profile(profiles.ADOBE_RGB))
    assert (load_photo(Image.open(io.BytesIO(content))).rgb == load_photo(content).rgb).all()
