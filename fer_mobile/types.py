"""The small values that pass between detection, the pipeline, the gallery and the benchmark."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, TypedDict, get_args

from fer_mobile.notebook import html_table
from fer_mobile.wording import percent

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

Orient = Literal["auto", "none"]
ORIENTS: Final[tuple[Orient, ...]] = get_args(Orient)
"""Whether photos may be turned until faces are upright (see `pipeline.Pipeline`)."""

Turn = Literal[0, 90, 180, 270]
TURNS: Final[tuple[Turn, ...]] = get_args(Turn)
"""Degrees, clockwise."""

ProtocolName = Literal["ferplus-strict", "ferplus-argmax", "fer2013", "fer2013-4", "own"]
PROTOCOL_NAMES: Final[tuple[ProtocolName, ...]] = get_args(ProtocolName)
"""How labels follow from what a dataset says (see `data.protocols`)."""

SplitName = Literal["train", "valid", "test", "all"]
"""A part of a dataset, or all of it."""

Flaw = Literal[
    "too small",
    "blurred",
    "too dark",
    "too bright",
    "low contrast",
    "stretched",
    "tilted",
    "hardly a face",
]
FLAWS: Final[tuple[Flaw, ...]] = get_args(Flaw)
"""What may lower the quality of a face (see `quality`)."""

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

ValueRange = Literal["0..1", "-1..1", "0..255"]
VALUE_RANGES: Final[tuple[ValueRange, ...]] = get_args(ValueRange)
"""What the values of a model's input stand for: black and white."""

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
    """The person's right eye, which is on the left of a picture that is not mirrored, then the left
    eye, nose, right and left mouth corner, in pixels; or none."""

    @property
    def eye_line(self) -> Point | None:
        """x and y from the person's right eye to the left one.

        None where there are no landmarks, or both eyes lie in one place.
        """
        if len(self.landmarks) < 2:
            return None
        (right_x, right_y), (left_x, left_y) = self.landmarks[:2]
        x, y = left_x - right_x, left_y - right_y
        return (x, y) if 0 < x * x + y * y < math.inf else None

    @property
    def tilt(self) -> float | None:
        """Degrees by which the line of the eyes is turned clockwise, -180 to 180; 0 is level.

        None where there is no `eye_line`.
        """
        line = self.eye_line
        return None if line is None else math.degrees(math.atan2(line[1], line[0]))

    def scaled(self, factor: float) -> Detection:
        """The same face in an image that is `factor` times as large."""
        points = tuple((x * factor, y * factor) for x, y in self.landmarks)
        return Detection(self.box.scaled(factor), self.score, points)


class FaceRow(TypedDict):
    """A face in JSON."""

    box: list[float]
    label: str | None
    confidence: float | None
    probabilities: dict[str, float]
    score: float | None
    landmarks: list[list[float]]
    tilt: float | None
    levelled: bool
    quality: float | None
    flaw: Flaw | None


class PhotoRow(TypedDict):
    """A photo in JSON."""

    path: str
    label: str | None
    confidence: float | None
    faces: list[FaceRow]
    error: str | None
    size: list[int] | None
    turn: Turn
    stages: dict[str, float]


