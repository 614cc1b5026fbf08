"""Small pictures of photos for the report: inside the page, or in a folder beside it."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
from array import array
from bisect import bisect
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote

from PIL import Image

from fer_mobile.errors import PhotoError
from fer_mobile.files import write_bytes
from fer_mobile.images import load_photo
from fer_mobile.walk import NO_PHOTOS

THUMB_SIDE: Final = 320
"""Longest side of a picture in the grid, in pixels."""
DETAIL_SIDE: Final = 1024
"""Longest side of a picture in the detail view, where it lies inside the page."""
QUALITY: Final = 82

_NAME: Final = re.compile(r"[0-9a-f]{16}\.jpg")
_SHOWN_BY_BROWSERS: Final = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif"})


class Pictures(NamedTuple):
    """What the page shows of a photo: addresses, or None where there is no picture."""

    thumb: str | None = None
    photo: str | None = None


def embedded(path: Path) -> Pictures:
    """The pictures as data URIs: the page needs no other file."""
    jpegs = encode(path, (DETAIL_SIDE, THUMB_SIDE))
    if not jpegs:
        return Pictures()
    photo, thumb = (
        f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}" for jpeg in jpegs
    )
    return Pictures(thumb, photo)


class ThumbnailFolder:
    """Thumbnails as files in a folder beside the page; the detail view shows the photo itself.

    A thumbnail that is there already is not made again while its photo is the same.  The folder
    holds the mark by which `images.find_photos` and Android's galleries pass it over.
    """

    def __init__(self, page: Path) -> None:
        self._page = page
        self.folder = page.with_name(f"{page.stem}_files")
        self._used = array("Q")  # the numbers that the names spell: 8 bytes a photo
        write_bytes(self.folder / NO_PHOTOS, b"")

    def pictures(self, path: Path) -> Pictures:
        """The addresses of a photo's pictures, relative to the page; its thumbnail is made."""
        try:
            stat = path.stat()
            address = quote(os.fsencode(os.path.relpath(path, self._page.parent)))
        except (OSError, ValueError):  # gone, or on another drive
            return Pictures()
        key = f"{stat.st_size} {stat.st_mtime_ns} ".encode() + os.fsencode(path)
        digest = hashlib.sha256(key).digest()[:8]
        self._used.append(int.from_bytes(digest))
        name = f"{digest.hex()}.jpg"
        if not (self.folder / name).exists():
            jpegs = encode(path, (THUMB_SIDE,))
            if not jpegs:
                return Pictures()
            write_bytes(self.folder / name, jpegs[0])
        shown = path.suffix.lower() in _SHOWN_BY_BROWSERS
        return Pictures(quote(f"{self.folder.name}/{name}"), address if shown else None)

    def prune(self) -> None:
        """Delete the thumbnails of photos that were not asked for."""
        used = array("Q", sorted(self._used))
        with os.scandir(self.folder) as files:
            for file in files:
                if _NAME.fullmatch(file.name):
                    number = int(file.name[:16], 16)
                    at = bisect(used, number)
                    if not at or used[at - 1] != number:
                        Path(file.path).unlink(missing_ok=True)


def encode(path: Path, sides: tuple[int, ...]) -> list[bytes]:
    """The upright photo as JPEG, one for each of `sides` (longest side in pixels, falling).

    The photo is read once; it is never enlarged.  Empty when it cannot be read.
    """
    try:
        photo = load_photo(path, min_long_side=max(sides))
    except PhotoError:
        return []
    image = Image.fromarray(photo.rgb)
    jpegs = []
    for side in sides:
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
        file = io.BytesIO()
        image.save(file, "JPEG", quality=QUALITY, optimize=True)
        jpegs.append(file.getvalue())
    return jpegs
