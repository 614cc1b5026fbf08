"""The small values that pass between detection, the pipeline, the gallery and the benchmark."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, TypedDict, get_args

STAGES: Final = ("decode", "detect", "resize", "gray", "classify", "total")
"""What every timing is split into: the rows of the thesis's table 8, in its order.

The pipeline runs `gray`, which cuts the faces out and makes them gray, before `resize`.
"""


FacesMode = Literal["multiple", "each", "largest"]
FACES_MODES: Final[tuple[FacesMode, ...]] = get_args(FacesMode)
"""Which label a photo with several faces gets (see `pipeline.Pipeline`)."""

DetectorName = Literal["yunet", "opencv", "mediapipe", "boxes"]
DETECTORS: Final[tuple[DetectorName, ...]] = get_args(DetectorName)
"""Names that `detect.load_detector` knows."""

ProtocolName = Literal["ferplus-strict", "ferplus-argmax", "fer2013", "fer2013-4", "own"]
PROTOCOL_NAMES: Final[tuple[ProtocolName, ...]] = get_args(ProtocolName)
"""How labels follow from what a dataset says (see `data.protocols`)."""

SplitName = Literal["train", "valid", "test", "all"]
"""A part of a dataset, or all of it."""

ExplainMethod = Literal["occlusion", "gradient"]
"""What shows the parts of a face that a prediction rests on (see `explain.saliency`)."""

Color = Literal["gray", "rgb"]
COLORS: Final[tuple[Color, ...]] = get_args(Color)
"""What the input of an exported file holds."""

Quantization = Literal["none", "float16", "dynamic", "int8"]
QUANTIZATIONS: Final[tuple[Quantization, ...]] = get_args(Quantization)
"""How the weights of an exported file are stored (see `convert.ExportOptions`)."""

FileFormat = Literal["tflite", "onnx"]
FILE_FORMATS: Final[tuple[FileFormat, ...]] = get_args(FileFormat)
"""What a model is exported as."""

TensorType = Literal["int8", "uint8", "float32"]
TENSOR_TYPES: Final[tuple[TensorType, ...]] = get_args(TensorType)
"""Of the input and output of an int8 file."""

OnError = Literal["raise", "result"]
ON_ERROR: Final[tuple[OnError, ...]] = get_args(OnError)
"""What becomes of a photo that cannot be read: a PhotoError, or a PhotoResult with its `error`."""


class Box(NamedTuple):
    """A rectangle in pixels of the upright photo; (x, y) is its top left corner."""

    x: float
    y: float
    width: float
    height: float

    def scaled(self, factor: float) -> Box:
        """The same rectangle in an image that is `factor` times as large."""
        return Box(*(value * factor for value in self))


Point = tuple[float, float]
"""x and y in pixels of the upright photo."""


@dataclass(frozen=True, slots=True)
class Detection:
    """A face that a detector found."""

    box: Box
    score: float | None
    """Confidence of the detector, 0 to 1; None where the box was given by the user."""
    landmarks: tuple[Point, ...] = ()
    """The person's right eye, left eye, nose, right and left mouth corner, in pixels; or none."""

    @property
    def tilt(self) -> float | None:
        """Degrees of the line from the person's right eye to the left one, -180 to 180.

        0 is level, and positive is turned clockwise, as the photo is looked at.  None where there
        are no landmarks, or both eyes lie in one place.
        """
        if len(self.landmarks) < 2:
            return None
        (right_x, right_y), (left_x, left_y) = self.landmarks[:2]
        x, y = left_x - right_x, left_y - right_y
        return math.degrees(math.atan2(y, x)) if x or y else None

    def scaled(self, factor: float) -> Detection:
        """The same face in an image that is `factor` times as large."""
        points = tuple((x * factor, y * factor) for x, y in self.landmarks)
        return Detection(self.box.scaled(factor), self.score, points)


class FaceRow(TypedDict):
    """A face in JSON."""

    box: list[float]
    label: str
    confidence: float
    probabilities: dict[str, float]
    score: float | None
    landmarks: list[list[float]]
    tilt: float | None
    levelled: bool


