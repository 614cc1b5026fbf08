"""Silence for native libraries, which write to the file descriptors behind Python's streams."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

_LOCK = RLock()


@contextmanager
def quiet(*streams: int) -> Iterator[None]:
    """Discard what anything in this process writes to the given file descriptors.

    Environment variables and logging levels do not reach every line of TensorFlow and
    TensorFlow Lite; the descriptors do.  Keep the block short: other threads are muted too.

    Args:
        streams: file descriptors; without any, 1 (stdout) and 2 (stderr).
    """
    with _LOCK:
        _flush()
        saved = {stream: os.dup(stream) for stream in streams or (1, 2)}
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            for stream in saved:
                os.dup2(nowhere, stream)
            yield
        finally:
            _flush()
            for stream, copy in saved.items():
                os.dup2(copy, stream)
                os.close(copy)
            os.close(nowhere)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
