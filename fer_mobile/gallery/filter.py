"""Which photos an expression filter shows (the Affective app's rules) and copies.

A photo without a face is left out while a filter is on; one with several faces is filed
under "multiple", or, when every face counts, under each of its faces' expressions.
"""

from __future__ import annotations

import filecmp
import os
import shutil
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

from fer_mobile.errors import InputError, nearest
from fer_mobile.labels import LABELS, MULTIPLE, canonical
from fer_mobile.types import PhotoResult

SHOWABLE: Final = (*LABELS, MULTIPLE)
"""What a filter may ask for."""

NO_FACE: Final = "no face"
FAILED: Final = "failed"


def parse_show(text: str | Iterable[str] | None) -> tuple[str, ...]:
    """The labels of a comma-separated list, without repeats; nothing means that no filter is on.

    Raises InputError for an unknown label, naming the nearest known one.
    """
    words = text.split(",") if isinstance(text, str) else list(text or ())
    show = []
    for word in filter(None, map(str.strip, words)):
        label = canonical(word) or word.lower()
        if label not in SHOWABLE:
            raise InputError(
                "show",
                expected="labels of " + ", ".join(SHOWABLE),
                found=repr(word),
                todo=nearest(word.lower(), SHOWABLE),
            )
        show.append(label)
    return tuple(dict.fromkeys(show))


def filed_under(result: PhotoResult, *, every_face: bool = False) -> tuple[str, ...]:
    """What a photo is filed under: its label, or the labels of all its faces, or why it has none.

    One or more of `SHOWABLE`, or `NO_FACE` or `FAILED` alone.
    """
    if result.error is not None:
        return (FAILED,)
    if every_face and result.faces:
        return tuple(dict.fromkeys(face.label for face in result.faces))
    return (result.label or NO_FACE,)


def matches(
    result: PhotoResult,
    show: Collection[str],
    min_confidence: float = 0.0,
    *,
    every_face: bool = False,
) -> bool:
    """Whether the filter shows this photo.

    `show` holds labels of `SHOWABLE`; empty, every expression is shown, and without
    `min_confidence` too every photo that could be read.  A photo labelled "multiple" has no
    confidence and is not held to one.  With `every_face` one face that matches is enough.
    """
    if result.error is not None:
        return False
    if not show and not min_confidence:
        return True
    found: list[tuple[str, float | None]]
    if every_face:
        found = [(face.label, face.confidence) for face in result.faces]
    else:
        found = [(result.label, result.confidence)] if result.label else []
    return any(
        (not show or label in show) and (confidence is None or confidence >= min_confidence)
        for label, confidence in found
    )


def count(results: Iterable[PhotoResult], *, every_face: bool = False) -> dict[str, int]:
    """Photos under each of `SHOWABLE`, `NO_FACE` and `FAILED`, in this order, zeros included."""
    counts = Counter(
        key for result in results for key in filed_under(result, every_face=every_face)
    )
    return {key: counts[key] for key in (*SHOWABLE, NO_FACE, FAILED)}


def copy_to(results: Iterable[PhotoResult], folder: str | Path, *, root: str | Path) -> list[Path]:
    """Copy photos below `root` into `folder` with their subfolders; return the copies' paths.

    Nothing is ever overwritten: where another file has the name, the copy gets a number; where
    the very same photo lies already, it is left.  Raises InputError when `folder` cannot be
    written to.
    """
    copies = []
    for result in results:
        source = Path(result.path)
        target = Path(folder) / source.relative_to(root)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            copies.append(_copy(source, target))
        except OSError as error:
            raise InputError(
                target,
                expected="a place that photos can be copied to",
                found=error.strerror or str(error),
                todo=f"{len(copies)} photos were copied before.",
            ) from error
    return copies


def _copy(source: Path, target: Path) -> Path:
    stem, number = target.stem, 1
    while True:
        try:
            target.open("xb").close()  # Takes the name: two runs at once cannot both have it.
            break
        except FileExistsError:
            if target.is_file() and filecmp.cmp(source, target, shallow=False):
                return target
            target = target.with_name(f"{stem}-{number}{target.suffix}")
            number += 1
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        shutil.copy2(source, part)
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        target.unlink()
        raise
    return target
