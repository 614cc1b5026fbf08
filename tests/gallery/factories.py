"""Pipelines that worker processes can make: the real one, with one thing gone wrong."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

from fer_mobile.errors import ModelError
from fer_mobile.gallery.engines import PhotoPipeline
from fer_mobile.images import Photo
from fer_mobile.pipeline import load_pipeline
from fer_mobile.types import Detection, PhotoResult


def crashes_on_cat() -> PhotoPipeline:
    """A process that a photo kills, as a fault in a native decoder would."""
    pipeline = load_pipeline()

    def run(path: Path) -> PhotoResult:
        if path.name == "cat.png":
            os.kill(os.getpid(), signal.SIGKILL)
        return pipeline(path)

    return run


def stops_on_cat() -> PhotoPipeline:
    """A process that a photo brings to a halt."""
    pipeline = load_pipeline()

    def run(path: Path) -> PhotoResult:
        if path.name == "cat.png":
            os.kill(os.getpid(), signal.SIGSTOP)
        return pipeline(path)

    return run


def waits_on_cat() -> PhotoPipeline:
    """A photo that its thread does not come back from."""
    pipeline = load_pipeline()

    def run(path: Path) -> PhotoResult:
        if path.name == "cat.png":
            threading.Event().wait()
        return pipeline(path)

    return run


class WaitsOnce:
    """A detector that does not come back from its first photo."""

    name, identity, side = "waits once", "waits once 1", 640

    def __init__(self) -> None:
        self._has_waited = False

    def detect(self, photo: Photo) -> list[Detection]:
        if not self._has_waited:
            self._has_waited = True
            threading.Event().wait()
        return []


def crashes_once(marker: Path) -> PhotoPipeline:
    """A process that crashes over the first photo, of something that is gone the next time."""
    pipeline = load_pipeline()

    def run(path: Path) -> PhotoResult:
        if not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return pipeline(path)

    return run


def raises_on_cat() -> PhotoPipeline:
    pipeline = load_pipeline()

    def run(path: Path) -> PhotoResult:
        if path.name == "cat.png":
            raise MemoryError("no room for a cat")
        return pipeline(path)

    return run


def no_model() -> PhotoPipeline:
    raise ModelError("model 'x'", expected="a model", found="none")


def crashes_at_start() -> PhotoPipeline:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("never reached")


def refuses_to_work() -> PhotoPipeline:
    def run(path: Path) -> PhotoResult:
        raise AssertionError(f"{path} was computed again")

    return run
