"""Silence for native libraries, which write to the file descriptors behind Python's streams."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import RLock

_LOCK = RLock()


@contextmanager
def without_bytecode() -> Iterator[None]:
    """Let nothing that is imported be compiled to a file.

    TensorFlow writes modules to the temporary folder, imports and deletes them; what Python
    compiles of them would stay there.
    """
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


@contextmanager
def quiet(*streams: int) -> Iterator[None]:
    """Discard what anything in this process writes to the given file descriptors.

    Environment variables and logging levels do not reach every line of TensorFlow and
    TensorFlow Lite; the descriptors do.  Keep the block short: other threads are muted too.

    A descriptor that is closed stays closed afterwards.

    Args:
        streams: file descriptors; without any, 1 (stdout) and 2 (stderr).
    """
    with _LOCK:
        _flush()
        chosen = streams or (1, 2)
        closed = [stream for stream in chosen if not _is_open(stream)]
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in closed:  # first of all, lest a copy of another one takes its number
            os.dup2(nowhere, stream)
        saved = {stream: os.dup(stream) for stream in chosen}
        try:
            for stream in saved:
                os.dup2(nowhere, stream)
            yield
        finally:
            _flush()
            for stream, copy in saved.items():
                os.dup2(copy, stream)
                os.close(copy)
            for stream in {nowhere, *closed}:
                os.close(stream)


def _is_open(stream: int) -> bool:
    try:
        os.fstat(stream)
    except OSError:
        return False
    return True


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:
            with suppress(OSError):  # whoever writes next is told
                stream.flush()
