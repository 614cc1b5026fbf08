"""Decoding image files: within a budget of memory, upright, as 8-bit sRGB.

Everything is decoded by Pillow.  Its reduced JPEG decoding (libjpeg's 1/2, 1/4 and 1/8) is
as fast as OpenCV's, it tells a truncated file from a whole one, and it is silent.
"""

from __future__ import annotations

import io
import logging
import math
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from threading import RLock
from typing import BinaryIO, Final

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from fer_mobile.arrays import Pixels
from fer_mobile.colour import adobe_to_srgb, to_srgb
from fer_mobile.errors import PhotoError
from fer_mobile.image_metadata import join_ranges, list_extra_exif, list_png_metadata
from fer_mobile.quiet import quiet

VERSION: Final = 3
"""Changes with the levels that a photo is decoded to; 2 heeds colour profiles, 3 also EXIF's."""

MAX_PIXELS: Final = 200_000_000
"""Photos with more are refused (the largest phone cameras make 200 megapixels)."""

MAX_BYTES: Final = 1_500_000_000
"""Memory that decoding a photo may take, unless told otherwise."""

_FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
_HEIF_FORMATS: Final = ("AVIF", "HEIF")
_EXPECTED: Final = "a JPEG, PNG, WebP, BMP, GIF, TIFF, HEIC or AVIF photo"
_JPEG: Final = b"\xff\xd8"
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_HEIF_BRANDS: Final = (b"hei", b"hev", b"mif1", b"msf1", b"avif", b"avis")

_DECODER_BYTES: Final = {"WEBP": 16, "AVIF": 8, "HEIF": 12, "TIFF": 8}
"""What a decoder takes for every pixel of the photo, besides the image that it fills: measured
on photos of 20 megapixels and rounded up.  Others decode row by row."""
_MODE_BYTES: Final = {"1": 1, "L": 1, "P": 1}
"""What Pillow takes for a pixel; 4 in other modes."""
_ROW_BYTES: Final = 16
"""What it takes for a row besides, which tells where a photo is a pixel wide."""

_STRIP: Final = 800_000
"""Pixels that are converted at once, so that no second photo lies in memory."""
_STRIP_BYTES: Final = 25
"""What converting one of them takes, at most: copies with alpha and without, and as sRGB."""

_LAST_ROWS: Final = 18
"""A JPEG's last row of blocks, and what libjpeg holds back of the one before for smoothing."""

_ORIENTATION: Final = 0x0112
_COLOUR_SPACE, _UNCALIBRATED = 0xA001, 0xFFFF
_INTEROPERABILITY_INDEX, _ADOBE_RGB = 0x0001, "R03"
_HEADER_LOCK = RLock()

# Without a handler its errors, which also become exceptions, would go to stderr.
logging.getLogger("PIL").addHandler(logging.NullHandler())


def decode(
    subject: str, file: BinaryIO, *, min_long_side: int | None = None, max_bytes: int = MAX_BYTES
) -> tuple[Pixels, tuple[int, int]]:
    """The photo in a file: sRGB uint8 H×W×3, upright, and its full width and height.

    Args:
        subject: what errors call the file.
        file: what to read, at its beginning.
        min_long_side: a JPEG may be decoded at a half, a quarter or an eighth of its size while
            the longest side keeps at least this many pixels.
        max_bytes: the memory that decoding may take.

    Raises PhotoError when there is no photo, it is damaged or too large.
    """
    image = open_image(subject, file)
    size = _reduced(subject, image, min_long_side, max_bytes)
    try:
        rgb = upright_rgb(image)
    except Exception as error:  # Pillow's decoders raise nearly every kind for damaged files
        mended = _mended(image, file, str(error))
        if mended is None:
            raise damaged(subject, error) from error
        image = open_image(subject, mended)
        _reduced(subject, image, min_long_side, max_bytes)
        try:
            rgb = upright_rgb(image)
        except Exception as again:
            raise damaged(subject, again) from again
    return rgb, size[::-1] if _orientation(image) >= 5 else size


