"""Photos through a Ray cluster: a task a photo, on whichever machine has a core free.

Every machine needs this package and the photos under the same path.
"""

from __future__ import annotations

import os
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

from fer_mobile.cluster import RETRIES, cluster
from fer_mobile.errors import FerMobileError
from fer_mobile.gallery.engines import Job, PipelineFactory, Row, crash_row
from fer_mobile.gallery.engines.in_turn import PhotoReader

_AHEAD: Final = 4
"""Tasks a core has waiting."""


def in_ray(
    jobs: Iterator[Job], factory: PipelineFactory, workers: int, keyed: bool, timeout_s: float
) -> Iterator[Row]:
    """The rows of `jobs` in their order.

    A photo that crashes its process, or takes it longer than `timeout_s` seconds, is a row with
    an error.
    `workers` is the number of processes where Ray is started here; a cluster has its own.
    Raises MissingPackageError without Ray, InputError when the cluster cannot be reached, and
    FerMobileError when a process of it cannot make its pipeline.
    """
    with cluster(workers) as ray:
        task = ray.remote(num_cpus=1, max_retries=RETRIES)(_work)
        reader = partial(PhotoReader, factory, keyed, timeout_s)
        shared = ray.put((uuid.uuid4().hex, str(Path.cwd()), reader))
        ahead = _AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1)))
        waiting: deque[tuple[Path, Any]] = deque()  # a row, or where it will be
        while True:
            while len(waiting) < ahead and (job := next(jobs, None)):
                path, known = job
                row = (None, known) if known else task.remote(shared, path)
                waiting.append((path, row))
            if not waiting:
                return
            path, row = waiting.popleft()
            yield row if isinstance(row, tuple) else _get(ray, path, row)


def _get(ray: Any, path: Path, row: Any) -> Row:
    try:
        result: Row = ray.get(row)
    except ray.exceptions.RayTaskError as error:
        raise FerMobileError(str(error.cause)) from error
    except ray.exceptions.RayError:  # its process or its machine was lost, again and again
        return crash_row(path)
    return result


_readers: dict[str, PhotoReader] = {}
"""In a process of the cluster: what reads the photos of the run that it works for."""


def _work(shared: tuple[str, str, Callable[[], PhotoReader]], path: Path) -> Row:
    run, folder, make = shared
    if run not in _readers:
        with suppress(OSError):  # Relative paths are meant from where the command was given.
            os.chdir(folder)
        reader = make()
        try:
            reader.start()
        except Exception as error:
            message = f"a worker process could not make its pipeline: {error}"
            raise FerMobileError(message) from None
        _readers[run] = reader
    return _readers[run].row(path)
