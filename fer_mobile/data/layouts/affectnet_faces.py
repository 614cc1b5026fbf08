"""AffectNet's later release: faces cut out already, and small NumPy files beside them.

A split is a folder with `images/12.jpg` and `annotations/12_exp.npy`, which holds the number of
the face's expression.  `train_set` is train, `val_set` is valid; a single folder without such a
name leaves the split open.  What `_lnd`, `_val` and `_aro` say is not read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from fer_mobile.data.dataset import Skipped
from fer_mobile.data.face_files import FaceFiles
from fer_mobile.data.layouts.affectnet import EXPRESSIONS, OTHERS
from fer_mobile.data.layouts.raw import RawFaces
from fer_mobile.data.splits import UNKNOWN, split_number
from fer_mobile.errors import DataError
from fer_mobile.files import is_dir, open_regular
from fer_mobile.images import PHOTO_SUFFIXES

DESCRIPTION: Final = "AffectNet's train_set and val_set with images and annotations"

_IMAGES: Final = "images"
_ANNOTATIONS: Final = "annotations"
_ENDING: Final = "_exp.npy"
_EXAMPLES: Final = 3


def recognise(path: Path) -> bool:
    """A folder of AffectNet's splits, one of them, or a folder around these."""
    return bool(_split_folders(path))


def read(path: Path, side: int) -> RawFaces:
    """Every face that has both an image and an expression; no image is decoded yet."""
    files: list[Path] = []
    classes: list[str] = []
    split: list[int] = []
    others: Counter[str] = Counter()
    without_image: list[str] = []
    without_expression: list[str] = []
    folders = _split_folders(path)
    if folders != [path]:
        _refuse_other_folders(folders)
    for folder in folders:
        number = split_number(folder.name)
        images: dict[str, Path] = {}
        for file in sorted((folder / _IMAGES).iterdir()):
            if file.suffix.lower() in PHOTO_SUFFIXES and images.setdefault(file.stem, file) != file:
                without_expression.append(str(file.relative_to(path)))  # 12.png beside 12.jpg
        for annotation in sorted(_annotations(folder)):
            image = images.pop(annotation.name.removesuffix(_ENDING), None)
            expression = _expression(annotation)
            if expression in OTHERS:
                others[OTHERS[expression]] += 1
            elif image is None:
                without_image.append(str(annotation.relative_to(path)))
            else:
                files.append(image)
                classes.append(EXPRESSIONS[expression])
                split.append(UNKNOWN if number is None else number)
        without_expression += [str(image.relative_to(path)) for image in images.values()]
    if not files:
        raise DataError(
            path,
            expected=f"an image for each {_ENDING}",
            found=f"none, the first without is {without_image[0]}" if without_image else "none",
        )
    skipped = [Skipped(f"of expression {name}", count) for name, count in sorted(others.items())]
    for reason, names in (
        ("annotated and not there", without_image),
        (f"without {_ENDING}", without_expression),
    ):
        if names:
            skipped.append(Skipped(reason, len(names), tuple(names[:_EXAMPLES])))
    return RawFaces(
        "AffectNet, images and annotations",
        FaceFiles(files, [None] * len(files), side),
        np.array(split, np.int8),
        classes=tuple(classes),
        files=tuple(map(str, files)),
        groups=tuple(str(file.relative_to(path)) for file in files),
        skipped=tuple(skipped),
    )


def _split_folders(path: Path) -> list[Path]:
    """The folders with images and annotations: `path`, or those of the first level below it.

    Archives wrap the splits in up to two folders of their own, sometimes of the same name.
    """
    if not path.is_dir():
        return []
    for depth in ("", "*/", "*/*/", "*/*/*/"):
        found = [path] if not depth else sorted(path.glob(depth))
        folders = [folder for folder in found if _is_split_folder(folder)]
        if folders:
            return folders
    return []


def _refuse_other_folders(folders: list[Path]) -> None:
    """DataError where a folder beside the splits names a split and is none, or the reverse."""
    names = {folder.name for folder in folders if split_number(folder.name) is not None}
    if not names:
        return
    for other in sorted(folders[0].parent.iterdir()):
        is_split, is_named = _is_split_folder(other), split_number(other.name) is not None
        if other.is_dir() and is_split != is_named:
            raise DataError(
                other,
                expected=f"a folder with {_IMAGES}/ and {_ANNOTATIONS}/*{_ENDING}"
                if is_named
                else f"only splits beside {', '.join(sorted(names))}",
                found=", ".join(sorted(p.name for p in other.iterdir())[:5]) or "nothing",
            )


def _is_split_folder(folder: Path) -> bool:
    return is_dir(folder / _IMAGES) and any(_annotations(folder))


def _annotations(folder: Path) -> Iterator[Path]:
    return (folder / _ANNOTATIONS).glob(f"*{_ENDING}")


def _expression(file: Path) -> int:
    """The number in an annotation, which AffectNet keeps as text."""
    try:
        with open_regular(file) as opened:
            value = np.load(opened, allow_pickle=False)
        number = int(value.item())
    except (OSError, ValueError, EOFError, TypeError) as error:
        raise DataError(file, expected="the number of an expression", found=str(error)) from error
    if not 0 <= number < len(EXPRESSIONS) + len(OTHERS):
        raise DataError(file, expected="the number of an expression, 0 to 10", found=f"{number}")
    return number
