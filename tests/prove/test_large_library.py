"""A large library with broken photos, read by processes that are killed again and again."""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from fer_mobile.gallery.scan import scan
from fer_mobile.gallery.store import ResultStore
from fer_mobile.pipeline import load_pipeline
from fer_mobile.types import PhotoResult
from tests.gallery.conftest import bundled

PHOTOS = 10_000
BROKEN_SHARE = 0.05
KILL_EVERY_S = 30.0
SIDE = 640


def make_library(folder: Path, numbers: Iterator[int]) -> dict[Path, bytes | None]:
    """Photos of contents that all differ, each with the photo that it shows; None where broken."""
    sources = []
    for number, path in enumerate(bundled()):
        with Image.open(path) as image:
            image.thumbnail((SIDE, SIDE))
            image.convert("RGB").save(folder / f"source-{number}.jpg", quality=85)
        sources.append((folder / f"source-{number}.jpg").read_bytes())
    choose = random.Random(10)
    shown: dict[Path, bytes | None] = {}
    for number in numbers:
        path = folder / str(number // 1000) / f"{number:05}.jpg"
        path.parent.mkdir(exist_ok=True)
        source = sources[number % len(sources)]
        content = source + number.to_bytes(8)  # which no decoder looks at
        shown[path] = source
        if choose.random() < BROKEN_SHARE:
            half, header = source[: len(source) // 2], source[:40]
            content = choose.choice([b"", b"no photo", half, header, bytes(5000)])
            shown[path] = None
        path.write_bytes(content)
    return shown


@contextmanager
def killing_workers() -> Iterator[list[int]]:
    """Kill a worker every `KILL_EVERY_S` seconds; the list has those that were."""
    killed: list[int] = []
    end = threading.Event()

    def kill() -> None:
        while not end.wait(KILL_EVERY_S):
            if workers := multiprocessing.active_children():
                victim = random.choice(workers)
                os.kill(victim.pid or 0, signal.SIGKILL)
                killed.append(victim.pid or 0)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        end.set()
        thread.join()


def facts(row: PhotoResult) -> dict[str, object]:
    return {k: v for k, v in row.as_dict().items() if k not in ("path", "stages")}


@pytest.mark.prove
def test_broken_photos_and_killed_workers_lose_no_other_photo(
    tmp_path, own_cache, rounds, record_property
):
    shown = make_library(tmp_path, iter(range(PHOTOS)))
    pipeline = load_pipeline()
    expected = {source: facts(pipeline(source)) for source in {*shown.values()} if source}
    photos = broken = 0
    longest_ms = 0.0
    with ResultStore(tmp_path / "r.sqlite", "p") as store, killing_workers() as killed:
        rows = scan([*shown], load_pipeline, workers=2, store=store)
        for _, (path, source), row in zip(rounds(PHOTOS), shown.items(), rows, strict=False):
            photos += 1
            assert row.path == str(path)
            if source is None:
                broken += 1
                assert row.error, path
            else:
                assert facts(row) == expected[source], path
                longest_ms = max(longest_ms, row.stages["total"])
        rows.close()
        assert len(store) >= photos - broken
    record_property("photos", photos)
    record_property("of them broken", broken)
    record_property("workers killed", len(killed))
    record_property("longest photo, s", round(longest_ms / 1000, 2))
    processes = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    peak = max(resource.getrusage(who).ru_maxrss for who in processes)
    record_property("peak memory of a process, MB", round(peak / 1024))
