"""One photo → its faces with their expressions, every stage timed."""

from __future__ import annotations

import io
import logging
import math
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from numbers import Real
from pathlib import Path

import numpy as np

from fer_mobile import decoding, preprocess, quality
from fer_mobile._version import __version__
from fer_mobile.arrays import Pixels
from fer_mobile.decoding import MAX_BYTES
from fer_mobile.detect import DETECTION_SIDE, FaceDetector, load_detector
from fer_mobile.detect.boxes import as_boxes
from fer_mobile.detect.orientation import find_turn, turned, turned_back
from fer_mobile.errors import InputError, PhotoError, check_choice
from fer_mobile.images import Photo, PhotoSource, load_photo, read_stream
from fer_mobile.labels import MULTIPLE
from fer_mobile.models import DEFAULT
from fer_mobile.runtime.classifier import Classifier, load_classifier
from fer_mobile.runtime.interpreter import runtime_name
from fer_mobile.types import (
    FACES_MODES,
    ON_ERROR,
    ORIENTS,
    Box,
    Detection,
    DetectorName,
    Face,
    FacesMode,
    OnError,
    Orient,
    PhotoResult,
    Turn,
)

logger = logging.getLogger(__name__)

Boxes = Iterable[Sequence[float]]
"""Boxes of one photo: x, y, width and height of each, in pixels of the upright photo."""

Directions = Sequence[preprocess.Direction | None]
"""For each face, the direction of its eyes where it is levelled."""


