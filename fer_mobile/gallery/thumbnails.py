"""Small pictures of photos for a page that holds everything itself."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Final

from PIL import Image

from fer_mobile.errors import PhotoError
from fer_mobile.images import load_photo

QUALITY: Final = 82


def data_uris(path: str | Path, sides: tuple[int, ...]) -> tuple[str, ...]:
    """The upright photo as JPEG data URIs, one for each of `sides` (longest side in pixels).

    The photo is read once; it is never enlarged.  No URI at all when it cannot be read.
    """
    try:
        photo = load_photo(path, min_long_side=max(sides))
    except PhotoError:
        return ()
    return tuple(_data_uri(Image.fromarray(photo.rgb), side) for side in sides)


def _data_uri(image: Image.Image, side: int) -> str:
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode("ascii")
