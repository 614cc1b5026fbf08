"""The one form that every source of faces is brought into."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_mobile.data.face_files import FaceFiles
from fer_mobile.errors import InputError
from fer_mobile.wording import counted

SPLITS: Final = ("train", "valid", "test", "all")
"""Names of splits; the npz files number the first three 0, 1 and 2."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Rows of a source that a dataset leaves out for one reason."""

    reason: str
    """In words, as a part of a sentence: "not an image", "class 'suprise' is no label …"."""
    count: int
    examples: tuple[str, ...] = ()
    """Some of the files, where the source has files."""
    unread: bool = False
    """Whether they are images that cannot be read."""

    def __str__(self) -> str:
        return f"{self.count:,} {self.reason}"


class DataWarning(UserWarning):
    """Files of a dataset were left out; the text counts and names them."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Faces with their labels under one protocol."""

    images: NDArray[np.uint8] | FaceFiles
    """uint8 [N, H, W] gray faces; those of large sources are read when they are used."""
    labels: NDArray[np.int64]
    """int64 [N], indices into `names`."""
    targets: NDArray[np.float32]
    """float32 [N, len(names)], what training aims at: shares of votes, rows sum to 1."""
    names: tuple[str, ...]
    """The vocabulary of `labels`."""
    protocol: str
    """How the labels follow from what the source says (see `protocols`)."""
    split: str
    files: tuple[str, ...] = ()
    """Where each face was read from, for sources that have a file for each."""
    source: str = "unknown"
    """Name of the file or folder that it was read from."""
    kind: str = "unknown"
    """What the source was taken for, in words: "a folder for each class"."""
    skipped: tuple[Skipped, ...] = ()
    """What was left out, with its counts."""
    groups: tuple[str, ...] = ()
    """Of which subject, or of which nearly equal pictures, each face is one; "" for none."""

    def __repr__(self) -> str:
        labels = ", ".join(self.names)
        return f"Dataset({counted(len(self), 'face')} of {self.protocol} {self.split}: {labels})"

    def __len__(self) -> int:
        return len(self.labels)

    def take(
        self, rows: NDArray[np.int64] | NDArray[np.bool_], split: str | None = None
    ) -> Dataset:
        """Some of the rows (indices or bool [N]), called `split` from then on."""
        return replace(
            self,
            images=self.images.rows(rows)
            if isinstance(self.images, FaceFiles)
            else self.images[rows],
            labels=self.labels[rows],
            targets=self.targets[rows],
            files=tuple(np.array(self.files)[rows].tolist()) if self.files else (),
            groups=tuple(np.array(self.groups)[rows].tolist()) if self.groups else (),
            split=split or self.split,
        )

    def folds(self, count: int) -> NDArray[np.int64]:
        """A fold for every row, int64 [N] in 0 to `count` - 1.

        Rows of one of `groups` share theirs, and of the others those with equal images.
        Raises InputError for a `count` below 1.
        """
        if count < 1:
            raise InputError("count", expected="1 or more folds", found=str(count))
        groups = self.groups or ("",) * len(self)
        keys = (
            group.encode("utf-8", "surrogateescape") or image.tobytes()
            for group, image in zip(groups, self.images, strict=True)
        )
        return np.array([zlib.crc32(key) % count for key in keys], np.int64)

    def digest(self) -> str:
        """SHA-256 of the names, pixels and targets in their order, hex: equal for equal rows."""
        sha = hashlib.sha256("\n".join(self.names).encode())
        for image, target in zip(self.images, self.targets, strict=True):
            sha.update(image.tobytes())
            sha.update(target.tobytes())
        return sha.hexdigest()

    def counts(self) -> dict[str, int]:
        """How many faces each label has."""
        per_class = np.bincount(self.labels, minlength=len(self.names))
        return dict(zip(self.names, per_class.tolist(), strict=True))
