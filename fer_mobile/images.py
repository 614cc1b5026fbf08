"""Reading photos: upright 8-bit RGB from whatever a photo library holds.

Everything is decoded by Pillow.  Its reduced JPEG decoding (libjpeg's 1/2, 1/4 and 1/8) is
as fast as OpenCV's, it tells a truncated file from a whole one, and it is silent.
"""

from __future__ import annotations

import io
import os
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import BinaryIO, Final

import numpy as np
from PIL import Image, UnidentifiedImageError

from fer_mobile.errors import PhotoError
from fer_mobile.types import Pixels
from fer_mobile.walk import PHOTO_SUFFIXES as PHOTO_SUFFIXES
from fer_mobile.walk import find_photos as find_photos

MAX_PIXELS: Final = 200_000_000
"""Photos with more are refused (0.6 GB as RGB; the largest phone cameras make 200 MP)."""

_FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
_HEIF_FORMATS: Final = ("AVIF", "HEIF")
_EXPECTED: Final = "a JPEG, PNG, WebP, BMP, GIF, TIFF, HEIC or AVIF photo"
_CONTENT: Final = "the photo"
"""What errors call a photo that has no path."""
_HEIF_BRANDS: Final = (b"hei", b"hev", b"mif1", b"msf1", b"avif", b"avis")

_ORIENTATION: Final = 0x0112
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What turns a photo upright, by its EXIF orientation."""

_HEADER_LOCK = RLock()


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo as the pipeline sees it."""

    rgb: Pixels
    """H×W×3, upright, contiguous; maybe decoded at a half, a quarter or an eighth."""
    size: tuple[int, int]
    """Width and height of the upright photo at full resolution."""
    path: str = ""
    """The file that it was read from; empty for a photo that came from memory."""

    @property
    def scale(self) -> float:
        """Pixels of `rgb` to one pixel of the photo, 0 to 1."""
        return float(self.rgb.shape[1] / self.size[0])


PhotoSource = (
    str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Image.Image | Pixels
)
"""A photo: a file by its path, a file's content, an open binary file, an image or an array."""


def load_photo(
    source: PhotoSource, *, bgr: bool = False, min_long_side: int | None = None
) -> Photo:
    """Read a photo: a file, its content, a Pillow image or an array.

    A file's content decides, not its suffix.  EXIF orientation is applied, transparency is
    laid over white, CMYK, palettes and gray become RGB, 16 bits are cut to 8, and of an
    animation the first frame is taken.

    Args:
        source: a path; the bytes of a file; a binary file, which is read to its end; an image;
            or an array uint8 H×W or H×W×1 (gray), H×W×3 (RGB) or H×W×4 (RGBA).
        bgr: the array's channels are in OpenCV's order (BGR, BGRA).
        min_long_side: a JPEG file may be decoded at a half, a quarter or an eighth of its
            size while the longest side keeps at least this many pixels.

    Raises PhotoError when there is no photo, it is damaged, or it exceeds `MAX_PIXELS`.
    """
    source = read_stream(source)
    if isinstance(source, np.ndarray):
        return _whole(_array_pixels(source, bgr))
    if isinstance(source, Image.Image):
        try:
            return _whole(_upright(source))
        except Exception as error:  # a lazy image is decoded only now
            raise _damaged("the image", error) from error
    if isinstance(source, bytes | bytearray | memoryview):
        return _decode(_CONTENT, "", io.BytesIO(source), min_long_side)
    if isinstance(source, str | os.PathLike):
        return _load_file(os.fsdecode(source), min_long_side)
    raise PhotoError(
        _CONTENT,
        expected="a path, bytes, a binary file, a Pillow image or a uint8 array",
        found=f"{type(source).__name__}",
    )


def read_stream(source: PhotoSource) -> PhotoSource:
    """What is left of an open binary file, as bytes; any other `source` as it is."""
    read = getattr(source, "read", None)
    if read is None:
        return source
    try:
        content = read()
    except Exception as error:  # the file may be of any class
        raise _damaged("the file", error) from error
    if not isinstance(content, bytes | bytearray | memoryview):
        raise PhotoError("the file", expected="one opened in binary mode", found="text")
    return content


def _whole(rgb: Pixels) -> Photo:
    return Photo(rgb, (rgb.shape[1], rgb.shape[0]))


