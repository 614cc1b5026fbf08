"""Photos by the day on which they were taken."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from PIL import Image, ImageFile, IptcImagePlugin

from fer_mobile.decoding import header_rules, open_image
from fer_mobile.errors import InputError
from fer_mobile.files import open_regular
from fer_mobile.walk import Skipped

_PERIODS: Final = {4: "%Y", 7: "%Y-%m", 10: "%Y-%m-%d"}

_EXIF_IFD: Final = 0x8769
_DATE_TIME_ORIGINAL: Final = 0x9003
_DATE_TIME_DIGITIZED: Final = 0x9004
_DATE_TIME: Final = 0x0132
_XMP: Final = 0x02BC
_IPTC_DATE: Final = (2, 55)
_IPTC_TIME: Final = (2, 60)

_XMP_DATES: Final = tuple(
    re.compile(name + rb"""(?:\s*=\s*["']|[^>]*>\s*)([0-9][-0-9T:. ]*)""")
    for name in (b"exif:DateTimeOriginal", b"photoshop:DateCreated", b"xmp:CreateDate")
)
_DATE: Final = re.compile(
    r"\s*(\d{4})[-:/.]?(\d\d)[-:/.]?(\d\d)(?:[T ]?\s*(\d\d):?(\d\d)(?::?(\d\d))?)?"
)


def parse_period(name: str, text: str | None) -> str | None:
    """A year, a month or a day as ISO 8601 writes it: 2024, 2024-05 or 2024-05-31; or None.

    Raises InputError, with `name` as its subject, for anything else.
    """
    if not text:
        return None
    with suppress(KeyError, ValueError):
        datetime.strptime(text, _PERIODS[len(text)])
        return text
    raise InputError(name, expected="a date like 2024, 2024-05 or 2024-05-31", found=repr(text))


def date_taken(path: str | Path) -> datetime | None:
    """When a photo was taken, by the camera's clock, or None where nothing in it tells.

    The fields that photo managers read, in their order: DateTimeOriginal and DateTimeDigitized
    of EXIF, DateTimeOriginal, DateCreated and CreateDate of XMP, the date of IPTC, DateTime of
    EXIF.  A value that is no date is ignored.  Only the header is read.
    """
    try:
        with open_regular(path) as file, header_rules():
            image = open_image(str(path), file)
            for read in (_exif_dates, _xmp_dates, _iptc_dates, _exif_fallback):
                if (taken := _first_date(read, image)) is not None:
                    return taken
    except Exception:  # damaged blocks raise nearly every kind
        return None
    return None


def taken_within(
    paths: Iterable[Path], since: str | None, until: str | None
) -> tuple[list[Path], list[Skipped]]:
    """The photos taken from the period `since` to the period `until`, both included, and the rest.

    A photo that cannot be opened is among the first, so that the reason becomes its row.
    """
    within: list[Path] = []
    skipped: list[Skipped] = []
    for path in paths:
        taken = date_taken(path)
        if taken is None:
            if _can_be_opened(path):
                skipped.append(Skipped(path, "photo without a date"))
            else:
                within.append(path)
            continue
        day = taken.date().isoformat()
        # "2024-05-31" lies in "2024-05": as much of the day is compared as the period tells.
        if (since is None or day[: len(since)] >= since) and (
            until is None or day[: len(until)] <= until
        ):
            within.append(path)
        else:
            skipped.append(Skipped(path, "photo of another time"))
    return within, skipped


def _can_be_opened(path: Path) -> bool:
    try:
        open_regular(path).close()
    except OSError:
        return False
    return True


def _first_date(
    read: Callable[[Image.Image], Iterator[object]], image: Image.Image
) -> datetime | None:
    with suppress(Exception):  # a damaged block says nothing; the others may
        for value in read(image):
            if (taken := _parse(value)) is not None:
                return taken
    return None


def _parse(value: object) -> datetime | None:
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)
    match = _DATE.match(text)
    if not match:
        return None
    with suppress(ValueError):
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
        return datetime(year, month, day, hour, minute, second)
    return None


def _exif(image: Image.Image) -> Image.Exif:
    # PNG's own getexif decodes the whole photo, to look behind the pixels too.
    return Image.Image.getexif(image) if image.format == "PNG" else image.getexif()


def _exif_dates(image: Image.Image) -> Iterator[object]:
    ifd = _exif(image).get_ifd(_EXIF_IFD)
    yield from (ifd.get(tag) for tag in (_DATE_TIME_ORIGINAL, _DATE_TIME_DIGITIZED))


def _exif_fallback(image: Image.Image) -> Iterator[object]:
    yield _exif(image).get(_DATE_TIME)


def _xmp_dates(image: Image.Image) -> Iterator[object]:
    tags = getattr(image, "tag_v2", {})  # of a TIFF
    packets = [image.info.get("xmp"), image.info.get("XML:com.adobe.xmp"), tags.get(_XMP)]
    for packet in packets:
        if isinstance(packet, str):
            packet = packet.encode()
        if isinstance(packet, bytes):
            for date in _XMP_DATES:
                yield from (match[1] for match in date.finditer(packet))


def _iptc_dates(image: Image.Image) -> Iterator[object]:
    if not isinstance(image, ImageFile.ImageFile):
        return
    info = IptcImagePlugin.getiptcinfo(image) or {}
    day, hour = info.get(_IPTC_DATE), info.get(_IPTC_TIME)
    if isinstance(day, bytes):
        yield day + b" " + hour if isinstance(hour, bytes) else day
