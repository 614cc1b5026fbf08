"""Whether images are framed faces, as the models are trained on, or photos with faces in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_mobile.data.face_files import FaceFiles
from fer_mobile.detect.yunet import YuNet
from fer_mobile.preprocess import resize
from fer_mobile.types import Box

LOOKED_AT: Final = 64
"""Images in which a face is looked for, at equal distances."""

_SIDE: Final = 192
"""Side in px of the images then: of FER2013's faces the detector misses 1 in 100."""

_HEIGHT: Final = (0.75, 1.4)
"""A framed face's box over the image's height: of 9 in 10 of FER2013's it is 0.84 to 1.04."""

_CENTRE: Final = 0.2
"""How far from the middle its centre may lie, over the image's height."""


@dataclass(frozen=True, slots=True)
class Framing:
    """How images of a dataset show their faces."""

    looked_at: int
    with_face: int
    """Images with a face that fills or does not fill them."""
    framed: int
    """Images that a face fills, as in FER2013."""

    @property
    def is_framed(self) -> bool:
        """Whether most of the images are framed faces."""
        return 2 * self.framed >= self.looked_at


def look_at_framing(
    images: NDArray[np.uint8] | FaceFiles | Sequence[NDArray[np.uint8]],
) -> Framing:
    """The framing of some of the images, gray squares uint8 [N, H, W] or N of any sizes."""
    count = min(len(images), LOOKED_AT)
    rows = np.arange(count) * len(images) // max(count, 1)
    if isinstance(images, np.ndarray | FaceFiles):
        chosen: Sequence[NDArray[np.uint8]] = list(images[rows])
    else:
        chosen = [images[row] for row in rows.tolist()]
    detector = YuNet()
    with_face = framed = 0
    for image in chosen:
        faces = detector.find(np.repeat(resize(image, _SIDE)[..., None], 3, 2))
        with_face += bool(faces)
        framed += any(_fills(face.box) for face in faces)
    return Framing(count, with_face, framed)


def _fills(box: Box) -> bool:
    right, down = box.x + box.width / 2, box.y + box.height / 2
    off = max(abs(right / _SIDE - 0.5), abs(down / _SIDE - 0.5))
    return _HEIGHT[0] <= box.height / _SIDE <= _HEIGHT[1] and off <= _CENTRE
