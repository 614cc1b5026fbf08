"""Finding faces: one interface, several detectors.

| name | what it is |
|---|---|
| `yunet` | YuNet as TensorFlow Lite, shipped; the same file on desktop and Android |
| `opencv` | the same weights in OpenCV's FaceDetectorYN |
| `mediapipe` | MediaPipe's BlazeFace, full range, shipped (extra `mediapipe`) |
| `boxes` | precomputed boxes, from a file or by photo |

A plugin (see `registry`) adds one by registering in `NETWORKS` what makes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from fer_mobile.detect.interface import DETECTION_SIDE, DETECTION_SIDES, FaceDetector, FaceNetwork
from fer_mobile.errors import InputError, ModelError, check_choice
from fer_mobile.registry import Registry
from fer_mobile.types import DETECTORS, DetectorName

__all__ = [
    "DETECTION_SIDE",
    "DETECTION_SIDES",
    "DETECTORS",
    "NETWORKS",
    "FaceDetector",
    "FaceNetwork",
    "load_detector",
]

BOXES: Final = "boxes"
"""The name of the detector that is told where the faces are."""


def load_detector(
    name: DetectorName | str = "yunet",
    *,
    threads: int = 1,
    side: int = DETECTION_SIDE,
    model: str | Path | None = None,
    boxes: str | Path | Mapping[str | Path, Iterable[Sequence[float]]] | None = None,
) -> FaceDetector:
    """The detector called `name`.

    Args:
        name: one of `DETECTORS`, or one that a plugin has registered in `NETWORKS`.
        threads: threads it may use.
        side: longest side, in pixels, at which it searches photos; a larger one finds smaller
            faces and takes time in proportion to its square (see `detect.scale.Scaled`).
        model: another model file for "mediapipe" (see `detect.blazeface`).
        boxes: precomputed boxes, which take the place of any detector: a file of them (see
            `detect.boxes`), or boxes by photo.

    Raises:
        ModelError: an unknown name, or a `model` that the detector cannot run.
        InputError: a side out of `DETECTION_SIDES`; boxes that are missing or cannot be used,
            or that come with a detector or a side, which would have no effect.
        MissingPackageError: the detector's package is not installed.
    """
    check_choice("detector", name, (*NETWORKS, BOXES), ModelError)
    if side not in DETECTION_SIDES:
        raise InputError(
            "detection_size",
            expected=f"{DETECTION_SIDES[0]} to {DETECTION_SIDES[-1]} pixels",
            found=str(side),
        )
    if model is not None and name != "mediapipe":
        raise InputError(
            "detector_model",
            expected="none, as this detector has its own",
            found=f"{str(model)!r} for {name}",
            hint="Use `detector='mediapipe'`.",
        )
    if boxes is not None:
        for given, default, parameter in (
            (name, ("yunet", BOXES), "detector"),
            (side, (DETECTION_SIDE,), "detection_size"),
        ):
            if given not in default:
                raise InputError(
                    parameter, expected="none with `boxes`, which take its place", found=str(given)
                )
        from fer_mobile.detect.boxes import PrecomputedBoxes, read_boxes

        return PrecomputedBoxes(boxes) if isinstance(boxes, Mapping) else read_boxes(boxes)
    if name == BOXES:
        raise InputError("boxes", expected="a file of boxes, or boxes by photo", found="none")
    from fer_mobile.detect.scale import Scaled

    if model is not None:
        return Scaled(_blazeface(threads, model), side)
    return Scaled(NETWORKS[name](threads), side)


# Imported when used: each brings a package that the others do without.


def _yunet(threads: int) -> FaceNetwork:
    from fer_mobile.detect.yunet import YuNet

    return YuNet(threads=threads)


def _opencv(threads: int) -> FaceNetwork:
    from fer_mobile.detect.opencv import OpenCVYuNet

    return OpenCVYuNet(threads=threads)


def _blazeface(threads: int, model: str | Path | None = None) -> FaceNetwork:
    from fer_mobile.detect.blazeface import BlazeFace

    return BlazeFace(model)  # MediaPipe decides about threads itself


NETWORKS: Final[Registry[Callable[[int], FaceNetwork]]] = Registry("detector", error=ModelError)
"""What makes each detector's network, given the threads that it may use."""

NETWORKS.register("yunet", _yunet)
NETWORKS.register("opencv", _opencv)
NETWORKS.register("mediapipe", _blazeface)