@dataclass(frozen=True, slots=True)
class Face:
    """A face of a photo, with its expression."""

    box: Box
    """Where it is, in pixels of the upright photo at full resolution."""
    label: str | None
    """The most probable expression; None where `quality` is below the pipeline's `min_quality`:
    the face is *unsure*."""
    confidence: float | None
    """Probability of `label`, 0 to 1; None where there is no label."""
    probabilities: dict[str, float]
    """Probability of every label, in the model's order; they sum to 1."""
    score: float | None = None
    """Confidence of the detector, 0 to 1; None where it is unknown, as for precomputed boxes."""
    landmarks: tuple[Point, ...] = ()
    """The person's right eye, left eye, nose, right and left mouth corner; or none."""
    tilt: float | None = None
    """Degrees of the line of the eyes (see `Detection.tilt`), in the photo turned by its
    `PhotoResult.turn`; None without landmarks."""
    levelled: bool = False
    """Whether the face was turned by its tilt before the model saw it."""
    quality: float | None = None
    """How well the photo shows the face, 0 to 1 (see `quality`); None where it is unknown."""
    flaw: Flaw | None = None
    """What lowers `quality` most, and so why a face is unsure; None where nothing does."""

    def as_dict(self) -> FaceRow:
        """The face as `predict --json` prints it, its figures rounded."""
        return {
            "box": [round(float(v), 1) for v in self.box],
            "label": self.label,
            "confidence": _rounded(self.confidence),
            "probabilities": {k: round(v, 4) for k, v in self.probabilities.items()},
            "score": _rounded(self.score),
            "landmarks": [[round(x, 1), round(y, 1)] for x, y in self.landmarks],
            "tilt": None if self.tilt is None else round(self.tilt, 1),
            "levelled": self.levelled,
            "quality": _rounded(self.quality),
            "flaw": self.flaw,
        }

    @classmethod
    def from_dict(cls, row: FaceRow) -> Face:
        """The inverse of `as_dict`; rows of older versions end with the probabilities.

        A ValueError, TypeError or KeyError where it is no row.
        """
        flaw = row.get("flaw")
        if flaw is not None and flaw not in FLAWS:
            raise ValueError(flaw)
        return cls(
            box=Box(*map(float, row["box"])),
            label=None if row["label"] is None else str(row["label"]),
            confidence=_number(row["confidence"]),
            probabilities={str(k): float(v) for k, v in row["probabilities"].items()},
            score=_number(row.get("score")),
            landmarks=tuple((float(x), float(y)) for x, y in row.get("landmarks", ())),
            tilt=_number(row.get("tilt")),
            levelled=bool(row.get("levelled", False)),
            quality=_number(row.get("quality")),
            flaw=flaw,
        )


@dataclass(frozen=True, slots=True)
class PhotoResult:
    """The faces of one photo; a photo that failed has `error` and no faces."""

    path: str
    """The photo's file; empty for a photo that came from memory."""
    label: str | None = None
    """An expression, "multiple", or None when no face was found, the face is unsure (see `Face`)
    or the photo failed."""
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
    turn: Turn = 0
    """Degrees by which the photo is to be turned clockwise until its faces are upright.  Boxes
    and landmarks are those of the photo before it is turned."""

    @property
    def is_unsure(self) -> bool:
        """Whether there are faces and none of them gives the photo a label."""
        return bool(self.faces) and self.label is None

    def as_dict(self) -> PhotoRow:
        """The row as `predict --json` and `filter --jsonl` print it, its figures rounded."""
        return {
            "path": self.path,
            "label": self.label,
            "confidence": _rounded(self.confidence),
            "faces": [face.as_dict() for face in self.faces],
            "error": self.error,
            "size": list(self.size) if self.size else None,
            "turn": self.turn,
            "stages": {name: round(ms, 3) for name, ms in self.stages.items()},
        }

    def _repr_html_(self) -> str:
        """The photo as a notebook shows it: a row for each face."""
        return html_table(
            ("face", "label", "confidence", "box"),
            [
                (
                    number,
                    face.label,
                    None if face.confidence is None else percent(face.confidence),
                    " ".join(f"{v:.0f}" for v in face.box),
                )
                for number, face in enumerate(self.faces, start=1)
            ],
            f"{self.path or 'photo'}: {self.error or self.label or 'no label'}",
        )

    @classmethod
    def from_dict(cls, row: PhotoRow) -> PhotoResult:
        """The inverse of `as_dict`; a ValueError, TypeError or KeyError where it is no row."""
        size = row["size"]
        return cls(
            path=str(row["path"]),
            label=None if row["label"] is None else str(row["label"]),
            confidence=_number(row["confidence"]),
            faces=tuple(Face.from_dict(face) for face in row["faces"]),
            error=None if row["error"] is None else str(row["error"]),
            size=(int(size[0]), int(size[1])) if size else None,
            stages={str(name): float(ms) for name, ms in row["stages"].items()},
            turn=_turn(row.get("turn", 0)),
        )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)


def _turn(value: object) -> Turn:
    for turn in TURNS:
        if value == turn:
            return turn
    raise ValueError(value)
