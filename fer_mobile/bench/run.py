"""Times the photo pipeline, stage by stage, on this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from fer_mobile.bench import method
from fer_mobile.bench.cold_start import MOST_TIMES, measure_cold_start
from fer_mobile.bench.compare import ratios
from fer_mobile.bench.energy import joules_between, read_counters
from fer_mobile.bench.photos import load_photo_set
from fer_mobile.bench.result import (
    SCHEMA,
    SCHEMA_VERSION,
    Against,
    BenchResult,
    Contract,
    Hardware,
    Model,
    Photos,
    Settings,
    Software,
)
from fer_mobile.bench.stats import stage_stats, verdict
from fer_mobile.environment import describe_hardware, describe_software, peak_memory_mb
from fer_mobile.errors import InputError
from fer_mobile.models import DEFAULT
from fer_mobile.pipeline import Pipeline, load_pipeline
from fer_mobile.runtime.classifier import Classifier
from fer_mobile.types import PhotoResult

FACES: Final = "multiple"
DETECTOR: Final = "yunet"

Progress = Callable[[int, int], None]
"""Called after every pass over the photos with the passes done and their largest number."""

Pass = list[dict[str, float]]
"""Milliseconds by stage of every photo."""


def run_bench(
    model: str | Path = DEFAULT,
    *,
    photos: str | Path = "affective-25",
    threads: int = 1,
    budget: float = 0.5,
    repetitions: int | None = None,
    against: str | Path | None = None,
    with_profile: bool = False,
    progress: Progress | None = None,
) -> BenchResult:
    """Time every stage of the pipeline over a photo set, on this machine.

    After an untimed pass over all photos come the timed ones, so that the repetitions of one
    photo lie far apart and a slow spell of the machine hits all photos alike.  A photo's time
    is the median of its repetitions.  A photo that cannot be read is left out and counted.
    On Linux the run is bound to as many cores as it has threads.

    Args:
        model: a shipped model's name or a `.tflite` file.
        photos: a photo set's name or a folder.
        threads: threads of detector and classifier.
        budget: seconds that nine photos in ten may take.
        repetitions: timed passes over the photos; None: see `method.enough`.
        against: another model, whose passes are made in turn with the model's.
        with_profile: add the classifier's time by operation (see `profile`).
        progress: see `Progress`.

    Raises:
        InputError: an unknown photo set, a number out of range, or no photo that could be
            read.
        ModelError: a model that cannot be used.
    """
    check_settings(threads, budget, repetitions)
    photo_set = load_photo_set(photos)
    date = datetime.now(UTC).isoformat(timespec="seconds")
    with method.pinned(threads) as cores:
        names = [model] if against is None else [model, against]
        pipelines = [
            load_pipeline(name, faces=FACES, threads=threads, detector=DETECTOR) for name in names
        ]
        warm_up, *_ = [_one_pass(pipeline, photo_set.paths) for pipeline in pipelines]
        paths = [p for p, row in zip(photo_set.paths, warm_up, strict=True) if row.error is None]
        if not paths:
            raise InputError(
                f"photos {photos!s}",
                expected="a photo that can be read",
                found=f"{len(warm_up)} that cannot ({warm_up[0].error})",
            )
        counters = read_counters()
        passes = _timed_passes(pipelines, paths, repetitions, progress)
        joules = joules_between(counters, read_counters())
        memory = peak_memory_mb()
        faces = [row.path for row in warm_up if row.faces]
        cold_start = measure_cold_start(
            pipelines[0].classifier.path,
            Path(faces[0]) if faces else paths[0],
            threads=threads,
            faces=FACES,
            detector=DETECTOR,
            times=min(MOST_TIMES, len(passes[0])),
        )
        operations = None
        if with_profile:
            from fer_mobile.bench.profile import profile  # needs ai-edge-litert, not any runtime

            operations = profile(pipelines[0].classifier.path, threads)

    stages = stage_stats([_median(times) for times in zip(*passes[0], strict=True)])
    photos_timed = sum(len(rows) for each in passes for rows in each)
    result = BenchResult(
        schema_=SCHEMA,
        schema_version=SCHEMA_VERSION,
        date=date,
        device="cpu",
        model=describe_model(pipelines[0].classifier),
        photos=Photos(
            name=photo_set.name,
            n=len(paths),
            failed=len(warm_up) - len(paths),
            sha256=photo_set.sha256,
        ),
        settings=Settings(
            threads=threads,
            repetitions=len(passes[0]),
            budget_s=budget,
            faces=FACES,
            detector=DETECTOR,
            pinned_to=cores,
        ),
        stages=stages,
        verdict=verdict(stages, budget),
        cold_start=cold_start,
        noise=method.noise([sum(row["total"] for row in rows) for rows in passes[0]]),
        peak_memory_mb=memory,
        energy_j_per_photo=None if joules is None else joules / photos_timed,
        hardware=Hardware.model_validate(describe_hardware()),
        software=Software.model_validate(describe_software()),
    )
    asked: dict[str, Any] = {}
    if operations is not None:
        asked["profile"] = operations
    if against is not None:
        other = describe_model(pipelines[1].classifier)
        asked["against"] = Against(model=other, ratio=ratios(*passes))
    return result.model_copy(update=asked)


def _timed_passes(
    pipelines: Sequence[Pipeline],
    paths: Sequence[Path],
    repetitions: int | None,
    progress: Progress | None,
) -> list[list[Pass]]:
    """The passes of every pipeline; the pipelines take turns."""
    passes: list[list[Pass]] = [[] for _ in pipelines]
    most = repetitions or method.MOST_PASSES
    while len(passes[0]) < most and (repetitions or not method.enough(passes[0])):
        if progress:
            progress(len(passes[0]), most)
        for pipeline, own in zip(pipelines, passes, strict=True):
            own.append([row.stages for row in _one_pass(pipeline, paths)])
    if progress:
        progress(most, most)
    return passes


def check_settings(threads: int, budget: float, repetitions: int | None) -> None:
    """InputError for a number that is out of range."""
    for name, count in (("threads", threads), ("repetitions", repetitions)):
        if count is not None and count < 1:
            raise InputError(name, expected="at least 1", found=str(count))
    if not 0 < budget < float("inf"):
        raise InputError("budget", expected="seconds above 0", found=str(budget))


def describe_model(classifier: Classifier) -> Model:
    """What the model is, and its file without the folder, which is of this machine only."""
    return Model(
        name=classifier.contract.name,
        precision=classifier.contract.precision,
        file=classifier.path.name,
        sha256=classifier.sha256,
        bytes=classifier.path.stat().st_size,
        contract=Contract.of(classifier.contract),
    )


def _one_pass(pipeline: Pipeline, paths: Sequence[Path]) -> list[PhotoResult]:
    return [pipeline(path) for path in paths]


def _median(times: Sequence[dict[str, float]]) -> dict[str, float]:
    """The median of every stage over the repetitions of one photo."""
    return {stage: float(np.median([row[stage] for row in times])) for stage in times[0]}
