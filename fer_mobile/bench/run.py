"""Times the photo pipeline, stage by stage, on this machine."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from fer_mobile.bench.hardware import describe_hardware, describe_software, peak_memory_mb
from fer_mobile.bench.photos import load_photo_set
from fer_mobile.bench.result import BenchResult
from fer_mobile.bench.stats import stage_stats
from fer_mobile.errors import InputError, nearest
from fer_mobile.models import DEFAULT
from fer_mobile.types import PhotoResult

if TYPE_CHECKING:
    from fer_mobile.pipeline import Pipeline
    from fer_mobile.runtime.classifier import Classifier

DEVICES: Final = ("cpu",)
"""What `device` may name."""

FACES: Final = "multiple"
DETECTOR: Final = "yunet"

Progress = Callable[[int, int], None]
"""Called after every pass over the photos with the passes done and their number."""


def run_bench(
    model: str | Path = DEFAULT,
    *,
    device: str = "cpu",
    photos: str | Path = "affective-25",
    threads: int = 1,
    budget: float = 0.5,
    repetitions: int = 5,
    progress: Progress | None = None,
) -> BenchResult:
    """Time every stage of the pipeline over a photo set.

    After an untimed pass over all photos come `repetitions` passes, so that the repetitions
    of one photo lie far apart and a slow spell of the machine hits all photos alike.  A
    photo's time is the median of its repetitions.  A photo that cannot be read is left out
    and counted.

    Args:
        model: a shipped model's name or a `.tflite` file.
        device: "cpu", this machine.
        photos: a bundled set's name or a folder.
        threads: threads of detector and classifier.
        budget: seconds that nine photos in ten may take.
        repetitions: timed passes over the photos.
        progress: see `Progress`.

    Raises:
        InputError: an unknown device or photo set, a number out of range, or no photo that
            could be read.
        ModelError: a model that cannot be used.
    """
    _check(device, threads, budget, repetitions)
    photo_set = load_photo_set(photos)
    date = datetime.now(UTC).isoformat(timespec="seconds")

    start = time.perf_counter()
    from fer_mobile.pipeline import load_pipeline  # its import is part of the cold start

    pipeline = load_pipeline(model, faces=FACES, threads=threads, detector=DETECTOR)
    load_ms = (time.perf_counter() - start) * 1000
    warm_up = _one_pass(pipeline, photo_set.paths)
    paths = [path for path, row in zip(photo_set.paths, warm_up, strict=True) if row.error is None]
    if not paths:
        raise InputError(
            f"photos {photos!s}",
            expected="a photo that can be read",
            found=f"{len(warm_up)} that cannot ({warm_up[0].error})",
        )
    first = next(row for row in warm_up if row.error is None)

    passes = []
    for done in range(repetitions):
        if progress:
            progress(done, repetitions)
        passes.append([row.stages for row in _one_pass(pipeline, paths)])
    if progress:
        progress(repetitions, repetitions)

    return BenchResult(
        device=device,
        date=date,
        model=_identity(pipeline.classifier),
        photos={
            "name": photo_set.name,
            "n": len(paths),
            "failed": len(warm_up) - len(paths),
            "sha256": photo_set.sha256,
        },
        settings={
            "threads": threads,
            "repetitions": repetitions,
            "budget_s": budget,
            "faces": FACES,
            "detector": DETECTOR,
        },
        stages=stage_stats([_median(times) for times in zip(*passes, strict=True)]),
        cold_start={"load_ms": load_ms, "first_photo_ms": first.stages["total"]},
        noise=_noise([sum(times["total"] for times in one_pass) for one_pass in passes]),
        peak_memory_mb=peak_memory_mb(),
        hardware=describe_hardware(),
        software=describe_software(),
    )


def _check(device: str, threads: int, budget: float, repetitions: int) -> None:
    if device not in DEVICES:
        raise InputError(
            "device", expected="cpu", found=repr(device), todo=nearest(device, DEVICES)
        )
    for name, count in (("threads", threads), ("repetitions", repetitions)):
        if count < 1:
            raise InputError(name, expected="at least 1", found=str(count))
    if not budget > 0:
        raise InputError("budget", expected="seconds above 0", found=str(budget))


def _identity(classifier: Classifier) -> dict[str, str | int]:
    """What the model is, and its file without the folder, which is of this machine only."""
    content = classifier.path.read_bytes()
    return {
        "name": classifier.contract.name,
        "precision": classifier.contract.precision,
        "file": classifier.path.name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
    }


def _one_pass(pipeline: Pipeline, paths: Sequence[Path]) -> list[PhotoResult]:
    return [pipeline(path) for path in paths]


def _median(times: Sequence[dict[str, float]]) -> dict[str, float]:
    """The median of every stage over the repetitions of one photo."""
    return {stage: float(np.median([row[stage] for row in times])) for stage in times[0]}


def _noise(totals: Sequence[float]) -> float | None:
    """Relative difference between the halves of the passes (the middle one is in neither)."""
    half = len(totals) // 2
    if half == 0:
        return None
    first, second = np.mean(totals[:half]), np.mean(totals[-half:])
    return float(abs(first - second) / ((first + second) / 2))
