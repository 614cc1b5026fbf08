"""What a Python peer's worker is told and answers; it runs in the peer's own environment.

Times are the processor's: on one core that is otherwise idle they are what a clock shows, and
other programs do not change them.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

JOB = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
WARM_UP = 10
PHOTO_PASSES = 3


def work(
    load: Callable[[], object],
    classify: Callable[[object, np.ndarray], str] | None,
    analyse: Callable[[object, str], list[str | None]],
) -> None:
    """Do the job that is named on the command line.

    `load` makes the peer ready, `classify` gives the label of a uint8 gray face [48, 48]
    (None for a peer that only detects) and `analyse` the label of every face of a photo.
    """
    peer = load()
    analyse(peer, JOB["first_photo"])
    cold_start = {
        "wall_ms": (time.monotonic_ns() - int(JOB["started"])) / 1e6,
        "cpu_ms": time.process_time_ns() / 1e6,
    }

    labels, face_ms = [], []
    if classify is not None:
        faces = np.fromfile(JOB["faces"], np.uint8).reshape(-1, JOB["side"], JOB["side"])
        for face in faces[:WARM_UP]:
            classify(peer, face)
        for face in faces:
            start = time.process_time_ns()
            labels.append(classify(peer, face))
            face_ms.append((time.process_time_ns() - start) / 1e6)

    photos: list[list[str | None]] = []
    photo_ms: list[list[float]] = [[] for _ in JOB["photos"]]
    for _ in range(PHOTO_PASSES):
        photos = []
        for path, ms in zip(JOB["photos"], photo_ms, strict=True):
            start = time.process_time_ns()
            photos.append(analyse(peer, path))
            ms.append((time.process_time_ns() - start) / 1e6)
    answer = {
        "cold_start": cold_start,
        "labels": labels,
        "face_ms": face_ms,
        "photos": photos,
        "photo_ms": [statistics.median(ms) for ms in photo_ms],
    }
    Path(JOB["answer"]).write_text(json.dumps(answer), encoding="utf-8")
