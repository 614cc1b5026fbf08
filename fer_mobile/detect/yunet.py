"""YuNet, the shipped face detector, as a TFLite file.

Wei Wu, Hanyang Peng, Shiqi Yu: "YuNet: A Tiny Millisecond-level Face Detector", Machine
Intelligence Research 20, 2023; weights under the MIT licence (models/yunet/LICENSE).
`tools/convert_yunet.py` makes the file.

Input, signature name `image`: uint8 [1, H, W, 3], RGB, H and W multiples of 32 (resize the
input tensor; the file opens at 320×320).  A photo of another size is padded with zeros at
the right and the bottom.

Outputs, for the strides S = 8, 16, 32, with one cell for every S×S pixels:

* `scores_S`: float32 [1, H/S, W/S, 1], 0 to 1: √(class probability · objectness);
* `offsets_S`: float32 [1, H/S, W/S, 14]: Δx, Δy, ln w, ln h, then Δx, Δy of the person's
  right eye, left eye, nose tip, right and left corner of the mouth.

Decoding, with r and c the row and column of a cell:

1. A cell whose score is at least 0.6 is a candidate.
2. Its box is centred at ((c + Δx) · S, (r + Δy) · S), eʷ · S wide and eʰ · S high with
   w = ln w, h = ln h as above; a landmark lies at ((c + Δx) · S, (r + Δy) · S).
3. Candidates are taken by falling score; equal ones by stride, row and column.
4. A candidate is kept unless its intersection over union with one kept before exceeds 0.3.

Hints, where a face may lie that is not upright, are the two surest by the same rules, with a score
of 0.1 in place of 0.6.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_mobile.arrays import Pixels
from fer_mobile.resources import models_dir
from fer_mobile.runtime.interpreter import load_interpreter
from fer_mobile.types import Box, Detection, Point

FloatArray = NDArray[np.float32]

STRIDES: Final = (8, 16, 32)
SCORE: Final = 0.6
OVERLAP: Final = 0.3

HINT: Final = 0.1
"""Least score of a hint: nine in ten faces that lie or stand on their heads have it."""

HINTS: Final = 2
"""Most hints in an image."""

_MULTIPLE: Final = 32

_SMALL: Final = 192 * 192
"""Pixels of a padded image that counts as small."""

_MOST_SMALL: Final = 8
"""Interpreters of small images that are kept."""


def shipped_yunet() -> Path:
    """Where the shipped TFLite file lies."""
    return models_dir() / "yunet" / "face_detection_yunet.tflite"


def shipped_onnx() -> Path:
    """Where the ONNX file lies that it was made from."""
    return shipped_yunet().with_name("face_detection_yunet_2023mar.onnx")


class YuNet:
    """A `fer_mobile.detect.HintingNetwork`.

    Args:
        threads: threads the runtime may use.
        score: least score of a face, 0 to 1.
    """

    name = "yunet"

    def __init__(self, *, threads: int = 1, score: float = SCORE) -> None:
        content = shipped_yunet().read_bytes()
        self.identity = f"yunet {hashlib.sha256(content).hexdigest()[:12]} score {score}"
        self._score = score
        self._arguments = partial(type(self), threads=threads, score=score)
        self._open = partial(_Network, content, threads)
        self._large = self._open()
        self._small: dict[tuple[int, int], _Network] = {}
        self._outputs: dict[str, FloatArray] | None = None

    def __reduce__(self) -> tuple[object, ...]:
        return self._arguments, ()

    def find(self, rgb: Pixels) -> list[Detection]:
        """The faces of a uint8 H×W×3 RGB image, the surest first (see `FaceNetwork.find`)."""
        height, width = rgb.shape[:2]
        shape = (height + -height % _MULTIPLE, width + -width % _MULTIPLE)
        self._outputs = self._network(shape).run(rgb, shape)
        return decode(self._outputs, self._score)

    def hints(self) -> list[Detection]:
        """Where faces may be in the image last searched (see `HintingNetwork.hints`)."""
        return [] if self._outputs is None else decode(self._outputs, HINT, HINTS)

    def _network(self, shape: tuple[int, int]) -> _Network:
        """The interpreter for a padded shape.

        To change its shape takes an interpreter 2 ms, more than a small search.  So the small
        shapes that were last asked for have one each (7 MB); for large ones, it would gain 5% on a
        mixed folder and cost 130 MB.
        """
        if math.prod(shape) > _SMALL:
            return self._large
        network = self._small.pop(shape, None) or self._open()
        if len(self._small) == _MOST_SMALL:
            del self._small[next(iter(self._small))]
        self._small[shape] = network
        return network


class _Network:
    """An interpreter of the file, which takes images of any size."""

    def __init__(self, content: bytes, threads: int) -> None:
        self._interpreter = load_interpreter(content, threads=threads)
        (image,) = self._interpreter.get_input_details()
        self._image = int(image["index"])
        self._shape: tuple[int, int] | None = None
        names = self._interpreter.get_signature_runner().get_output_details()
        self._outputs = {name: int(detail["index"]) for name, detail in names.items()}

    def run(self, rgb: Pixels, shape: tuple[int, int]) -> dict[str, FloatArray]:
        """The outputs for an image, padded with zeros to `shape`, height and width."""
        if shape != self._shape:
            self._shape = None  # unknown until the runtime has made room for it
            self._interpreter.resize_tensor_input(self._image, (1, *shape, 3))
            self._interpreter.allocate_tensors()
            self._shape = shape
        # Written where the runtime reads it, which saves two copies.
        height, width = rgb.shape[:2]
        padded = self._interpreter.tensor(self._image)()[0]
        padded[:height, :width] = rgb
        padded[height:] = 0
        padded[:height, width:] = 0
        del padded  # the runtime refuses to run while somebody holds its memory
        self._interpreter.invoke()
        return {name: self._interpreter.get_tensor(i) for name, i in self._outputs.items()}


def decode(
    outputs: dict[str, FloatArray], score: float = SCORE, most: int | None = None
) -> list[Detection]:
    """The faces in the outputs of the TFLite file, the surest first (the module has the rules).

    Those of at least this score, and no more than `most`.
    """
    found = [candidate for stride in STRIDES for candidate in _candidates(outputs, stride, score)]
    kept: list[Detection] = []
    for sure, box, place, offsets in sorted(found, key=itemgetter(0), reverse=True):  # stable
        if len(kept) == most:
            break
        if all(overlap(box, other.box) <= OVERLAP for other in kept):
            kept.append(Detection(box, sure, _landmarks(place, offsets)))
    return kept


_Place = tuple[int, int, int]
"""Column and row of a cell, and its stride."""


def _candidates(
    outputs: dict[str, FloatArray], stride: int, score: float
) -> Iterator[tuple[float, Box, _Place, list[float]]]:
    """Score, box, cell and offsets of each candidate of one stride."""
    scores = outputs[f"scores_{stride}"][0, :, :, 0]
    rows, columns = np.nonzero(scores >= score)
    if not len(rows):
        return
    chosen = outputs[f"offsets_{stride}"][0, rows, columns]
    # Candidates are few, for which plain numbers are quicker than arrays.
    values = (scores[rows, columns], columns, rows, np.exp(chosen[:, 2:4]) * stride, chosen)
    lists = (each.tolist() for each in values)
    for sure, column, row, (width, height), offsets in zip(*lists, strict=True):
        x, y = (column + offsets[0]) * stride, (row + offsets[1]) * stride
        box = Box(x - width / 2, y - height / 2, width, height)
        yield sure, box, (column, row, stride), offsets


def _landmarks(place: _Place, offsets: list[float]) -> tuple[Point, ...]:
    column, row, stride = place
    pairs = zip(offsets[4::2], offsets[5::2], strict=True)
    return tuple(((column + x) * stride, (row + y) * stride) for x, y in pairs)


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes, 0 to 1."""
    left, top, width, height = one
    other_left, other_top, other_width, other_height = other
    common_width = min(left + width, other_left + other_width) - max(left, other_left)
    common_height = min(top + height, other_top + other_height) - max(top, other_top)
    if common_width <= 0 or common_height <= 0:
        return 0.0
    common = common_width * common_height
    return common / (width * height + other_width * other_height - common)
