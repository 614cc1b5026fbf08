"""Photos through this process, one after the other."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue

from fer_mobile.gallery.engines import (
    Job,
    PhotoPipeline,
    PipelineFactory,
    Row,
    photo_row,
    slow_row,
)


def in_turn(
    jobs: Iterable[Job], factory: PipelineFactory, keyed: bool, timeout_s: float
) -> Iterator[Row]:
    """The rows of `jobs`; a photo that takes longer than `timeout_s` seconds is one with an error.

    Nothing can be done here about a photo that crashes the process.
    """
    with PhotoReader(factory, keyed, timeout_s) as reader:
        for path, known in jobs:
            yield (None, known) if known is not None else reader.row(path)


class PhotoReader:
    """Reads photos in a thread of this process, each within a time limit.

    No thread can be stopped.  One that takes too long keeps its pipeline and the memory of its
    photo, and the next photo is read by another thread with another pipeline.
    """

    def __init__(self, factory: PipelineFactory, keyed: bool, timeout_s: float) -> None:
        self._factory = factory
        self._keyed = keyed
        self._timeout_s = timeout_s
        self._paths: SimpleQueue[Path | None] | None = None
        self._rows: SimpleQueue[Row] = SimpleQueue()

    def start(self) -> None:
        """Make the pipeline, if there is none; whatever `factory` raises."""
        if self._paths is not None:
            return
        self._paths, self._rows = SimpleQueue(), SimpleQueue()
        arguments = (self._factory(), self._keyed, self._paths, self._rows)
        threading.Thread(target=_serve, args=arguments, daemon=True).start()

    def row(self, path: Path) -> Row:
        """The row of one photo, whatever happens."""
        self.start()
        assert self._paths is not None
        self._paths.put(path)
        try:
            return self._rows.get(timeout=self._timeout_s)
        except Empty:
            self.close()
            return slow_row(path, self._timeout_s)

    def close(self) -> None:
        """Let the thread end, after the photo that it reads."""
        if self._paths is not None:
            self._paths.put(None)
        self._paths = None

    def __enter__(self) -> PhotoReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _serve(
    pipeline: PhotoPipeline,
    keyed: bool,
    paths: SimpleQueue[Path | None],
    rows: SimpleQueue[Row],
) -> None:
    while (path := paths.get()) is not None:
        rows.put(photo_row(pipeline, path, keyed))
