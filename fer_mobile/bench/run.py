"""Times the photo pipeline, stage by stage, on this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from fer_mobile.bench import method
from fer_mobile.bench.cold_start import MOST_TIMES, measure_cold_start
from fer_mobile.bench.energy import joules_between, read_counters
from fer_mobile.bench.options import DEFAULTS, DETECTOR, FACES, BenchOptions
from fer_mobile.bench.photos import PhotoSet, load_photo_set
from fer_mobile.bench.ratios import Pass, ratios
from fer_mobile.bench.result import (
    SCHEMA,
    SCHEMA_VERSION,
    Against,
    BenchResult,
    ColdStart,
    Hardware,
    Model,
    Operation,
    Photos,
    Software,
)
from fer_mobile.bench.stats import stage_stats, verdict
from fer_mobile.environment import describe_hardware, describe_software, peak_memory_mb
from fer_mobile.errors import InputError
from fer_mobile.pipeline import Pipeline, load_pipeline
from fer_mobile.types import PhotoResult

Progress = Callable[[int, int], None]
"""Called after every pass over the photos with the passes done and their largest number."""


@dataclass(frozen=True, slots=True)
class _Measured:
    """What was measured of all models over the photos that can be read."""

    passes: list[list[Pass]]
    """Of every model: milliseconds by stage of every photo, pass by pass."""
    photos: int
    failed: int
    pinned_to: tuple[int, ...] | None
    joules: float | None
    memory_mb: float | None
    cold_start: ColdStart


def run_bench(
    options: BenchOptions = DEFAULTS,
    *,
    photos: str | Path = "affective-25",
    against: str | Path | None = None,
    with_profile: bool = False,
    progress: Progress | None = None,
) -> BenchResult:
    """Time every stage of the pipeline over a photo set, on this machine.

    An untimed pass over all photos comes first, then the timed ones, so that the repetitions of
    a photo lie far apart and a slow spell of the machine hits all photos alike.  A photo's time
    is the median of its repetitions.  A photo that cannot be read is skipped and counted.  On
    Linux the run is bound to as many cores as it has threads.

    Args:
        options: model, threads, budget and repetitions (None: see `method.enough`).
        photos: a photo set's name or a folder.
        against: another model, whose passes are made in turn with the model's.
        with_profile: add the classifier's time by operation (see `profile`).
        progress: see `Progress`.

    Raises:
        InputError: an unknown photo set, or no photo that can be read.
        ModelError: a model that cannot be used.
    """
    photo_set = load_photo_set(photos)
    date = datetime.now(UTC).isoformat(timespec="seconds")
    operations: tuple[Operation, ...] | None = None
    with method.pinned(options.threads) as cores:
        models = [options.model] if against is None else [options.model, against]
        pipelines = [
            load_pipeline(
                model,
                faces=FACES,
                threads=options.threads,
                detector=DETECTOR,
                orient=options.orient,
            )
            for model in models
        ]
        measured = _measure(pipelines, photo_set, options, cores, progress)
        if with_profile:
            from fer_mobile.bench.profile import profile  # needs ai-edge-litert, not any runtime

            operations = profile(pipelines[0].classifier.path, options.threads)
    result = _result(options, measured, photo_set, Model.of(pipelines[0].classifier), date)
    if operations is not None:
        result = result.model_copy(update={"profile": operations})
    if against is not None:
        other = Model.of(pipelines[1].classifier)
        compared = Against(model=other, ratio=ratios(*measured.passes))
        result = result.model_copy(update={"against": compared})
    return result


def _measure(
    pipelines: Sequence[Pipeline],
    photo_set: PhotoSet,
    options: BenchOptions,
    cores: tuple[int, ...] | None,
    progress: Progress | None,
) -> _Measured:
    warm_up, *_ = [_one_pass(pipeline, photo_set.paths) for pipeline in pipelines]
    paths = [p for p, row in zip(photo_set.paths, warm_up, strict=True) if row.error is None]
    if not paths:
        raise InputError(
            f"photos {photo_set.name}",
            expected="a photo that can be read",
            found=f"{len(warm_up)} that cannot ({warm_up[0].error})",
        )
    counters = read_counters()
    passes = _timed_passes(pipelines, paths, options.repetitions, progress)
    joules = joules_between(counters, read_counters())
    memory = peak_memory_mb()  # before the processes of the cold start
    with_face = [row.path for row in warm_up if row.faces]
    cold_start = measure_cold_start(
        pipelines[0].classifier.path,
        Path(with_face[0]) if with_face else paths[0],
        threads=options.threads,
        faces=FACES,
        detector=DETECTOR,
        orient=options.orient,
        times=min(MOST_TIMES, len(passes[0])),
    )
    return _Measured(
        passes=passes,
        photos=len(paths),
        failed=len(warm_up) - len(paths),
        pinned_to=cores,
        joules=joules,
        memory_mb=memory,
        cold_start=cold_start,
    )


def _result(
    options: BenchOptions, measured: _Measured, photo_set: PhotoSet, model: Model, date: str
) -> BenchResult:
    own = measured.passes[0]
    stages = stage_stats([_median(times) for times in zip(*own, strict=True)])
    photos_timed = sum(len(rows) for passes in measured.passes for rows in passes)
    joules = measured.joules
    return BenchResult(
        schema_=SCHEMA,
        schema_version=SCHEMA_VERSION,
        date=date,
        device="cpu",
        model=model,
        photos=Photos(
            name=photo_set.name,
            n=measured.photos,
            failed=measured.failed,
            sha256=photo_set.sha256,
        ),
        settings=options.settings(len(own)).model_copy(update={"pinned_to": measured.pinned_to}),
        stages=stages,
        verdict=verdict(stages, options.budget),
        cold_start=measured.cold_start,
        noise=method.noise([sum(row["total"] for row in rows) for rows in own]),
        peak_memory_mb=measured.memory_mb,
        energy_j_per_photo=None if joules is None else joules / photos_timed,
        hardware=Hardware.model_validate(describe_hardware()),
        software=Software.model_validate(describe_software()),
    )


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


def _one_pass(pipeline: Pipeline, paths: Sequence[Path]) -> list[PhotoResult]:
    return list(pipeline.batch(paths))


def _median(times: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The median of every stage over the repetitions of one photo."""
    return {stage: float(np.median([row[stage] for row in times])) for stage in times[0]}
