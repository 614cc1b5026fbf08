"""Every photo of a list through the pipeline: here, on several processes, or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from fer_mobile.errors import InputError
from fer_mobile.gallery.compute import Job, PipelineFactory, Row, compute
from fer_mobile.gallery.processes import in_processes
from fer_mobile.gallery.store import ResultStore
from fer_mobile.types import PhotoResult

Progress = Callable[[int, int], None]

ENGINES: Final = ("processes", "ray")
"""What does the work: processes of this machine, or Ray (see `gallery.ray_engine`)."""


def scan(
    paths: Sequence[Path],
    pipeline_factory: PipelineFactory,
    *,
    workers: int = 1,
    engine: str = "processes",
    store: ResultStore | None = None,
    resume: bool = False,
    progress: Progress | None = None,
) -> Iterator[PhotoResult]:
    """One row a photo, in the order of `paths`, whatever happens to single photos.

    `pipeline_factory` makes the pipeline, once in every process; for `workers` > 1 and for Ray
    it must be picklable (a module's function or a `functools.partial` of one).  Rows go into
    `store` as they come; with `resume` the photos whose rows it holds are not computed again.
    `progress(done, total)` is called after every photo.  Stopping the iteration, by Ctrl-C
    or otherwise, stops the workers and leaves the store in order.
    Raises InputError for an unknown engine, MissingPackageError for one that is not installed.
    """
    jobs = _jobs(paths, store if resume else None)
    keyed = store is not None
    if engine not in ENGINES:
        raise InputError("engine", expected=" or ".join(ENGINES), found=repr(engine))
    if engine == "ray":
        from fer_mobile.gallery.ray_engine import in_ray

        rows = in_ray(jobs, pipeline_factory, workers, keyed)
    elif workers > 1 and len(paths) > 1:
        rows = in_processes(jobs, pipeline_factory, min(workers, len(paths)), keyed)
    else:
        rows = _in_turn(jobs, pipeline_factory, keyed)
    for done, (photo, result) in enumerate(rows, start=1):
        if store is not None and photo is not None:
            store.put(photo, result)
        if progress is not None:
            progress(done, len(paths))
        yield result


def _jobs(paths: Sequence[Path], known: ResultStore | None) -> Iterator[Job]:
    for path in paths:
        yield path, known.get(path) if known is not None else None


def _in_turn(jobs: Iterator[Job], factory: PipelineFactory, keyed: bool) -> Iterator[Row]:
    pipeline = None
    for path, known in jobs:
        if known is not None:
            yield None, known
            continue
        if pipeline is None:
            pipeline = factory()
        yield compute(pipeline, path, keyed)