class PhotoRow(TypedDict):
    """A photo in JSON."""

    path: str
    label: str | None
    confidence: float | None
    faces: list[FaceRow]
    error: str | None
    size: list[int] | None
    stages: dict[str, float]


@dataclass(frozen=True, slots=True)
class Face:
    """A face of a photo, with its expression."""

    box: Box
    """Where it is, in pixels of the upright photo at full resolution."""
    label: str
    """The most probable expression."""
    confidence: float
    """Probability of `label`, 0 to 1."""
    probabilities: dict[str, float]
    """Probability of every label, in the model's order; they sum to 1."""
    score: float | None = None
    """Confidence of the detector, 0 to 1; None where it is unknown, as for precomputed boxes."""
    landmarks: tuple[Point, ...] = ()
    """The person's right eye, left eye, nose, right and left mouth corner; or none."""
    tilt: float | None = None
    """Degrees of the line of the eyes (see `Detection.tilt`); None without landmarks."""
    levelled: bool = False
    """Whether the face was turned by its tilt before the model saw it."""

    def as_dict(self) -> FaceRow:
        """The face as `predict --json` prints it, its figures rounded."""
        return {
            "box": [round(float(v), 1) for v in self.box],
            "label": self.label,
            "confidence": round(self.confidence, 4),
            "probabilities": {k: round(v, 4) for k, v in self.probabilities.items()},
            "score": None if self.score is None else round(self.score, 4),
            "landmarks": [[round(x, 1), round(y, 1)] for x, y in self.landmarks],
            "tilt": None if self.tilt is None else round(self.tilt, 1),
            "levelled": self.levelled,
        }

    @classmethod
    def from_dict(cls, row: FaceRow) -> Face:
        """The inverse of `as_dict`; rows of older versions end with the probabilities."""
        score, tilt = row.get("score"), row.get("tilt")
        return cls(
            box=Box(*map(float, row["box"])),
            label=str(row["label"]),
            confidence=float(row["confidence"]),
            probabilities={str(k): float(v) for k, v in row["probabilities"].items()},
            score=None if score is None else float(score),
            landmarks=tuple((float(x), float(y)) for x, y in row.get("landmarks", ())),
            tilt=None if tilt is None else float(tilt),
            levelled=bool(row.get("levelled", False)),
        )


@dataclass(frozen=True, slots=True)
class PhotoResult:
    """The faces of one photo; a photo that failed has `error` and no faces."""

    path: str
    """The photo's file; empty for a photo that came from memory."""
    label: str | None = None
    """An expression, "multiple", or None when no face was found or the photo failed."""
    confidence: float | None = None
    """Probability of `label`, 0 to 1; None for "multiple" and where there is no label."""
    faces: tuple[Face, ...] = ()
    error: str | None = None
    """Why the photo could not be read."""
    size: tuple[int, int] | None = None
    """Width and height of the upright photo in pixels."""
    stages: dict[str, float] = field(default_factory=dict)
    """Milliseconds that each stage took, keyed by `STAGES`; without a face, the last three of
    them are skipped."""

    def as_dict(self) -> PhotoRow:
        """The row as `predict --json` and `filter --jsonl` print it, its figures rounded."""
        return {
            "path": self.path,
            "label": self.label,
            "confidence": None if self.confidence is None else round(self.confidence, 4),
            "faces": [face.as_dict() for face in self.faces],
            "error": self.error,
            "size": list(self.size) if self.size else None,
            "stages": {name: round(ms, 3) for name, ms in self.stages.items()},
        }

    @classmethod
    def from_dict(cls, row: PhotoRow) -> PhotoResult:
        """The inverse of `as_dict`; a ValueError, TypeError or KeyError where it is no row."""
        size = row["size"]
        return cls(
            path=str(row["path"]),
            label=None if row["label"] is None else str(row["label"]),
            confidence=None if row["confidence"] is None else float(row["confidence"]),
            faces=tuple(Face.from_dict(face) for face in row["faces"]),
            error=None if row["error"] is None else str(row["error"]),
            size=(int(size[0]), int(size[1])) if size else None,
            stages={str(name): float(ms) for name, ms in row["stages"].items()},
        )