def open_image(subject: str, file: BinaryIO) -> Image.Image:
    """The image with its header read and its size checked; PhotoError as for `decode`."""
    start = file.read(12)
    if not start:
        raise PhotoError(subject, expected=_EXPECTED, found="an empty file")
    if start.startswith(_JPEG) and (extra := list_extra_exif(file)):
        file = io.BytesIO(join_ranges(file, extra))  # Pillow joins them in quadratic time
    file.seek(0)
    heif = start[4:8] == b"ftyp" and start[8:].startswith(_HEIF_BRANDS)
    formats = _heif_formats() if heif else _FORMATS
    try:
        with header_rules():
            image = Image.open(file, formats=formats)
    except Exception as error:
        if start.startswith(_PNG) and (metadata := list_png_metadata(file)):
            return open_image(subject, io.BytesIO(join_ranges(file, metadata)))
        if not isinstance(error, UnidentifiedImageError):
            raise damaged(subject, error) from error
        if heif and "HEIF" not in formats:
            raise PhotoError(
                subject,
                expected="the package pillow-heif, which reads HEIC photos",
                found="it is not installed",
                hint="Install it with: pip install 'fer-mobile[heic]'",
            ) from error
        raise PhotoError(subject, expected=_EXPECTED, found="none of them") from error
    if image.width * image.height > MAX_PIXELS:
        raise PhotoError(
            subject,
            expected=f"at most {MAX_PIXELS // 1_000_000} megapixels",
            found=f"{image.width}×{image.height}",
            hint="Make it smaller first.",
        )
    return image


