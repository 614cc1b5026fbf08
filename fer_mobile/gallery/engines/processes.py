"""Photos through processes of this machine."""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import connection
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from fer_mobile.errors import FerMobileError
from fer_mobile.gallery.engines import Job, PipelineFactory, Row, crash_row, photo_row

_AHEAD: Final = 4
"""Photos for each process that may be finished before the next one in order: enough that none
waits for a large photo, few enough that a killed run loses little."""
_WAITING: Final = 2
"""Photos a process holds: the one it reads, and the one that it reads next."""

_STARTS: Final = 3
"""How often in a row a process may end before its pipeline is made."""
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
    an error.  Raises FerMobileError when a process cannot make its pipeline.
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
                else:
                    pool = pool or [_Worker(factory, keyed) for _ in range(workers)]
                    min(pool, key=lambda worker: len(worker.waiting)).give(begun, path)
                begun += 1
            if begun == yielded:
                return
            if yielded not in done:
                at_work = {worker.pipe: worker for worker in pool if worker.waiting}
                end = min(worker.began for worker in at_work.values()) + timeout_s
                wait_s = min(max(0.0, end - time.monotonic()), _LONGEST_WAIT_S)
                ready = connection.wait([*at_work], timeout=wait_s)
                for pipe, worker in at_work.items():
                    if pipe in ready:
                        done.update(worker.take())
                    elif time.monotonic() >= worker.began + timeout_s:
                        worker.process.kill()  # its pipe ends then: `take` sees it
                        worker.began = math.inf
            while yielded in done:
                row = done.pop(yielded)
                yielded += 1
                yield row
    finally:
        for worker in pool:
            worker.pipe.close()  # it ends after the photo that it reads
        end = time.monotonic() + _GRACE_S
        for worker in pool:
            worker.process.join(max(0.0, end - time.monotonic()))
            worker.process.kill()
            worker.process.join()


class _Worker:
    """A process and the photos that it holds, in the order in which it works."""

    def __init__(self, factory: PipelineFactory, keyed: bool) -> None:
        self.waiting: deque[tuple[int, Path]] = deque()
        self.began = math.inf
        """When it began to read the first of them: infinity before its pipeline is made."""
        self._arguments = factory, keyed
        self._suspect = -1
        self._is_ready = False
        self._failed_starts = 0
        self._start()

    @property
    def busy(self) -> bool:
        return len(self.waiting) >= _WAITING

    def _start(self) -> None:
        self.began, self._is_ready = math.inf, False
        self.pipe, theirs = _SPAWN.Pipe()
        self.process = _SPAWN.Process(target=_serve, args=(theirs, *self._arguments), daemon=True)
        self.process.start()
        theirs.close()

    def give(self, number: int, path: Path) -> None:
        if not self.waiting and self._is_ready:
            self.began = time.monotonic()
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
            row: Row | FerMobileError | None = self.pipe.recv()
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
        self._is_ready, self._failed_starts = True, 0
        self.began = time.monotonic()
        if row is None:
            return {}
        self.waiting.popleft()
        return {number: row}

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
    # Ctrl-C reaches the whole process group; the parent alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, OSError):  # the parent has closed its end
        try:
            pipeline = factory()
        except Exception as error:
            pipe.send(FerMobileError(f"a worker process could not make its pipeline: {error}"))
            return
        pipe.send(None)  # The pipeline is made.
        while True:
            pipe.send(photo_row(pipeline, pipe.recv(), keyed))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
