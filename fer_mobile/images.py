"""Reading photos: upright 8-bit RGB from whatever a photo library holds (see `decoding`)."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np
from PIL import Image

from fer_mobile.arrays import Pixels
from fer_mobile.decoding import MAX_BYTES, damaged, decode, upright_rgb
from fer_mobile.errors import PhotoError
from fer_mobile.files import open_regular
from fer_mobile.walk import PHOTO_SUFFIXES as PHOTO_SUFFIXES
from fer_mobile.walk import find_photos as find_photos

_CONTENT: Final = "the photo"
"""What errors call a photo that has no path."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo as the pipeline sees it."""

    rgb: Pixels
    """sRGB, H×W×3, upright, contiguous; maybe decoded at a half, a quarter or an eighth."""
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
    source: PhotoSource,
    *,
    bgr: bool = False,
    min_long_side: int | None = None,
    max_bytes: int = MAX_BYTES,
) -> Photo:
    """Read a photo: a file, its content, a Pillow image or an array.

    A file's content decides, not its suffix.  EXIF orientation is applied, transparency is
    laid over white, CMYK, palettes and gray become RGB, colours become sRGB by the file's ICC
    profile, 16 bits are cut to 8, and of an animation the first frame is taken.

    Args:
        source: a path; the bytes of a file; a binary file, which is read to its end; an image;
            or an array uint8 H×W or H×W×1 (gray), H×W×3 (RGB) or H×W×4 (RGBA).
        bgr: the array's channels are in OpenCV's order (BGR, BGRA).
        min_long_side: a JPEG file may be decoded at a half, a quarter or an eighth of its
            size while the longest side keeps at least this many pixels.
        max_bytes: the memory that decoding a file may take; a 200-megapixel JPEG takes 1.4 GB
            when it is not reduced.

    Raises PhotoError when there is no photo, it is damaged, or it exceeds `max_bytes` or
    `decoding.MAX_PIXELS`.
    """
    source = read_stream(source)
    if isinstance(source, np.ndarray):
        return _whole(_array_pixels(source, bgr))
    if isinstance(source, Image.Image):
        try:
            return _whole(upright_rgb(source))
        except Exception as error:  # a lazy image is decoded only now
            raise damaged("the image", error) from error
    if isinstance(source, bytes | bytearray | memoryview):
        return _load(_CONTENT, "", io.BytesIO(source), min_long_side, max_bytes)
    if isinstance(source, str | os.PathLike):
        return _load_path(os.fsdecode(source), min_long_side, max_bytes)
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
        raise damaged("the file", error) from error
    if not isinstance(content, bytes | bytearray | memoryview):
        raise PhotoError("the file", expected="one opened in binary mode", found="text")
    return content


def _whole(rgb: Pixels) -> Photo:
    return Photo(rgb, (rgb.shape[1], rgb.shape[0]))


def _load(
    subject: str, path: str, file: BinaryIO, min_long_side: int | None, max_bytes: int
) -> Photo:
    rgb, size = decode(subject, file, min_long_side=min_long_side, max_bytes=max_bytes)
    return Photo(rgb, size, path)


def _load_path(path: str, min_long_side: int | None, max_bytes: int) -> Photo:
    try:
        with open_regular(path) as file:
            return _load(path, path, file, min_long_side, max_bytes)
    except (FileNotFoundError, ValueError) as error:  # ValueError: a name that no file can have
        raise PhotoError(path, expected="a photo", found="no such file") from error
    except OSError as error:
        found = (error.strerror or str(error)).lower()
        raise PhotoError(path, expected="a photo that can be opened", found=found) from error


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
        return upright_rgb(Image.fromarray(np.ascontiguousarray(array), "RGBA"))
    return np.ascontiguousarray(array)
