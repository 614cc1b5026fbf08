"""The small values that pass between detection, the pipeline, the gallery and the benchmark."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

STAGES: Final = ("decode", "detect", "resize", "gray", "classify", "total")
"""The stages every timing uses, named after the rows of the thesis's table 8."""


class Box(NamedTuple):
    """A rectangle in pixels of the upright photo; (x, y) is its top left corner."""

    x: float
    y: float
    width: float
    height: float

    def scaled(self, factor: float) -> Box:
        """The same rectangle in an image that is `factor` times as large."""
        return Box(*(value * factor for value in self))


@dataclass(frozen=True, slots=True)
class Detection:
    """A face that a detector found."""

    box: Box
    score: float
    """Confidence of the detector, 0 to 1."""
    landmarks: tuple[tuple[float, float], ...] = ()
    """The person's right eye, left eye, nose, right and left mouth corner, in pixels; or none."""

    def scaled(self, factor: float) -> Detection:
        """The same face in an image that is `factor` times as large."""
        points = tuple((x * factor, y * factor) for x, y in self.landmarks)
        return Detection(self.box.scaled(factor), self.score, points)


@dataclass(frozen=True, slots=True)
class Face:
    """A classified face of a photo."""

    box: Box
    label: str
    confidence: float
    """Probability of `label`, 0 to 1."""
    probabilities: dict[str, float]
    """Probability of every label, in the model's order; they sum to 1."""

    def as_dict(self) -> dict[str, Any]:
        """The face as `predict --json` prints it."""
        return {
            "box": [round(float(v), 1) for v in self.box],
            "label": self.label,
            "confidence": round(self.confidence, 4),
            "probabilities": {k: round(v, 4) for k, v in self.probabilities.items()},
        }

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> Face:
        """The inverse of `as_dict`."""
        return cls(
            box=Box(*map(float, row["box"])),
            label=str(row["label"]),
            confidence=float(row["confidence"]),
            probabilities={str(k): float(v) for k, v in row["probabilities"].items()},
        )


@dataclass(frozen=True, slots=True)
class PhotoResult:
    """What the pipeline says of one photo; a photo that failed has `error` and no faces."""

    path: str
    label: str | None = None
    """An expression, "multiple", or None when no face was found or the photo failed."""
    confidence: float | None = None
    """Probability of `label`; None for "multiple" and where there is no label."""
    faces: tuple[Face, ...] = ()
    error: str | None = None
    size: tuple[int, int] | None = None
    """Width and height of the upright photo in pixels."""
    stages: dict[str, float] = field(default_factory=dict)
    """Milliseconds a stage took, keyed by `STAGES`."""

    def as_dict(self) -> dict[str, Any]:
        """The row as `predict --json` and `filter --jsonl` print it (size and stages beside it)."""
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
    def from_dict(cls, row: dict[str, Any]) -> PhotoResult:
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
