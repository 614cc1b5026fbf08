"""Photos through a pool of processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection
from pathlib import Path
from typing import Final

from fer_mobile.errors import FerMobileError
from fer_mobile.gallery.compute import Job, PhotoPipeline, PipelineFactory, Row, compute, died
from fer_mobile.types import PhotoResult

_AHEAD: Final = 4
"""Photos a worker has waiting: enough to never idle, few enough to lose little when killed."""


def in_processes(
    jobs: Iterator[Job], factory: PipelineFactory, workers: int, keyed: bool
) -> Iterator[Row]:
    """The rows of `jobs` in their order; a photo that kills its process is a row with an error.

    Raises FerMobileError when a process cannot make its pipeline.
    """
    pool = _pool(factory, workers)
    waiting: deque[tuple[Path, Future[Row]]] = deque()
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
    waiting: deque[tuple[Path, Future[Row]]], factory: PipelineFactory, keyed: bool
) -> Iterator[Row]:
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
                yield died(path)


def _done(result: PhotoResult) -> Future[Row]:
    future: Future[Row] = Future()
    future.set_result((None, result))
    return future


def _submit(pool: ProcessPoolExecutor, path: Path, keyed: bool) -> Future[Row]:
    try:
        return pool.submit(_work, path, keyed)
    except BrokenProcessPool as error:
        future: Future[Row] = Future()
        future.set_exception(error)
        return future


def _pool(factory: PipelineFactory, workers: int) -> ProcessPoolExecutor:
    # spawn: a forked copy of a process that has started threads (OpenCV's, a runtime's) may hang.
    return ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(factory,),
    )


_pipeline: PhotoPipeline | Exception = FerMobileError("the worker has not started")
"""The pipeline of a worker process, or why there is none."""


def _start_worker(factory: PipelineFactory) -> None:
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


def _work(path: Path, keyed: bool) -> Row:
    if isinstance(_pipeline, Exception):
        raise FerMobileError(f"a worker process could not make its pipeline: {_pipeline}")
    return compute(_pipeline, path, keyed)
