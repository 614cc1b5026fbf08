"""How people keep datasets of faces: a module for each layout, recognised by looking.

A layout is registered in `LAYOUTS`; the first that recognises a path reads it.  To add one,
write a module with the two functions of `Layout` and append it here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Protocol

from fer_mobile.data.layouts import affectnet, fer_csv, folders, manifest, npz
from fer_mobile.data.layouts.raw import RawFaces
from fer_mobile.errors import DataError


class Layout(Protocol):
    """One way to keep a dataset."""

    DESCRIPTION: str
    """What it looks like, for an error message."""

    def recognise(self, path: Path) -> bool:
        """Whether an existing file or folder is of this layout, by names and first lines."""
        ...

    def read(self, path: Path, side: int) -> RawFaces:
        """Every row; faces that lie in photos become gray squares of `side` px.

        Raises DataError where the path is of this layout and damaged.
        """
        ...


LAYOUTS: Final[list[Layout]] = [npz, affectnet, fer_csv, manifest, folders]
"""In the order in which they are tried: from the most specific to folders of images."""


def read(path: Path, side: int) -> RawFaces:
    """The rows of a dataset of any layout; DataError where it is of none, or damaged."""
    for layout in LAYOUTS:
        if layout.recognise(path):
            return layout.read(path, side)
    raise DataError(
        path,
        expected="; ".join(layout.DESCRIPTION for layout in LAYOUTS),
        found=path.suffix or "none of them" if path.is_file() else "none of them",
    )
