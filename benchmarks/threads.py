"""Photos a second where threads share one pipeline, and where each has one of its own.

    python -m benchmarks.threads

Result: benchmarks/results/threads.jsonl.

The bundled photos, over and over; the median of `ROUNDS` rounds.  A round has each photo once for
every thread there may be, so that all of them have the same work.
"""

from __future__ import annotations

import json
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from benchmarks.result_files import write_rows
from fer_mobile.images import find_photos
from fer_mobile.pipeline import Pipeline, load_pipeline
from fer_mobile.resources import photos_dir

THREADS: Final = (1, 2, 4)
ROUNDS: Final = 5


def photos_a_second(threads: int, paths: list[Path], *, shared: bool) -> float:
    """Of one pipeline for all `threads`, or of one for each."""
    common = load_pipeline()
    local = threading.local()

    def pipeline() -> Pipeline:
        if shared:
            return common
        if not hasattr(local, "pipeline"):
            local.pipeline = load_pipeline()
        own: Pipeline = local.pipeline
        return own

    rates = []
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(ROUNDS + 1):
            start = time.perf_counter()
            results = list(pool.map(lambda path: pipeline()(path), paths))
            rates.append(len(results) / (time.perf_counter() - start))
    return statistics.median(rates[1:])  # the first round makes the pipelines


def main() -> None:
    """Print the rows and keep them."""
    paths = find_photos(photos_dir()) * max(THREADS)
    rows = [
        {
            "threads": threads,
            "pipelines": "one shared" if shared else "one a thread",
            "photos_per_second": round(photos_a_second(threads, paths, shared=shared), 1),
            "photos": len(paths),
            "rounds": ROUNDS,
        }
        for threads in THREADS
        for shared in (True, False)
    ]
    print("\n".join(json.dumps(row) for row in rows))
    write_rows("threads", rows)


if __name__ == "__main__":
    main()
