"""Photos through processes of this machine."""

from __future__ import annotations

import logging
import math
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from multiprocessing import connection, resource_tracker
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final, Literal

from fer_mobile.errors import FerMobileError
from fer_mobile.gallery.engines import (
    Job,
    PipelineFactory,
    Row,
    crash_row,
    photo_row,
    slow_row,
)
from fer_mobile.gallery.engines.in_turn import in_turn

logger = logging.getLogger(__name__)

_Progress = Literal["started", "ready"]
"""What a process says of itself: that it runs, and that its pipeline is made."""

_AHEAD: Final = 4
"""Photos for each process that may be finished before the next one in order: enough that none
waits for a large photo, few enough that a killed run loses little."""
_WAITING: Final = 2
"""Photos a process holds: the one it reads, and the one that it reads next."""

_STARTS: Final = 3
"""How often in a row a process may end before its pipeline is made."""
_LONGEST_START_S: Final = 300.0
"""How long a process may take to make its pipeline, on a machine with much else to do."""
_LONGEST_WAIT_S: Final = 60.0
"""How long the parent waits before it looks at the time again."""
_GRACE_S: Final = 5.0
"""How long processes have to end by themselves, after the photos that they read."""

# spawn: a forked copy of a process that has started threads (OpenCV's, a runtime's) may hang.
_SPAWN: Final = multiprocessing.get_context("spawn")


def in_processes(
    jobs: Iterator[Job], factory: PipelineFactory, workers: int, keyed: bool, timeout_s: float
) -> Iterator[Row]:
    """The rows of `jobs` in their order.

    A photo that crashes its process, or takes it longer than `timeout_s` seconds, is a row with
    an error.  Where the system starts no processes, this one reads the photos.  Raises
    FerMobileError when a process cannot make its pipeline.
    """
    pool: list[_Worker] = []
    done: dict[int, Row] = {}
    begun = yielded = 0
    try:
        while True:
            while (
                begun < yielded + _AHEAD * workers
                and not (pool and all(worker.busy for worker in pool))
                and (job := next(jobs, None))
            ):
                path, known = job
                if known is not None:
                    done[begun] = (None, known)
                elif pool := pool or _start(workers, factory, keyed, timeout_s):
                    min(pool, key=lambda worker: len(worker.waiting)).give(begun, path)
                else:
                    yield from (done[number] for number in range(yielded, begun))
                    yield from in_turn(chain([job], jobs), factory, keyed, timeout_s)
                    return
                begun += 1
            if begun == yielded:
                return
            if yielded not in done:
                done.update(_wait(pool))
            while yielded in done:
                row = done.pop(yielded)
                yielded += 1
                yield row
    finally:
        _close(pool)


def _start(workers: int, factory: PipelineFactory, keyed: bool, timeout_s: float) -> list[_Worker]:
    """The workers, or none where the system starts no processes."""
    pool: list[_Worker] = []
    try:
        for _ in range(workers):
            pool.append(_Worker(factory, keyed, timeout_s))
        if all(worker.has_started() for worker in pool):
            return pool
        reason = "they end before they begin"
    except OSError as error:  # too many of them, or no memory
        reason = error.strerror or str(error)
    _close(pool)
    logger.warning("Photos are read by this process, for no others can be started: %s.", reason)
    return []


def _wait(pool: list[_Worker]) -> dict[int, Row]:
    """Rows that have become known; none, maybe, after a while."""
    done: dict[int, Row] = {}
    at_work = {worker.pipe: worker for worker in pool if worker.waiting}
    wait_s = min(worker.deadline for worker in at_work.values()) - time.monotonic()
    ready = connection.wait([*at_work], timeout=min(max(0.0, wait_s), _LONGEST_WAIT_S))
    for pipe, worker in at_work.items():
        if pipe in ready:
            done.update(worker.take())
        elif time.monotonic() >= worker.deadline:
            done.update(worker.give_up())
    return done


def _close(pool: list[_Worker]) -> None:
    """End all processes, also those that are stopped."""
    for worker in pool:
        worker.pipe.close()  # it ends after the photo that it reads
    end = time.monotonic() + _GRACE_S
    for worker in pool:
        worker.process.join(max(0.0, end - time.monotonic()))
        worker.process.kill()
        worker.process.join()