class Pipeline:
    """Decode → detect → crop, gray, resize → classify.

    Threads may share a pipeline: they read photos at once, and take turns with the detector and
    the classifier.  It can be pickled: another process loads its own from the same files.

    Args:
        classifier: the exported model.
        detector: what finds the faces.
        faces: which label a photo with several faces gets: "multiple", that of the face
            whose expression is surest ("each"), or that of the largest face ("largest").
        max_bytes: the memory that decoding a photo may take.
        min_quality: the quality, 0 to 1, below which a face gets no label (see `quality`); 0
            labels every face.
        orient: "auto" looks for faces at other turns, too, where none is sure in a photo as it
            is, as in scans that lie on a side (see `detect.orientation`); "none" does not.

    Raises InputError for another mode of `faces` or `orient`, or a `min_quality` out of range.
    """

    def __init__(
        self,
        classifier: Classifier,
        detector: FaceDetector,
        faces: FacesMode = "multiple",
        *,
        max_bytes: int = MAX_BYTES,
        min_quality: float = 0.0,
        orient: Orient = "auto",
    ) -> None:
        self.max_bytes = max_bytes
        self.min_quality = check_min_quality(min_quality)
        self.classifier = classifier
        self.detector = detector
        self.faces: FacesMode = check_choice("faces", faces, FACES_MODES)
        self.orient: Orient = check_choice("orient", orient, ORIENTS)

    def __repr__(self) -> str:
        return f"Pipeline({self.identity})"

    @property
    def identity(self) -> str:
        """A line that changes whenever the faces and probabilities found in a photo may.

        `faces` and `min_quality` are no part of it: `relabelled` applies them to any result.
        """
        contract = self.classifier.contract
        return (
            f"{contract.name} {contract.precision} {self.classifier.sha256[:12]}, "
            f"{self.detector.identity}, decoding {decoding.VERSION}, "
            f"preprocessing {preprocess.VERSION}, quality {quality.VERSION}, "
            f"orient {self.orient}, fer-mobile {__version__}"
        )

    def __call__(
        self,
        source: PhotoSource,
        bgr: bool = False,
        *,
        boxes: Boxes | None = None,
        on_error: OnError = "raise",
    ) -> PhotoResult:
        """The faces of a photo with their expressions, and the photo's own label.

        A photo without a face has no label.

        Args:
            source: a path, the bytes of a file, a binary file, a Pillow image, or an array
                uint8 H×W (gray), H×W×3 (RGB) or H×W×4 (RGBA); see `images.load_photo`.
            bgr: the array's channels are in OpenCV's order.
            boxes: where the faces are, instead of what the detector says; an empty list for a
                photo without a face.
            on_error: "raise", or "result" for a PhotoResult with the `error` of a photo that
                cannot be read, which is what loops over many photos want.

        Raises:
            PhotoError: the photo cannot be read, or a box lies outside of it.
            InputError: another value of `on_error`, or boxes that are none.
        """
        check_choice("on_error", on_error, ON_ERROR)
        given = None if boxes is None else as_boxes(boxes, "boxes")
        path = os.fsdecode(source) if isinstance(source, str | os.PathLike) else ""
        watch = _Stopwatch()
        try:
            with watch.stage("total"):
                photo, turn, faces = self._analyse(source, bgr, given, watch)
        except PhotoError as error:
            if on_error == "raise":
                raise
            return PhotoResult(path, error=str(error), stages=watch.ms)
        result = PhotoResult(path, faces=tuple(faces), size=photo.size, stages=watch.ms, turn=turn)
        return relabelled(result, self.faces, self.min_quality)

    def batch(
        self, sources: Iterable[PhotoSource], bgr: bool = False, *, on_error: OnError = "result"
    ) -> Iterator[PhotoResult]:
        """One result a photo, in the order of `sources`, each computed when it is asked for.

        Args:
            sources: photos as for a call; an array [N, H, W, 3] is N of them.
            bgr: as for a call.
            on_error: "result" goes on after a photo that cannot be read, "raise" stops there.

        Raises InputError where `sources` is a single photo or nothing to iterate over.
        """
        check_choice("on_error", on_error, ON_ERROR)
        try:
            if isinstance(sources, str | bytes | bytearray | memoryview | io.IOBase):
                raise TypeError("these are a photo's characters, bytes or lines")
            photos = iter(sources)
        except TypeError as error:
            raise InputError(
                "sources",
                expected="several photos, such as a list of paths",
                found=type(sources).__name__,
                hint="For a single photo, call the pipeline itself.",
            ) from error
        return (self(photo, bgr, on_error=on_error) for photo in photos)

    def _analyse(
        self, source: PhotoSource, bgr: bool, boxes: list[Box] | None, watch: _Stopwatch
    ) -> tuple[Photo, Turn, list[Face]]:
        """The photo as it was read, how it is to be turned, and its faces."""
        with watch.stage("decode"):
            source = read_stream(source)
            photo = load_photo(
                source, bgr=bgr, min_long_side=self.detector.side, max_bytes=self.max_bytes
            )
        with watch.stage("detect"):
            turn, detections = self._detect(photo, boxes)
        if not detections:
            return photo, turn, []
        with watch.stage("decode"):
            upright = turned(self._with_pixels_for(photo, detections, source), turn)
        levelling = self.classifier.contract.preprocessing.levelling
        directions = [levelling.rule.direction(face) if levelling else None for face in detections]
        inputs, qualities = self._inputs(upright, detections, directions, watch)
        with watch.stage("classify"):
            probabilities = self.classifier.classify(inputs)
        labels = self.classifier.labels
        faces = [
            _face(
                turned_back(found, photo.size, turn),
                dict(zip(labels, row.tolist(), strict=True)),
                tilt=found.tilt,
                levelled=direction is not None,
                rated=rated,
            )
            for found, row, direction, rated in zip(
                detections, probabilities, directions, qualities, strict=True
            )
        ]
        return photo, turn, faces

    def _detect(self, photo: Photo, boxes: list[Box] | None) -> tuple[Turn, list[Detection]]:
        """How a photo is to be turned, and its faces in pixels of the photo so turned.

        None of them is of a size that would fill the memory.
        """
        turn: Turn = 0
        if boxes is not None:
            detections = [Detection(box, None) for box in boxes]
        elif self.orient == "auto":
            turn, detections = find_turn(self.detector, photo)
        else:
            detections = self.detector.detect(photo)
        origin = "boxes" if boxes is not None else f"the detector {self.detector.name}"
        as_read = (turned_back(face, photo.size, turn).box for face in detections)
        preprocess.check_boxes(as_read, photo, origin)
        return turn, detections

    def _with_pixels_for(
        self, photo: Photo, detections: list[Detection], source: PhotoSource
    ) -> Photo:
        """The photo, decoded again where its reduction would have a face enlarged.

        Faces are cut from the reduced photo, which is enough as long as the model is given
        no more pixels than the cut-out has (benchmarks/results/reduced_decoding.json).
        """
        rule = self.classifier.contract.preprocessing.crop.rule
        smallest = min(rule.square(face.box)[2] for face in detections)
        needed = min(1.0, self.classifier.size / smallest)
        if photo.scale >= needed:
            return photo
        side = math.ceil(needed * max(photo.size))
        return load_photo(source, min_long_side=side, max_bytes=self.max_bytes)

    def _inputs(
        self, photo: Photo, detections: list[Detection], directions: Directions, watch: _Stopwatch
    ) -> tuple[Pixels, list[quality.Quality]]:
        """The classifier's input for every face, uint8 [N, size, size], and the faces' quality."""
        rule = self.classifier.contract.preprocessing.crop.rule
        with watch.stage("gray"):
            grays = [
                preprocess.to_gray(
                    preprocess.crop(
                        photo.rgb, *rule.square(face.box.scaled(photo.scale), direction)
                    )
                )
                for face, direction in zip(detections, directions, strict=True)
            ]
        with watch.stage("resize"):
            turns = list(zip(grays, directions, strict=True))
            size = self.classifier.size
            inputs = np.array([preprocess.resize_face(gray, size, turn) for gray, turn in turns])
            shown: Iterable[Pixels] = inputs
            if size != quality.SIDE:
                shown = [preprocess.resize_face(gray, quality.SIDE, turn) for gray, turn in turns]
            qualities = [
                quality.face_quality(gray, detection, levelled=direction is not None)
                for gray, detection, direction in zip(shown, detections, directions, strict=True)
            ]
        return inputs, qualities


