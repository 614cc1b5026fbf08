"""What a layout gives: every row of a source, before a protocol chooses among them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_mobile.data.dataset import Skipped
from fer_mobile.data.face_files import FaceFiles
from fer_mobile.data.protocols import Votes


@dataclass(frozen=True, slots=True)
class RawFaces:
    """N faces with all that their source says of them.

    Either `votes` or `classes` is there: FER2013's numbers and FER+'s votes, or a name a face.
    """

    kind: str
    """What the source was taken for, in words."""
    images: NDArray[np.uint8] | FaceFiles
    """uint8 [N, H, W]."""
    split: NDArray[np.int8]
    """int8 [N]: 0 train, 1 valid, 2 test, -1 where the source names none."""
    votes: Votes | None = None
    classes: tuple[str, ...] = ()
    """The name of each face's class, as the source spells it."""
    files: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    """Rows of one group, such as pictures of one person, belong in one split.

    One for each face; without any, faces of equal pixels are a group."""
    copy_of: NDArray[np.uint8] | None = None
    """uint8 [N], of train rows: bit 1 an exact copy is in valid, bit 2 one is in test.

    None: to be found by comparing pixels once every row has its split."""
    label_certain: NDArray[np.bool_] | None = None
    """bool [N]: False where the same pixels occur in train under another label; None as above."""
    skipped: tuple[Skipped, ...] = ()

    def __len__(self) -> int:
        return len(self.split)
