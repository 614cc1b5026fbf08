"""Small pictures of photos for the report: inside the page, or in a folder next to it."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
from array import array
from bisect import bisect_left
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote

from PIL import Image

from fer_mobile.errors import InputError, PhotoError
from fer_mobile.files import MARKER, claim_folder, display_name, replace_file, write_bytes
from fer_mobile.images import load_photo
from fer_mobile.walk import NO_PHOTOS

THUMB_SIDE: Final = 320
"""Longest side of a picture in the grid, in pixels."""
DETAIL_SIDE: Final = 1024
"""Longest side of a picture in the detail view, where it lies inside the page."""
QUALITY: Final = 82

_NAME: Final = re.compile(rb"[0-9a-f]{16}\.jpg\n")
_LONGEST_STEM: Final = 240
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
    """Thumbnails as files in a folder next to the page; the detail view shows the photo itself.

    It is named after the page as browsers name theirs.  If a folder of that name is not ours, the
    name gets a number.  Our marker in it lists the thumbnails that we made: only these are ever
    deleted.  One that is there already is not made again while its photo is the same.
    """

    def __init__(self, page: Path) -> None:
        self._page = page
        self._used = array("Q")  # the numbers that the names spell: 8 bytes a photo
        self.folder = _own_folder(page)
        if not (self.folder / NO_PHOTOS).exists():
            write_bytes(self.folder / NO_PHOTOS, b"")  # for Android's galleries
        self._marker = self.folder / MARKER
        self._made = _numbers(self._marker)

    def pictures(self, path: Path) -> Pictures:
        """The addresses of a photo's pictures, relative to the page; its thumbnail is made."""
        try:
            stat = path.stat()
            address = quote(os.fsencode(os.path.relpath(path, self._page.parent)))
        except (OSError, ValueError):  # gone, or on another drive
            return Pictures()
        key = f"{stat.st_size} {stat.st_mtime_ns} ".encode() + os.fsencode(path)
        digest = hashlib.sha256(key).digest()[:8]
        number = int.from_bytes(digest)
        name = f"{digest.hex()}.jpg"
        if not (_holds(self._made, number) and (self.folder / name).exists()):
            jpegs = encode(path, (THUMB_SIDE,))
            if not jpegs:
                return Pictures()
            with self._marker.open("ab") as lines:  # first: what a killed run made is ours too
                lines.write(f"{name}\n".encode())
            write_bytes(self.folder / name, jpegs[0])
        self._used.append(number)
        shown = path.suffix.lower() in _SHOWN_BY_BROWSERS
        return Pictures(
            quote(os.fsencode(f"{self.folder.name}/{name}")), address if shown else None
        )

    def close(self) -> None:
        """Delete the thumbnails that we made for photos that were not asked for."""
        used = array("Q", sorted(set(self._used)))
        for number in _numbers(self._marker):
            if not _holds(used, number):
                (self.folder / f"{number:016x}.jpg").unlink(missing_ok=True)

        def write(part: Path) -> None:
            with self._marker.open("rb") as old, part.open("wb") as new:
                new.write(old.readline())
                new.writelines(b"%016x.jpg\n" % number for number in used)

        replace_file(self._marker, write)


def _own_folder(page: Path) -> Path:
    """The folder of a page's thumbnails, made if there is none."""
    number = 1
    while True:
        numeral = "" if number == 1 else f"-{number}"
        folder = page.with_name(f"{_short(page.stem)}_files{numeral}")
        try:
            if claim_folder(folder, f"It holds the thumbnails of {display_name(page.name)}."):
                return folder
        except OSError as error:
            raise InputError(
                folder,
                expected="a place that can be written to",
                found=error.strerror or str(error),
            ) from error
        number += 1


def _short(stem: str) -> str:
    """A stem to which a few characters can be added."""
    while len(os.fsencode(stem)) > _LONGEST_STEM:
        stem = stem[:-1]
    return stem


def _numbers(marker: Path) -> array[int]:
    """The numbers that the names in our marker spell, sorted."""
    with marker.open("rb") as lines:
        numbers = {int(line[:16], 16) for line in lines if _NAME.fullmatch(line)}
    return array("Q", sorted(numbers))


def _holds(numbers: array[int], number: int) -> bool:
    at = bisect_left(numbers, number)
    return at < len(numbers) and numbers[at] == number


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