def load_pipeline(
    model: str | Path = DEFAULT,
    *,
    faces: FacesMode = "multiple",
    threads: int = 1,
    detector: DetectorName | FaceDetector = "yunet",
    detection_size: int = DETECTION_SIDE,
    detector_model: str | Path | None = None,
    boxes: str | Path | Mapping[str | Path, Boxes] | None = None,
    max_bytes: int = MAX_BYTES,
    min_quality: float = 0.0,
    orient: Orient = "auto",
) -> Pipeline:
    """A pipeline by names.

    Args:
        model: a shipped model's name (its int8 file) or a `.tflite` file.
        faces: "multiple", "each" or "largest", see `Pipeline`.
        threads: threads of the detector and the classifier.
        detector: a name (see `detect.load_detector`), or any `detect.FaceDetector`.
        detection_size: longest side, in pixels, at which a detector of this package looks.
        detector_model: another model file for the detector "mediapipe".
        boxes: precomputed boxes, which take the detector's place: a file of them (see
            `detect.boxes`), or boxes by photo.
        max_bytes: the memory that decoding a photo may take; one that takes more is an error.
        min_quality: the quality, 0 to 1, below which a face gets no label (see `quality`).
        orient: "auto" or "none", see `Pipeline`.

    Raises:
        ModelError: a model or detector that cannot be used.
        InputError: another mode of `faces` or `orient`, a `min_quality` out of range, a wrong
            size or file of boxes, values that have no effect together, or no TFLite runtime.
    """
    check_choice("faces", faces, FACES_MODES)
    check_choice("orient", orient, ORIENTS)
    check_min_quality(min_quality)
    if isinstance(detector, str):
        detector = load_detector(
            detector, threads=threads, side=detection_size, model=detector_model, boxes=boxes
        )
    else:
        for parameter, given in (("boxes", boxes), ("detector_model", detector_model)):
            if given is not None:
                raise InputError(
                    parameter, expected="none with a detector of one's own", found=str(given)
                )
    pipeline = Pipeline(
        load_classifier(model, threads),
        detector,
        faces,
        max_bytes=max_bytes,
        min_quality=min_quality,
        orient=orient,
    )
    logger.info("%s, on %s", pipeline.identity, runtime_name())
    return pipeline


def check_min_quality(value: float) -> float:
    """The value.  Raises InputError where it is out of 0 to 1."""
    # Comparisons with NaN are false.
    if not isinstance(value, Real) or not 0 <= value <= 1:
        raise InputError("min_quality", expected="0 to 1", found=repr(value))
    return value


def relabelled(result: PhotoResult, mode: FacesMode, min_quality: float = 0.0) -> PhotoResult:
    """A result with the labels that this mode and least quality give (see `Pipeline`)."""
    faces = tuple(_labelled(face, min_quality) for face in result.faces)
    label, confidence = photo_label(faces, mode)
    return replace(result, label=label, confidence=confidence, faces=faces)


def _labelled(face: Face, min_quality: float) -> Face:
    if face.quality is not None and face.quality < min_quality:
        return replace(face, label=None, confidence=None)
    label = max(face.probabilities, key=face.probabilities.__getitem__)
    confidence = face.probabilities[label]
    if (face.label, face.confidence) == (label, confidence):
        return face
    return replace(face, label=label, confidence=confidence)


def photo_label(faces: Sequence[Face], mode: FacesMode) -> tuple[str | None, float | None]:
    """Label and confidence of a photo with these faces (see `Pipeline`)."""
    if not faces:
        return None, None
    if len(faces) > 1 and mode == "multiple":
        return MULTIPLE, None
    if mode == "largest":
        chosen = max(faces, key=lambda face: face.box.width * face.box.height)
    else:
        chosen = max(faces, key=lambda face: face.confidence or 0.0)
    return chosen.label, chosen.confidence


def _face(
    detection: Detection,
    probabilities: dict[str, float],
    *,
    tilt: float | None,
    levelled: bool,
    rated: quality.Quality,
) -> Face:
    label = max(probabilities, key=probabilities.__getitem__)
    return Face(
        detection.box,
        label,
        probabilities[label],
        probabilities,
        detection.score,
        detection.landmarks,
        tilt,
        levelled,
        quality=rated.value,
        flaw=rated.flaw,
    )


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
