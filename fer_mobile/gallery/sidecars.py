"""Expressions as keywords in XMP sidecars, which photo managers read; photos stay as they are.

The sidecar of ``photo.jpg`` is ``photo.jpg.xmp`` beside it, as digiKam and darktable name theirs.
Keywords stand in its ``dc:subject``, each after `PREFIX`; what else a sidecar holds is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from fer_mobile.errors import InputError
from fer_mobile.files import write_bytes
from fer_mobile.gallery.filter import FAILED, NO_FACE, filed_under
from fer_mobile.gallery.xmp import EMPTY, set_keywords
from fer_mobile.types import PhotoResult

PREFIX: Final = "expression:"
"""What our keywords start with: ``expression:happiness``.  All that start so are ours."""


def sidecar_path(photo: str | Path) -> Path:
    """Where the sidecar of a photo lies."""
    return Path(f"{photo}.xmp")


def write_sidecars(
    results: Iterable[PhotoResult], *, every_face: bool = False
) -> tuple[list[Path], list[str]]:
    """Give each photo's sidecar the keywords that the photo is filed under.

    A photo without a face gets none, and loses those of an earlier run; one that could not be
    read is passed over.  A sidecar that is there already is changed in its keywords only, and
    not touched where they are right.  Returns the sidecars that are right now, and the reasons
    for which others were left as they were.
    """
    written, left = [], []
    for result in results:
        filed = filed_under(result, every_face=every_face)
        if filed == (FAILED,):
            continue
        path = sidecar_path(result.path)
        keywords = [] if filed == (NO_FACE,) else [PREFIX + label for label in filed]
        try:
            if _update(path, keywords):
                written.append(path)
        except (InputError, OSError) as error:
            left.append(f"{path} was left as it is: {error}")
    return written, left


def _update(path: Path, keywords: list[str]) -> bool:
    """Whether there is a sidecar in the end: where there is nothing to say none is made."""
    old = path.read_bytes() if path.exists() else None
    if old is None and not keywords:
        return False
    new = set_keywords(old or EMPTY, PREFIX, keywords)
    if new != old:
        write_bytes(path, new)
    return True
