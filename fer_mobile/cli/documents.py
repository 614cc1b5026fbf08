"""What each command prints with `--json`, as types: the reference and the tests go by them.

Keys are only ever added; a reader passes over those that it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from fer_mobile.bench.matrix import MatrixRow
from fer_mobile.types import PhotoResult


class FilterDocument(TypedDict):
    """A filtered folder."""

    folder: str
    show: list[str]
    """Labels that were asked for; empty: all photos."""
    photos: int
    matched: int
    counts: dict[str, int]
    """Photos by label, then "no face" and "failed"."""
    seconds: float
    skipped: dict[str, int]
    """Files and folders that were not read, by reason."""
    notes: list[str]
    unwritten: list[str]
    """What could not be copied, linked or put into a sidecar, and why."""
    rows: list[PhotoResult]
    """The photos that match, and those that failed."""


class CheckRow(TypedDict):
    """A check of a model file."""

    passed: bool
    detail: str


class VerificationDocument(TypedDict):
    """The proof of a model file."""

    model: str
    """The file's path."""
    name: str
    precision: str
    bytes: int
    parameters: int
    verdict: Literal["pass", "fail"]
    checks: dict[str, CheckRow]
    operations: dict[str, int]
    """How often each operation occurs in the graph."""
    float_operations: dict[str, int]
    """Those of them that compute in floating point."""


class ExportDocument(TypedDict):
    """An exported file."""

    path: str
    contract: str
    """The file with the contract for people."""
    bytes: int
    parameters: int
    precision: str
    seconds: float
    parity: float | None
    """Largest difference of a probability from the float model's, on the bundled faces."""
    calibration: str | None
    """Where the activation ranges of an int8 file are from."""
    verification: VerificationDocument | None
    """None for an ONNX file."""


class ScoresDocument(TypedDict):
    """Figures of a model; all but the counts are shares of 1."""

    model: str
    protocol: str
    split: str
    corruption: NotRequired[str]
    n: int
    accuracy: float
    balanced_accuracy: float
    recall: dict[str, float | None]
    precision: dict[str, float | None]
    counts: dict[str, int]
    confusion: list[list[int]]
    """A row for each true label, a column for each prediction."""
    calibration_error: float
    loss: float | None
    """Mean negative log-likelihood in nats."""
    reliability: list[list[float]]
    """For each bin of confidence: its mean confidence, accuracy and number of faces."""
    macro_f1: float
    weighted_f1: float
    """By the faces of each label."""
    f1: dict[str, float | None]
    """None for a label that neither occurs nor was predicted."""
    objectives: NotRequired[list[dict[str, Any]]]
    """With --require: metric, required, measured, met."""


class ExplanationRow(TypedDict):
    """What the prediction for a face rests on."""

    box: list[float]
    label: str
    probabilities: dict[str, float]
    saliency: list[list[float]]
    """A value for each pixel of the network's input."""


class ExplainDocument(TypedDict):
    """A drawn explanation."""

    picture: str
    method: str
    faces: list[ExplanationRow]


class MistakeRow(TypedDict):
    """A face with another prediction than its label."""

    row: int
    true_label: str
    prediction: str
    confidence: float
    true_probability: float
    file: str | None


class MistakesDocument(TypedDict):
    """The most confident mistakes."""

    page: str
    schema: str
    schema_version: int
    model: str
    protocol: str
    split: str
    n: int
    accuracy: float
    balanced_accuracy: float
    mistakes: dict[str, list[MistakeRow]]
    """By true label, the surest first."""


class IntervalRow(TypedDict):
    """Milliseconds."""

    low: float
    typical: float
    high: float


class EstimateDocument(TypedDict):
    """What a phone would need."""

    schema: str
    schema_version: int
    estimate: Literal[True]
    phone: str
    cores: str
    origin: str
    model: str
    photos: str
    threads: int
    budget_s: float
    stages_ms: dict[str, IntervalRow]
    fits: Any
    """Whether the total is within the budget."""


class ComparisonDocument(TypedDict):
    """Two results of `bench` side by side."""

    first: dict[str, Any]
    second: dict[str, Any]
    warnings: list[str]
    """What makes the two differ besides the models."""


class MatrixDocument(TypedDict):
    """Every file in every runtime, by threads."""

    rows: list[MatrixRow]
    recommended: MatrixRow | None
    """None where no file is within the budget."""


def json_documents() -> Mapping[str, Any]:
    """The type of the document by the command's words, with the option that changes it."""
    from fer_mobile.bench.result import BenchResult
    from fer_mobile.contract import ModelContract
    from fer_mobile.convert.sensitivity import LayerSensitivity
    from fer_mobile.doctor import Diagnosis
    from fer_mobile.doctor.caches import CacheInfo
    from fer_mobile.models import ModelRow
    from fer_mobile.prepare.crop import CropReport
    from fer_mobile.prepare.inspection import Inspection

    return {
        "models": list[ModelRow],
        "predict": list[PhotoResult],
        "filter": FilterDocument,
        "explain": ExplainDocument,
        "verify": VerificationDocument,
        "verify --layers": list[LayerSensitivity],
        "evaluate": ScoresDocument,
        "report errors": MistakesDocument,
        "bench": BenchResult,
        "bench --matrix": MatrixDocument,
        "bench --estimate": EstimateDocument,
        "bench --compare": ComparisonDocument,
        "data inspect": Inspection,
        "data crop": CropReport,
        "export": ExportDocument,
        "contract attach": ModelContract,
        "doctor": Diagnosis,
        "cache info": CacheInfo,
    }


def json_schema(words: str) -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of what `fer-mobile WORDS --json` prints."""
    from pydantic import TypeAdapter

    adapter = TypeAdapter(json_documents()[words])
    return adapter.json_schema(mode="serialization", by_alias=True)
