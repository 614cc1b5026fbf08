"""How people keep datasets of faces: a module for each layout, recognised by looking.

Layouts are registered in `LAYOUTS`; the last one that recognises a path reads it, so that a
plugin (see `registry`) comes before those of this package.  To add one, write a module with the
members of `Layout` and register it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Protocol

from fer_mobile.data.layouts import affectnet, affectnet_faces, fer_csv, folders, manifest, npz
from fer_mobile.data.layouts.raw import RawFaces
from fer_mobile.errors import DataError
from fer_mobile.registry import Registry
from fer_mobile.wording import counted


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


LAYOUTS: Final[Registry[Layout]] = Registry("layout", error=DataError)
"""From the most general, folders of images, to the most specific."""

LAYOUTS.register("folders", folders)
LAYOUTS.register("manifest", manifest)
LAYOUTS.register("fer_csv", fer_csv)
LAYOUTS.register("affectnet", affectnet)
LAYOUTS.register("affectnet_faces", affectnet_faces)
LAYOUTS.register("npz", npz)


def read(path: Path, side: int) -> RawFaces:
    """The rows of a dataset of any layout; DataError where it is of none, or damaged."""
    layouts = list(LAYOUTS.values())[::-1]
    for layout in layouts:
        if layout.recognise(path):
            return layout.read(path, side)
    loose = sum(1 for _ in folders.image_paths(path)) if path.is_dir() else 0
    if loose:
        raise DataError(
            path,
            expected=folders.DESCRIPTION,
            found=f"{counted(loose, 'image')} side by side",
            hint="Put the images of each class into a folder of its name.",
        )
    raise DataError(
        path,
        expected="; ".join(layout.DESCRIPTION for layout in layouts),
        found=(path.suffix if path.is_file() else "") or "none of them",
    )
