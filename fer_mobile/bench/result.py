"""The result of a benchmark and its JSON form, which schema.json beside this file defines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fer_mobile.bench.stats import StageStats, Verdict, verdict
from fer_mobile.errors import InputError

SCHEMA: Final = "fer-mobile/bench"
SCHEMA_VERSION: Final = 1
"""Changes whenever a key goes or changes its meaning; a new key does not change it."""


@dataclass(frozen=True, slots=True)
class BenchResult:
    """What `run_bench` measured, and on what."""

    device: str
    date: str
    """Start of the run, ISO 8601, UTC."""
    model: Mapping[str, Any]
    photos: Mapping[str, Any]
    settings: Mapping[str, Any]
    stages: Mapping[str, StageStats]
    cold_start: Mapping[str, float]
    """Milliseconds to load the pipeline, imports included, and of its first photo."""
    noise: float | None
    """Difference of the mean total between the first and the second half of the
    repetitions, over their mean; None for a single repetition."""
    peak_memory_mb: float | None
    hardware: Mapping[str, Any]
    software: Mapping[str, Any]

    @property
    def budget_s(self) -> float:
        """Seconds that a photo may take."""
        return float(self.settings["budget_s"])

    @property
    def verdict(self) -> Verdict:
        """Whether p90 of total over photos is within the budget."""
        return verdict(self.stages, self.budget_s)

    def as_dict(self) -> dict[str, Any]:
        """The result as `bench --json` prints it; it fits schema.json."""
        return {
            "schema": SCHEMA,
            "schema_version": SCHEMA_VERSION,
            "date": self.date,
            "device": self.device,
            "model": dict(self.model),
            "photos": dict(self.photos),
            "settings": dict(self.settings),
            "stages": {name: stats.as_dict() for name, stats in self.stages.items()},
            "verdict": self.verdict,
            "cold_start": {name: round(ms, 3) for name, ms in self.cold_start.items()},
            "noise": None if self.noise is None else round(self.noise, 4),
            "peak_memory_mb": self.peak_memory_mb,
            "hardware": dict(self.hardware),
            "software": dict(self.software),
        }

    def append_to(self, file: Path) -> None:
        """Add the result as one line to a JSONL file, which is made where there is none."""
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(self.as_dict(), ensure_ascii=False) + "\n")
        except OSError as error:
            raise InputError(
                file, expected="a file that can be written", found=error.strerror or str(error)
            ) from error


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) that every result fits."""
    text = Path(__file__).with_name("schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded
