"""The faces of a user that an export calibrates with, and that a file is verified with."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeVar

import numpy as np

from fer_mobile.arrays import Pixels
from fer_mobile.data import DataWarning, layouts, load_dataset
from fer_mobile.data.face_files import middle_square
from fer_mobile.data.protocols import OWN
from fer_mobile.data.vocabulary import EXAMPLES
from fer_mobile.detect.framing import LOOKED_AT, look_at_framing
from fer_mobile.errors import InputError, PhotoError
from fer_mobile.images import load_photo
from fer_mobile.preprocess import resize, to_gray
from fer_mobile.types import ProtocolName
from fer_mobile.walk import walk_photos
from fer_mobile.wording import counted

T = TypeVar("T")

FEWEST_FACES: Final = 32
"""Fewer faces say too little of a tensor's range."""

MOST_FACES: Final = 1000
"""Of more faces, so many are taken at equal distances; more change nothing."""


def read_faces(path: str | Path, size: int, parameter: str = "calibrate") -> Pixels:
    """At most `MOST_FACES` faces of a dataset's train split or of a folder: uint8 [N, size, size].

    Args:
        path: what `load_dataset` reads, whatever its labels are, or a folder with images of faces
            at any depth, whose middle square is taken.
        size: height and width of the faces in pixels.
        parameter: of whoever calls, for error messages.

    Images that cannot be read, and what is skipped, are counted and named in a DataWarning.
    Raises InputError for fewer than `FEWEST_FACES`, and for a folder in most of whose images no
    face is found.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(parameter, expected="a folder or an .npz file", found=f"no {path}")
    known = (layout for layout in layouts.LAYOUTS.values() if layout is not layouts.folders)
    if path.is_file() or any(layout.recognise(path) for layout in known):
        faces = [resize(image, size) for image in _read_dataset(parameter, path)]
    else:
        squares = _read_squares(path)
        _check_faces(parameter, path, squares)
        faces = [resize(square, size) for square in squares]
    if len(faces) < FEWEST_FACES:
        raise InputError(
            parameter,
            expected=f"at least {FEWEST_FACES} images of faces",
            found=f"{len(faces) or 'none'} in {path}",
        )
    return np.stack(faces)


def _read_dataset(parameter: str, path: Path) -> list[Pixels]:
    """Faces of a dataset's train split, gray, whatever its labels are."""
    votes = layouts.read(path, side=1).votes
    protocol: ProtocolName = OWN
    if votes is not None:
        protocol = "fer2013" if votes.votes is None else "ferplus-strict"
    images = load_dataset(path, protocol=protocol, split="train").images
    faces = list(images[np.array(spread_over(range(len(images))), np.intp)])
    if votes is None:
        _check_faces(parameter, path, faces)
    return faces


def _read_squares(folder: Path) -> list[Pixels]:
    """The middle squares of images below a folder, gray; DataWarning names what is left out."""
    paths, skipped = walk_photos(folder)
    squares: list[Pixels] = []
    unread: list[Path] = []
    left_out = {"that cannot be read": unread}
    for path, reason in skipped:
        left_out.setdefault(f"skipped: {reason}", []).append(path)
    for path in spread_over(paths):
        try:
            squares.append(middle_square(to_gray(load_photo(path).rgb)))
        except PhotoError:
            unread.append(path)
    told = [_told(folder, what, files) for what, files in left_out.items() if files]
    if told:
        text = f"{folder}: {counted(len(squares), 'face')}; left out: {'; '.join(told)}"
        warnings.warn(text, DataWarning, stacklevel=3)
    return squares


def _told(folder: Path, what: str, files: list[Path]) -> str:
    names = ", ".join(str(file.relative_to(folder)) for file in files[:EXAMPLES])
    return f"{len(files):,} {what} ({names}{' …' if len(files) > EXAMPLES else ''})"


def _check_faces(parameter: str, path: Path, squares: list[Pixels]) -> None:
    """Raises InputError where the detector finds a face in few of the images, landscapes say."""
    framing = look_at_framing(spread_over(squares, LOOKED_AT))
    if 2 * framing.with_face < framing.looked_at:
        raise InputError(
            parameter,
            expected="images of faces, each filling its image",
            found=f"a face in {framing.with_face} of {framing.looked_at} images of {path} that "
            "were looked at",
            hint="Cut the faces out of their photos first.",
        )


def spread_over(items: Sequence[T], most: int = MOST_FACES) -> list[T]:
    """At most so many of a sequence, at equal distances."""
    count = min(len(items), most)
    return [items[i * len(items) // count] for i in range(count)]


def vary_contrast(faces: Pixels) -> Pixels:
    """Faces stretched to full contrast, and the same mirrored as they are."""
    real = faces.astype(np.float32)
    low = real.min((1, 2), keepdims=True)
    stretched = (real - low) * (255 / np.maximum(real.max((1, 2), keepdims=True) - low, 1))
    both = np.concatenate([stretched, real[:, :, ::-1]])
    return np.floor(both + 0.5).astype(np.uint8)
