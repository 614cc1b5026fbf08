"""Every photo of a list through the pipeline, on one or several processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection
from pathlib import Path
from typing import Final

from fer_mobile.errors import FerMobileError
from fer_mobile.gallery.store import Fingerprint, ResultStore, fingerprint
from fer_mobile.types import PhotoResult

PhotoPipeline = Callable[[Path], PhotoResult]
Progress = Callable[[int, int], None]

_AHEAD: Final = 4
"""Photos a worker has waiting: enough to never idle, few enough to lose little when killed."""


def scan(
    paths: Sequence[Path],
    pipeline_factory: Callable[[], PhotoPipeline],
    *,
    workers: int = 1,
    store: ResultStore | None = None,
    resume: bool = False,
    progress: Progress | None = None,
) -> Iterator[PhotoResult]:
    """One row a photo, in the order of `paths`, whatever happens to single photos.

    `pipeline_factory` makes the pipeline, once in every process; for `workers` > 1 it must be
    picklable (a module's function or a `functools.partial` of one).  Rows go into `store` as
    they come; with `resume` the photos whose rows it holds are not computed again.
    `progress(done, total)` is called after every photo.  Stopping the iteration, by Ctrl-C
    or otherwise, stops the workers and leaves the store in order.
    """
    jobs = _jobs(paths, store if resume else None)
    if workers > 1 and len(paths) > 1:
        rows = _in_pool(jobs, pipeline_factory, min(workers, len(paths)), keyed=store is not None)
    else:
        rows = _in_turn(jobs, pipeline_factory, keyed=store is not None)
    for done, (photo, result) in enumerate(rows, start=1):
        if store is not None and photo is not None:
            store.put(photo, result)
        if progress is not None:
            progress(done, len(paths))
        yield result


_Job = tuple[Path, PhotoResult | None]
_Row = tuple[Fingerprint | None, PhotoResult]
"""The photo's fingerprint (None: nothing to keep) and the result."""


def _jobs(paths: Sequence[Path], known: ResultStore | None) -> Iterator[_Job]:
    for path in paths:
        yield path, known.get(path) if known is not None else None


def _compute(pipeline: PhotoPipeline, path: Path, keyed: bool) -> _Row:
    try:
        photo = fingerprint(path) if keyed else None
    except OSError:
        photo = None  # The pipeline cannot read it either, and says why.
    try:
        return photo, pipeline(path)
    except Exception as error:
        return None, PhotoResult(path=str(path), error=f"{path}: {type(error).__name__}: {error}")


def _in_turn(
    jobs: Iterator[_Job], factory: Callable[[], PhotoPipeline], keyed: bool
) -> Iterator[_Row]:
    pipeline = None
    for path, known in jobs:
        if known is not None:
            yield None, known
            continue
        if pipeline is None:
            pipeline = factory()
        yield _compute(pipeline, path, keyed)


def _in_pool(
    jobs: Iterator[_Job], factory: Callable[[], PhotoPipeline], workers: int, keyed: bool
) -> Iterator[_Row]:
    pool = _pool(factory, workers)
    waiting: deque[tuple[Path, Future[_Row]]] = deque()
    try:
        while True:
            while len(waiting) < _AHEAD * workers and (job := next(jobs, None)):
                path, known = job
                waiting.append((path, _done(known) if known else _submit(pool, path, keyed)))
            if not waiting:
                return
            if isinstance(waiting[0][1].exception(), BrokenProcessPool):
                yield from _one_by_one(waiting, factory, keyed)
                pool = _pool(factory, workers)
            else:
                yield waiting.popleft()[1].result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _one_by_one(
    waiting: deque[tuple[Path, Future[_Row]]], factory: Callable[[], PhotoPipeline], keyed: bool
) -> Iterator[_Row]:
    """Photos of a pool that died: which of them killed it shows when each has a process alone."""
    while waiting:
        path, future = waiting.popleft()
        if future.exception() is None:
            yield future.result()
            continue
        with _pool(factory, 1) as alone:
            try:
                yield alone.submit(_work, path, keyed).result()
            except BrokenProcessPool:
                error = f"{path}: the process that read it died (out of memory, or a damaged file)"
                yield None, PhotoResult(path=str(path), error=error)


def _done(result: PhotoResult) -> Future[_Row]:
    future: Future[_Row] = Future()
    future.set_result((None, result))
    return future


def _submit(pool: ProcessPoolExecutor, path: Path, keyed: bool) -> Future[_Row]:
    try:
        return pool.submit(_work, path, keyed)
    except BrokenProcessPool as error:
        future: Future[_Row] = Future()
        future.set_exception(error)
        return future


def _pool(factory: Callable[[], PhotoPipeline], workers: int) -> ProcessPoolExecutor:
    # spawn: a forked copy of a process that has started threads (OpenCV's, a runtime's) may hang.
    return ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(factory,),
    )


_pipeline: PhotoPipeline | Exception = FerMobileError("the worker has not started")
"""The pipeline of a worker process, or why there is none."""


def _start_worker(factory: Callable[[], PhotoPipeline]) -> None:
    global _pipeline
    # Ctrl-C reaches the whole process group; the parent alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    try:
        _pipeline = factory()
    except Exception as error:  # Raised here it would say no more than "a process died".
        _pipeline = error


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _work(path: Path, keyed: bool) -> _Row:
    if isinstance(_pipeline, Exception):
        raise FerMobileError(f"a worker process could not make its pipeline: {_pipeline}")
    return _compute(_pipeline, path, keyed)
