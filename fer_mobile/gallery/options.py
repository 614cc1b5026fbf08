"""How a library is scanned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fer_mobile.decoding import MAX_BYTES
from fer_mobile.detect import DETECTION_SIDE, FaceDetector
from fer_mobile.errors import InputError, check_choice
from fer_mobile.gallery.choices import ENGINES, Engine
from fer_mobile.gallery.dates import parse_period
from fer_mobile.models import DEFAULT
from fer_mobile.pipeline import Boxes, Pipeline, check_min_quality, load_pipeline
from fer_mobile.types import FACES_MODES, ORIENTS, DetectorName, FacesMode, Orient


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanOptions:
    """Which photos of a library are read, with what, and by how many processes.

    Raises InputError for a value that cannot be used.
    """

    model: str | Path = DEFAULT
    """A shipped model's name or a `.tflite` file."""
    faces: FacesMode = "multiple"
    """The label of a photo with several faces (see `Pipeline`)."""
    detector: DetectorName | FaceDetector = "yunet"
    """A name (see `detect.load_detector`), or any `detect.FaceDetector`."""
    detection_size: int = DETECTION_SIDE
    """Longest side, in pixels, at which a detector of this package looks."""
    detector_model: str | Path | None = None
    """Another model file for the detector "mediapipe"."""
    boxes: str | Path | Mapping[str | Path, Boxes] | None = None
    """Precomputed boxes, which take the detector's place: a file of them (see `detect.boxes`),
    or boxes by photo."""
    orient: Orient = "auto"
    """Whether photos may be turned until faces are upright (see `Pipeline`)."""
    max_bytes: int = MAX_BYTES
    """The memory that decoding a photo may take; one that takes more is a row with its error."""
    min_quality: float = 0.0
    """The quality, 0 to 1, below which a face gets no label (see `quality`)."""
    since: str | None = None
    """First year, month or day by the photos' own dates: 2024, 2024-05 or 2024-05-31.  With
    `since` or `until` a photo without a date is skipped."""
    until: str | None = None
    """Last year, month or day."""
    workers: int = 0
    """Processes that read photos, so that no photo can end the caller's; 0: the caller's reads
    them itself, which needs no time to start."""
    photo_timeout_s: float = 120.0
    """Seconds after which a photo is a row with an error.  The process that reads it is stopped;
    where that is the caller's, or one of a cluster, a thread and its memory are left behind."""
    engine: Engine = "processes"
    resume: bool = True
    """Take the rows that earlier runs kept, instead of computing them again."""
    store: str | Path | None = None
    """The file that keeps the rows; None: one in the user's cache folder."""

    def __post_init__(self) -> None:
        check_choice("faces", self.faces, FACES_MODES)
        check_min_quality(self.min_quality)
        check_choice("orient", self.orient, ORIENTS)
        check_choice("engine", self.engine, ENGINES)
        if self.workers < 0:
            raise InputError("workers", expected="0 or more", found=str(self.workers))
        if not self.photo_timeout_s > 0:
            raise InputError(
                "photo_timeout_s", expected="more than 0", found=str(self.photo_timeout_s)
            )
        parse_period("since", self.since)
        parse_period("until", self.until)

    def pipeline_factory(self) -> partial[Pipeline]:
        """What makes the pipeline, in this process or in another."""
        return partial(
            load_pipeline,
            self.model,
            faces=self.faces,
            detector=self.detector,
            detection_size=self.detection_size,
            detector_model=self.detector_model,
            boxes=self.boxes,
            max_bytes=self.max_bytes,
            min_quality=self.min_quality,
            orient=self.orient,
        )