def _load_file(path: str, min_long_side: int | None) -> Photo:
    try:
        mode = Path(path).stat().st_mode
        if not stat.S_ISREG(mode):  # opening a pipe would wait forever
            found = "a folder" if stat.S_ISDIR(mode) else "a device"
            raise PhotoError(path, expected="a photo", found=found)
        with Path(path).open("rb") as file:
            return _decode(path, path, file, min_long_side)
    except FileNotFoundError as error:
        raise PhotoError(path, expected="a photo", found="no such file") from error
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        found = (getattr(error, "strerror", None) or str(error)).lower()
        raise PhotoError(path, expected="a photo that can be opened", found=found) from error


def _decode(subject: str, path: str, file: BinaryIO, min_long_side: int | None) -> Photo:
    image = open_image(subject, file)
    width, height = image.size
    try:
        if min_long_side is not None:
            _reduce(image, min_long_side)
        rgb = _upright(image)
        turned = _orientation(image) >= 5
    except Exception as error:  # Pillow's decoders raise nearly every kind for damaged files
        raise _damaged(subject, error) from error
    return Photo(rgb, (height, width) if turned else (width, height), path)


def open_image(subject: str, file: BinaryIO) -> Image.Image:
    """The image with its header read and its size checked."""
    start = file.read(12)
    if not start:
        raise PhotoError(subject, expected=_EXPECTED, found="an empty file")
    file.seek(0)
    heif = start[4:8] == b"ftyp" and start[8:].startswith(_HEIF_BRANDS)
    formats = _heif_formats() if heif else _FORMATS
    try:
        with header_rules():
            image = Image.open(file, formats=formats)
    except UnidentifiedImageError as error:
        if heif and "HEIF" not in formats:
            raise PhotoError(
                subject,
                expected="the package pillow-heif, which reads HEIC photos",
                found="it is not installed",
                hint="Install it with: pip install 'fer-mobile[heic]'",
            ) from error
        raise PhotoError(subject, expected=_EXPECTED, found="none of them") from error
    except Exception as error:
        raise _damaged(subject, error) from error
    pixels = image.width * image.height
    if pixels > MAX_PIXELS:
        raise PhotoError(
            subject,
            expected=f"at most {MAX_PIXELS // 1_000_000} megapixels",
            found=f"{image.width}×{image.height}",
            hint="Make it smaller first.",
        )
    return image


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


def _reduce(image: Image.Image, min_long_side: int) -> None:
    """Have a JPEG decoded at the largest reduction that keeps the longest side long enough."""
    for factor in (8, 4, 2):
        if max(image.size) >= factor * min_long_side:
            image.draft(None, (max(1, image.width // factor), max(1, image.height // factor)))
            return


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8, of an image whose pixels are loaded."""
    try:
        with header_rules():
            return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # a damaged EXIF block says nothing
        return 1


def _upright(image: Image.Image) -> Pixels:
    """The pixels of an image, upright: uint8 H×W×3."""
    # Loaded before the orientation is read: PNG may hold it behind the pixels, TIFF applies it
    # while loading, and reads its tags again with warnings about each damaged one.
    with header_rules() if image.format == "TIFF" else nullcontext():
        image.load()
    method = _UPRIGHT.get(_orientation(image))
    rgb = _to_rgb(image)
    return np.array(rgb if method is None else rgb.transpose(method))


def _to_rgb(image: Image.Image) -> Image.Image:
    """The image in mode RGB."""
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I"):  # 16-bit gray; some formats deliver it as 32-bit integers
        return Image.fromarray((np.asarray(image) >> 8).clip(0, 255).astype(np.uint8)).convert(
            "RGB"
        )
    if image.mode == "F":
        raise ValueError("floating-point pixels")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")


def _array_pixels(array: Pixels, bgr: bool) -> Pixels:
    """An array as uint8 H×W×3 RGB, contiguous."""
    channels = array.shape[2] if array.ndim == 3 else 1
    if (
        array.dtype != np.uint8
        or array.ndim not in (2, 3)
        or channels not in (1, 3, 4)
        or array.size == 0
    ):
        raise PhotoError(
            "the array",
            expected="uint8 of shape H×W, H×W×1, H×W×3 or H×W×4",
            found=f"{array.dtype} of shape {'×'.join(map(str, array.shape))}",
        )
    if channels == 1:
        return np.repeat(array.reshape(*array.shape[:2], 1), 3, axis=2)
    if bgr:
        array = array[:, :, [2, 1, 0, *range(3, channels)]]
    if channels == 4:
        return np.array(_to_rgb(Image.fromarray(np.ascontiguousarray(array), "RGBA")))
    return np.ascontiguousarray(array)


def _damaged(subject: object, error: Exception) -> PhotoError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return PhotoError(subject, expected="a photo that can be decoded", found=reason.rstrip("."))
