"""Options that all measuring modes of the benchmark share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from fer_mobile.bench.result import Settings
from fer_mobile.errors import InputError, check_choice
from fer_mobile.models import DEFAULT
from fer_mobile.types import ORIENTS, Orient

FACES: Final[Literal["multiple"]] = "multiple"
DETECTOR: Final = "yunet"


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """Options of a benchmark.  Raises InputError for a number that is out of range."""

    model: str | Path = DEFAULT
    """A shipped model's name or, but for the demo app, a `.tflite` file."""
    threads: int = 1
    """Threads of detector and classifier."""
    budget: float = 0.5
    """Seconds that nine photos in ten may take."""
    repetitions: int | None = None
    """Timed passes over the photos; None leaves their number to the mode."""

    orient: Orient = "auto"
    """Whether photos may be turned until faces are upright (see `pipeline.Pipeline`)."""

    def __post_init__(self) -> None:
        check_choice("orient", self.orient, ORIENTS)
        for name, count in (("threads", self.threads), ("repetitions", self.repetitions)):
            if count is not None and count < 1:
                raise InputError(name, expected="at least 1", found=str(count))
        if not 0 < self.budget < float("inf"):
            raise InputError("budget", expected="seconds above 0", found=str(self.budget))

    def settings(self, repetitions: int) -> Settings:
        """The options as a result states them, with the repetitions that were made."""
        return Settings(
            threads=self.threads,
            repetitions=repetitions,
            budget_s=self.budget,
            faces=FACES,
            detector=DETECTOR,
            orient=self.orient,
        )


DEFAULTS: Final = BenchOptions()
