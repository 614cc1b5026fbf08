"""The result of a benchmark and its JSON form, the same on a desktop and on a phone.

The classes here define it.  `schema.json` next to this file states the same for other
languages (the demo app writes by it); it is made by

    python -m fer_mobile.bench.result > schema.json
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fer_mobile.bench.stats import NotNegative, Share, StageStats, Verdict, verdict
from fer_mobile.contract import ModelContract, Precision
from fer_mobile.errors import InputError
from fer_mobile.runtime.classifier import Classifier
from fer_mobile.types import STAGES, Orient

SCHEMA: Final = "fer-mobile/bench"
SCHEMA_VERSION: Final = 2
"""Changes whenever a key goes or changes its meaning; a new key does not change it."""

NOISY: Final = 0.10
"""Above this `noise`, a run is not to be trusted."""

Count = Annotated[int, Field(ge=1)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
StageName = Annotated[str, Field(pattern=f"^({'|'.join(STAGES)})$")]


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, strict=True, use_attribute_docstrings=True, populate_by_name=True
    )


class Measured(_Part):
    """Figures of the model that its contract states."""

    precision: Precision
    protocol: str
    split: str
    n: Count
    accuracy: Share
    balanced_accuracy: Share


class Contract(_Part):
    """Summary of the contract inside the model file."""

    format_version: Count
    architecture: str
    parameters: Count
    input: tuple[int, int, int, int]
    """Shape: 1, height, width, channels."""
    labels: tuple[str, ...]
    figures: tuple[Measured, ...] = ()

    @classmethod
    def of(cls, contract: ModelContract) -> Self:
        """The summary of a contract."""
        _, height, width, channels = contract.input.shape
        return cls(
            format_version=contract.format_version,
            architecture=contract.architecture,
            parameters=contract.parameters,
            input=(1, height, width, channels),
            labels=contract.labels,
            figures=tuple(
                Measured(**figures.model_dump(exclude={"recall"})) for figures in contract.figures
            ),
        )


class Model(_Part):
    """The classifier that was timed."""

    name: str
    precision: Precision
    file: str
    """Its name, without the folder."""
    sha256: Sha256
    """Of the whole file."""
    bytes: Count
    contract: Contract

    @classmethod
    def of(cls, classifier: Classifier) -> Self:
        """What a loaded classifier is, without the folder of its file."""
        return cls(
            name=classifier.contract.name,
            precision=classifier.contract.precision,
            file=classifier.path.name,
            sha256=classifier.sha256,
            bytes=classifier.path.stat().st_size,
            contract=Contract.of(classifier.contract),
        )


class Photos(_Part):
    """The photo set."""

    name: str
    n: Count
    """Photos that were timed."""
    failed: Annotated[int, Field(ge=0)]
    """Photos that could not be read."""
    sha256: Sha256
    """Over all photos, sorted by their paths inside the folder: the path (UTF-8, its parts
    joined by /), then the 32 bytes of the SHA-256 of the file."""


class Settings(_Part):
    """How the run was made."""

    threads: Count
    """Of detector and classifier."""
    repetitions: Count
    """Timed passes over the photos, after one that is not timed."""
    budget_s: Annotated[float, Field(gt=0)]
    faces: Literal["largest", "each", "multiple"]
    detector: str
    orient: Orient = "none"
    """Whether photos were turned where no upright face was sure."""
    xnnpack: bool = True
    """The runtime's XNNPACK delegate was on."""
    pinned_to: tuple[int, ...] | None = None
    """Cores that the run was bound to; null where it was bound to none."""


class ColdStart(_Part):
    """A first photo in a new process (the system may have its files in memory); the median of
    several processes."""

    process_ms: NotNegative | None
    """From the start of the process until its code and libraries are loaded."""
    model_load_ms: NotNegative
    """Detector and classifier, from their files until they can run."""
    first_inference_ms: NotNegative | None
    """The stage classify of the first photo; null where it has no face."""
    first_photo_ms: NotNegative
    """The stage total of the first photo: the first one with a face, if there is one."""


class Hardware(_Part):
    """The machine; null for what is unknown."""

    cpu: str | None
    """Model of the processor, or of a phone's SoC."""
    machine: str
    """Instruction set, e.g. x86_64, aarch64 or arm64-v8a."""
    cores: int | None
    cores_usable: int | None
    memory_mb: int | None
    governor: str | None
    """Of the processor's clock."""
    vectors: str | None = None
    """Vector instruction sets that networks use, e.g. avx2 fma: processors of one name differ."""
    phone: str | None = None
    """Maker and model."""
    thermal_state: (
        Literal["none", "light", "moderate", "severe", "critical", "emergency", "shutdown"] | None
    ) = None
    """The worst that was reported during the run (Android 10 and newer)."""
    battery_charging: bool | None = None