class _Worker:
    """A process and the photos that it holds, in the order in which it works."""

    def __init__(self, factory: PipelineFactory, keyed: bool, timeout_s: float) -> None:
        self.waiting: deque[tuple[int, Path]] = deque()
        self.deadline = math.inf
        """When its start, or the photo that it reads, has taken too long."""
        self._arguments = factory, keyed
        self._timeout_s = timeout_s
        self._suspect = -1
        self._is_ready = False
        self._failed_starts = 0
        self._start()

    @property
    def busy(self) -> bool:
        return len(self.waiting) >= _WAITING

    def _start(self) -> None:
        self.deadline, self._is_ready = time.monotonic() + _LONGEST_START_S, False
        self.pipe, theirs = _SPAWN.Pipe()
        self.process = _SPAWN.Process(target=_serve, args=(theirs, *self._arguments), daemon=True)
        with _no_interrupt():
            self.process.start()
        theirs.close()

    def has_started(self) -> bool:
        """Whether the process runs; waits until that is known."""
        try:
            return self.pipe.poll(_LONGEST_START_S) and self.pipe.recv() == "started"
        except (EOFError, OSError):
            return False

    def give(self, number: int, path: Path) -> None:
        if not self.waiting and self._is_ready:
            self.deadline = time.monotonic() + self._timeout_s
        self.waiting.append((number, path))
        self._send(path)

    def _send(self, path: Path) -> None:
        with suppress(OSError):  # a process that is gone: `take` sees it
            self.pipe.send(path)

    def take(self) -> dict[int, Row]:
        """The row of the first photo, once the pipe holds something, which may be its end.

        A process that crashed was at the first photo it held.  Another one tries that photo
        once more, since the cause may lie elsewhere (memory), and takes over the rest.
        """
        number, path = self.waiting[0]
        try:
            row: Row | FerMobileError | _Progress = self.pipe.recv()
        except (EOFError, OSError):
            again = not self._is_ready or number != self._suspect
            if self._is_ready:
                self._suspect = number
            if not again:
                self.waiting.popleft()
            self._restart()
            return {} if again else {number: crash_row(path)}
        if isinstance(row, FerMobileError):
            raise row
        if row == "started":
            return {}
        self._is_ready, self._failed_starts = True, 0
        self.deadline = time.monotonic() + self._timeout_s
        if row == "ready":
            return {}
        self.waiting.popleft()
        return {number: row}

    def give_up(self) -> dict[int, Row]:
        """The row of the first photo, which takes too long; another process takes over the rest."""
        done = {}
        if self._is_ready:
            number, path = self.waiting.popleft()
            done[number] = slow_row(path, self._timeout_s)
        self._restart()
        return done

    def _restart(self) -> None:
        """Have another process take over."""
        self.pipe.close()
        self.process.kill()
        self.process.join()
        if not self._is_ready:
            self._failed_starts += 1
            if self._failed_starts == _STARTS:
                raise FerMobileError("a worker process ended while it made its pipeline")
        self._start()
        for _, path in self.waiting:
            self._send(path)


def _serve(pipe: Connection, factory: PipelineFactory, keyed: bool) -> None:
    """What a process does: make a pipeline, then send a row for every path that it receives."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where `_no_interrupt` could not see to it
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, OSError):  # the parent has closed its end
        pipe.send("started")
        try:
            pipeline = factory()
        except Exception as error:
            pipe.send(FerMobileError(f"a worker process could not make its pipeline: {error}"))
            return
        pipe.send("ready")
        while True:
            pipe.send(photo_row(pipeline, pipe.recv(), keyed))


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """A process that is started here never hears of Ctrl-C, not even while it starts.

    Ctrl-C reaches the whole process group; the parent alone decides what it means, and only once
    the process has been told what to do.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # whose start, part of the first process's, lifts the mask
    heard: list[int] = []
    in_main_thread = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGINT)
    if in_main_thread:
        signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if in_main_thread:
            signal.signal(signal.SIGINT, handler)
    if heard and callable(handler):
        handler(heard[0], None)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
