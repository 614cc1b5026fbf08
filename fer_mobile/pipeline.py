"""One photo → its faces with their expressions, every stage timed."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, get_args

import numpy as np
from PIL import Image

from fer_mobile import __version__, preprocess
from fer_mobile.detect import DETECTION_SIDE, FaceDetector, load_detector
from fer_mobile.errors import InputError, PhotoError, nearest
from fer_mobile.images import Photo, load_photo
from fer_mobile.labels import MULTIPLE
from fer_mobile.models import DEFAULT
from fer_mobile.runtime.classifier import Classifier, load_classifier
from fer_mobile.types import Detection, Face, PhotoResult

Source = str | Path | Image.Image | np.ndarray
FacesMode = Literal["multiple", "each", "largest"]
FACES_MODES: Final[tuple[FacesMode, ...]] = get_args(FacesMode)


class Pipeline:
    """Decode → detect → crop, gray, resize → classify.  One object serves one thread at a time.

    Args:
        classifier: the exported model.
        detector: what finds the faces.
        faces: which label a photo with several faces gets: "multiple", that of the face
            whose expression is surest ("each"), or that of the largest face ("largest").
    """

    def __init__(
        self, classifier: Classifier, detector: FaceDetector, faces: FacesMode = "multiple"
    ) -> None:
        self.classifier = classifier
        self.detector = detector
        self.faces = faces

    @property
    def identity(self) -> str:
        """A line that changes whenever the faces and probabilities found in a photo may.

        The mode of `faces` is no part of it: `photo_label` gives the photo's label by any mode.
        """
        contract = self.classifier.contract
        return (
            f"{contract.name} {contract.precision} {self.classifier.sha256[:12]}, "
            f"{self.detector.identity}, preprocessing {preprocess.VERSION}, "
            f"fer-mobile {__version__}"
        )

    def __call__(self, source: Source, bgr: bool = False) -> PhotoResult:
        """The faces of a photo with their expressions, and the photo's own label.

        A photo without a face has no label; one that cannot be read has an `error`, which
        is never raised.  Boxes are in pixels of the upright photo at full resolution.
        `stages` holds the stages that the photo went through.

        Args:
            source: a path, a Pillow image, or a uint8 array (see `images.load_photo`).
            bgr: the array's channels are in OpenCV's order.
        """
        path = str(source) if isinstance(source, str | Path) else ""
        watch = _Stopwatch()
        try:
            with watch.stage("total"):
                photo, faces = self._analyse(source, bgr, watch)
        except PhotoError as error:
            return PhotoResult(path, error=str(error), stages=watch.ms)
        label, confidence = photo_label(faces, self.faces)
        return PhotoResult(path, label, confidence, tuple(faces), None, photo.size, watch.ms)

    def _analyse(self, source: Source, bgr: bool, watch: _Stopwatch) -> tuple[Photo, list[Face]]:
        with watch.stage("decode"):
            photo = load_photo(source, bgr=bgr, min_long_side=self.detector.side)
        with watch.stage("detect"):
            detections = self.detector.detect(photo)
        if not detections:
            return photo, []
        with watch.stage("decode"):
            photo = self._with_pixels_for(photo, detections)
        squares = self._squares(photo, detections, watch)
        with watch.stage("classify"):
            probabilities = self.classifier.classify(squares)
        labels = self.classifier.labels
        faces = [
            _face(detection, dict(zip(labels, row.tolist(), strict=True)))
            for detection, row in zip(detections, probabilities, strict=True)
        ]
        return photo, faces

    def _with_pixels_for(self, photo: Photo, detections: list[Detection]) -> Photo:
        """The photo, decoded again where its reduction would have a face enlarged.

        Faces are cut from the reduced photo, which is enough as long as the model is given
        no more pixels than the cut-out has (benchmarks/results/reduced_decoding.json).
        """
        rule = self.classifier.contract.preprocessing.crop.rule
        smallest = min(rule.square(face.box)[2] for face in detections)
        needed = min(1.0, self.classifier.size / smallest)
        if photo.scale >= needed:
            return photo
        return load_photo(photo.path, min_long_side=math.ceil(needed * max(photo.size)))

    def _squares(self, photo: Photo, detections: list[Detection], watch: _Stopwatch) -> np.ndarray:
        """The classifier's input for every face: uint8 [N, size, size]."""
        rule = self.classifier.contract.preprocessing.crop.rule
        with watch.stage("gray"):
            grays = [
                preprocess.to_gray(
                    preprocess.crop(photo.rgb, *rule.square(face.box.scaled(photo.scale)))
                )
                for face in detections
            ]
        with watch.stage("resize"):
            return np.stack([preprocess.resize(gray, self.classifier.size) for gray in grays])


def load_pipeline(
    model: str | Path = DEFAULT,
    *,
    faces: str = "multiple",
    threads: int = 1,
    detector: str | FaceDetector = "yunet",
    detection_size: int = DETECTION_SIDE,
    boxes: str | Path | None = None,
) -> Pipeline:
    """A pipeline by names.

    Args:
        model: a shipped model's name (its int8 file) or a `.tflite` file.
        faces: "multiple", "each" or "largest", see `Pipeline`.
        threads: threads of the detector and the classifier.
        detector: a name (see `detect.load_detector`), or what finds the faces itself, such as
            `detect.boxes.OwnBoxes`.
        detection_size: longest side, in pixels, at which a detector of this package looks.
        boxes: a file of boxes (see `detect.boxes`), which take the detector's place.

    Raises:
        ModelError: a model or detector that cannot be used.
        InputError: another mode of `faces`, a wrong size or file of boxes, or no TFLite runtime.
    """
    if isinstance(detector, str):
        detector = load_detector(detector, threads=threads, side=detection_size, boxes=boxes)
    for mode in FACES_MODES:
        if faces == mode:
            return Pipeline(load_classifier(model, threads), detector, mode)
    raise InputError(
        "faces",
        expected=" or ".join(FACES_MODES),
        found=repr(faces),
        hint=nearest(faces, FACES_MODES),
    )


def photo_label(faces: Sequence[Face], mode: FacesMode) -> tuple[str | None, float | None]:
    """Label and confidence of a photo with these faces (see `Pipeline`)."""
    if not faces:
        return None, None
    if len(faces) > 1 and mode == "multiple":
        return MULTIPLE, None
    if mode == "largest":
        chosen = max(faces, key=lambda face: face.box.width * face.box.height)
    else:
        chosen = max(faces, key=lambda face: face.confidence)
    return chosen.label, chosen.confidence


def _face(detection: Detection, probabilities: dict[str, float]) -> Face:
    label = max(probabilities, key=probabilities.__getitem__)
    return Face(detection.box, label, probabilities[label], probabilities)


class _Stopwatch:
    """Adds up the milliseconds of stages."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter_ns()
        try:
            yield
        finally:
            spent = (time.perf_counter_ns() - start) / 1e6
            self.ms[name] = self.ms.get(name, 0.0) + spent