class Software(_Part):
    """What ran on it."""

    os: str
    """E.g. Debian GNU/Linux 12 (bookworm), or Android 14 (API 34)."""
    kernel: str | None
    fer_mobile: str
    """Version of the package, or of the demo app."""
    runtime: str
    """TensorFlow Lite package and version."""
    python: str | None = None
    packages: dict[str, str | None] = {}


class Operation(_Part):
    """One operation of the classifier's graph."""

    operation: str
    output: tuple[int, ...]
    """Shape of what it computes, for one face."""
    macs: Annotated[int, Field(ge=0)]
    """Multiply-accumulates."""
    ms: NotNegative
    share: Share


class Ratio(_Part):
    """Time of the model over that of the other one, with a 95% interval."""

    ratio: NotNegative
    low: NotNegative
    high: NotNegative


class Against(_Part):
    """Another model that was timed in the same run, pass by pass in turn."""

    model: Model
    ratio: dict[StageName, Ratio]


class BenchResult(_Part):
    """One run of the stage benchmark.

    All times are in milliseconds.  A photo's time in a stage is the median of its
    repetitions; the figures of a stage are taken over photos.
    """

    schema_: Annotated[Literal["fer-mobile/bench"], Field(alias="schema")]
    schema_version: Literal[2]
    date: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$")]
    """Start of the run, UTC."""
    device: Annotated[str, Field(min_length=1)]
    """"cpu": a desktop or server; "android": the demo app; "benchmark_model": TensorFlow
    Lite's own tool."""
    model: Model
    photos: Photos | None
    """Null where models were timed without photos."""
    settings: Settings
    stages: Annotated[
        dict[StageName, StageStats],
        Field(min_length=1, json_schema_extra={"additionalProperties": False}),
    ]
    """Those that a photo reached.  Shrinking the photo for the detector is part of detect."""
    verdict: Verdict | None
    """Pass when p90 of total is within budget_s; null where total was not measured."""
    cold_start: ColdStart | None
    noise: NotNegative | None
    """Difference of the mean total between the first and the second half of the repetitions,
    over their mean; null for a single repetition."""
    peak_memory_mb: NotNegative | None
    """Largest resident memory of the process, 10^6 bytes."""
    energy_j_per_photo: NotNegative | None
    """Joules that the processor or the whole phone used in the timed passes."""
    hardware: Hardware
    software: Software
    profile: tuple[Operation, ...] = ()
    """The classifier's operations in the order they run."""
    against: Against | None = None

    @model_validator(mode="after")
    def _verdict_follows_from_the_figures(self) -> Self:
        if "total" in self.stages:
            right = verdict(self.stages, self.settings.budget_s)
        elif self.photos is None:
            right = None
        else:
            raise ValueError("photos without the stage total")
        if self.verdict != right:
            raise ValueError(f"the verdict {self.verdict} where the figures say {right}")
        return self

    def as_dict(self) -> dict[str, object]:
        """The result as `bench --json` prints it; keys that were not given are left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)

    def append_to(self, file: Path) -> None:
        """Add the result as one line to a JSONL file, which is made where there is none.

        Raises InputError where it cannot be written, or holds something else.
        """
        try:
            if file.is_file() and file.read_bytes()[:1] not in (b"", b"{"):
                raise InputError(file, expected="a file of results", found="something else")
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(self.as_dict(), ensure_ascii=False) + "\n")
        except OSError as error:
            raise InputError(
                file, expected="a file that can be written", found=error.strerror or str(error)
            ) from error


def parse_result(text: str | bytes, name: object) -> BenchResult:
    """The result in a JSON text; InputError, naming the first fault, where it is none."""
    try:
        return BenchResult.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(
            name,
            expected=f"a benchmark result, {SCHEMA} version {SCHEMA_VERSION}",
            found=f"{where}: {first['msg'].lower()}" if where else first["msg"].lower(),
        ) from error


def read_results(file: Path) -> list[BenchResult]:
    """The results in a JSON or JSONL file; InputError where it has none or a faulty one."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "no text"
        raise InputError(file, expected="a file of benchmark results", found=reason) from error
    if text.lstrip().startswith("{") and "\n{" not in text:  # one document, maybe of many lines
        return [parse_result(text, file)]
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise InputError(file, expected="a file of benchmark results", found="an empty one")
    return [parse_result(line, f"{file}, result {n}") for n, line in enumerate(lines, 1)]


def schema() -> dict[str, object]:
    """The JSON Schema (draft 2020-12) that every result fits."""
    return BenchResult.model_json_schema()


if __name__ == "__main__":
    print(json.dumps(schema(), indent=1))