def upright_rgb(image: Image.Image) -> Pixels:
    """The pixels of an image, upright and over white: uint8 H×W×3; any error that Pillow raises."""
    # Loaded before the orientation is read: PNG may hold it behind the pixels, TIFF applies it
    # while loading, and reads its tags again with warnings about each damaged one.
    with ExitStack() as rules:
        if image.format == "TIFF":
            rules.enter_context(header_rules())
            rules.enter_context(quiet(2))  # libtiff
        image.load()
    if image.mode == "F":
        raise ValueError("floating-point pixels")
    if image.mode == "I" and image.format == "TIFF":
        raise ValueError("gray pixels of 32 bits, whose range nobody knows")
    # A BMP whose alpha is zero everywhere has none.
    opaque = image.format == "BMP" and image.mode == "RGBA" and not image.getchannel("A").getbbox()
    orientation = _orientation(image)
    profile = image.info.get("icc_profile")
    adobe = not profile and image.mode == "RGB" and _is_adobe_rgb(image)
    width, height = image.size
    rgb = np.empty((width, height, 3) if orientation >= 5 else (height, width, 3), np.uint8)
    stored = _as_stored(rgb, orientation)
    rows = max(1, _STRIP // width)
    for top in range(0, height, rows):
        strip = image
        if rows < height:
            strip = image.crop((0, top, width, min(top + rows, height)))
        if opaque:
            strip = strip.convert("RGB")
        strip = adobe_to_srgb(strip) if adobe else to_srgb(_in_8_bits(strip), profile)
        stored[top : top + rows] = np.asarray(_over_white(strip))
    return rgb


def damaged(subject: object, error: Exception) -> PhotoError:
    """The error for a photo that Pillow cannot decode, with Pillow's reason."""
    reason = (" ".join(str(error).split()) or type(error).__name__).rstrip(".")
    if "truncated" in reason.lower():
        reason = f"it is cut off ({reason})"
    return PhotoError(subject, expected="a photo that can be decoded", found=reason)


@contextmanager
def header_rules() -> Iterator[None]:
    """Lifts Pillow's own pixel limit, which is lower than ours, and mutes its warnings.

    Both are settings of the whole process, hence the lock; but for TIFF, decoding happens
    outside of it.
    """
    with _HEADER_LOCK, warnings.catch_warnings(action="ignore"):
        limit = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _heif_formats() -> tuple[str, ...]:
    """What the installed packages read of the HEIF family."""
    Image.init()
    with suppress(ImportError):
        import pillow_heif

        pillow_heif.register_heif_opener()
    return tuple(name for name in _HEIF_FORMATS if name in Image.OPEN)


def _reduced(
    subject: str, image: Image.Image, min_long_side: int | None, max_bytes: int
) -> tuple[int, int]:
    """The full size of an image, which is set to be decoded reduced where that is enough.

    Raises PhotoError where decoding would take more than `max_bytes`.
    """
    size = image.size
    for factor in (8, 4, 2):
        if min_long_side is not None and max(size) >= factor * min_long_side:
            image.draft(None, (max(1, size[0] // factor), max(1, size[1] // factor)))
            break
    decoder = _DECODER_BYTES.get(image.format or "", 0)
    if image.info.get("progressive"):  # all coefficients of the photo, in 16 bits
        decoder += 2 * len(image.getbands())
    pixels = math.prod(image.size)
    pixel = _MODE_BYTES.get(image.mode, 4) + 3  # as decoded, and as RGB
    cost = decoder * math.prod(size) + pixel * pixels + _ROW_BYTES * image.height
    cost += _STRIP_BYTES * min(pixels, _STRIP)
    if cost > max_bytes:
        raise PhotoError(
            subject,
            expected=f"a photo that can be decoded in {max_bytes / 1e9:.1f} GB of memory",
            found=f"{size[0]}×{size[1]} {image.format}, which takes {cost / 1e9:.1f} GB",
            hint="Make it smaller first, or use a larger `max_bytes`.",
        )
    return size


def _mended(image: Image.Image, file: BinaryIO, reason: str) -> BinaryIO | None:
    """The file without a fault that does not touch its pixels; None where there is no such fault.

    Metadata of a PNG may be damaged, or larger than Pillow allows.  A JPEG may lack its last bytes;
    where they are of the last row of blocks, what is missing there becomes one colour.
    """
    file.seek(0)
    if image.format == "PNG":
        metadata = list_png_metadata(file)
        return io.BytesIO(join_ranges(file, metadata)) if metadata else None
    if image.format in ("JPEG", "MPO") and "truncated" in reason:
        rows = _LAST_ROWS * image.height // _full_height(file, image)
        decoded = image.im.getbbox()  # the rows after it are black
        if decoded and decoded[3] >= image.height - rows:
            file.seek(0)
            return io.BytesIO(file.read() + b"\xff\xd9")
    return None


def _full_height(file: BinaryIO, image: Image.Image) -> int:
    with suppress(Exception), header_rules():
        return Image.open(file, formats=_FORMATS).height
    return image.height


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8, of an image whose pixels are loaded; 1 where it is no such."""
    try:
        with header_rules():
            orientation = int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # a damaged EXIF block says nothing
        return 1
    return orientation if 1 <= orientation <= 8 else 1


def _is_adobe_rgb(image: Image.Image) -> bool:
    """Whether a photo without a profile is in Adobe RGB, as cameras say by EXIF alone (DCF 2.0)."""
    try:
        with header_rules():
            exif = image.getexif()
            if exif.get_ifd(ExifTags.IFD.Exif).get(_COLOUR_SPACE) != _UNCALIBRATED:
                return False
            interoperability = exif.get_ifd(ExifTags.IFD.Interop)
    except Exception:  # a damaged EXIF block says nothing
        return False
    return bool(interoperability.get(_INTEROPERABILITY_INDEX) == _ADOBE_RGB)


def _as_stored(rgb: Pixels, orientation: int) -> Pixels:
    """A view of the upright `rgb`, whose pixels lie as a file of this orientation stores them."""
    if orientation in (2, 3, 6, 7):
        rgb = rgb[:, ::-1]
    if orientation in (3, 4, 7, 8):
        rgb = rgb[::-1]
    return rgb.swapaxes(0, 1) if orientation >= 5 else rgb


def _in_8_bits(image: Image.Image) -> Image.Image:
    """The image; 16-bit gray, which some formats deliver as 32-bit integers, in mode L."""
    if not image.mode.startswith("I"):
        return image
    return Image.fromarray((np.asarray(image) >> 8).clip(0, 255).astype(np.uint8))


def _over_white(image: Image.Image) -> Image.Image:
    """The image in mode RGB."""
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")
