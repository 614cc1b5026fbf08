"""What a large library costs: the gain of a second process, and memory that stays flat.

    FER_MOBILE_DATA=... python -m benchmarks.scale speed [--photos 2000] [--rounds 2]
    FER_MOBILE_DATA=... python -m benchmarks.scale memory [--photos 20000]

Result: benchmarks/results/scale_speed.json and results/scale_memory.json.

Photos are made from the shared ones, each encoded again with another quality, in a temporary
folder.  `speed` scans them on one and on two processes in turn (A B A B), and next to it has one
and two programs do the same work without anything in common, each on its share of the photos:
what that gains is what the machine can give.  `memory` filters 1,000 and then many photos,
each in a process of its own, and reads their peak resident memory.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from itertools import cycle
from pathlib import Path
from statistics import median

from PIL import Image

from benchmarks.result_files import write_row
from fer_mobile.gallery.engines import photo_row
from fer_mobile.gallery.scan import scan
from fer_mobile.gallery.store import ResultStore
from fer_mobile.images import find_photos
from fer_mobile.pipeline import load_pipeline

MAX_SIDE = 640
FEW = 1_000
FILTER = r"""
import atexit, re
from pathlib import Path
from fer_mobile.cli import main

def tell_peak():  # of this program; what wait4 tells counts the process it was forked from
    print(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])

atexit.register(tell_peak)
main()
"""


def make_library(folder: Path, count: int) -> list[Path]:
    """So many photos of different content."""
    sources = []
    for path in find_photos(Path(os.environ["FER_MOBILE_DATA"]) / "photos"):
        try:
            with Image.open(path) as source:
                source.draft("RGB", (MAX_SIDE, MAX_SIDE))
                source.thumbnail((MAX_SIDE, MAX_SIDE))
                sources.append(source.convert("RGB"))
        except Exception as error:
            print(f"left out: {path.name}: {error}", file=sys.stderr)
    folder.mkdir(parents=True)
    paths = [folder / f"{number:06}.jpg" for number in range(count)]
    for number, (path, image) in enumerate(zip(paths, cycle(sources), strict=False)):
        image.save(path, quality=95 - number // len(sources) % 90)
    return paths


def scan_rates(paths: list[Path], workers: int, store: Path) -> tuple[float, float]:
    """Photos a second: of the whole scan, and of its part after the first tenth."""
    stamps = [time.perf_counter()]
    with ResultStore(store, f"scale {workers} {time.time_ns()}") as kept:
        for _ in scan(paths, partial(load_pipeline), workers=workers, store=kept):
            stamps.append(time.perf_counter())
    tenth = len(paths) // 10
    whole = len(paths) / (stamps[-1] - stamps[0])
    return whole, (len(paths) - tenth) / (stamps[-1] - stamps[tenth])


def lone_rate(paths: list[Path]) -> float:
    """Photos a second of a program that shares nothing, after the first tenth."""
    pipeline = load_pipeline()
    tenth = len(paths) // 10
    for number, path in enumerate(paths):
        if number == tenth:
            start = time.perf_counter()
        photo_row(pipeline, path, keyed=True)
    return (len(paths) - tenth) / (time.perf_counter() - start)


def separate_rate(paths: list[Path], programs: int) -> float:
    """Photos a second of so many programs, each with its share of the photos."""
    with multiprocessing.get_context("spawn").Pool(programs) as pool:
        return sum(pool.map(lone_rate, [paths[n::programs] for n in range(programs)]))


def speed(photos: int, rounds: int) -> None:
    rates: dict[str, dict[int, list[float]]] = {
        name: {1: [], 2: []} for name in ("whole", "steady", "separate_programs")
    }
    with tempfile.TemporaryDirectory() as folder:
        paths = make_library(Path(folder) / "photos", photos)
        for _ in range(rounds):
            for workers in (1, 2):
                whole, steady = scan_rates(paths, workers, Path(folder) / "results.sqlite")
                rates["whole"][workers].append(whole)
                rates["steady"][workers].append(steady)
                rates["separate_programs"][workers].append(separate_rate(paths, workers))
    gains = {name: median(by[2]) / median(by[1]) for name, by in rates.items()}
    write_row(
        "scale_speed",
        {
            "protocol": f"{photos} photos of at most {MAX_SIDE} px, {rounds} rounds of one and two "
            "processes in turn, medians; steady: after the first tenth of the photos, when the "
            "processes have started; separate programs: the same work on shares of the photos, "
            "nothing in common, after the first tenth: what the machine can give",
            "load_average_1_min": round(os.getloadavg()[0], 2),
            "photos_per_second": {
                name: {str(n): round(median(values), 1) for n, values in by.items()}
                for name, by in rates.items()
            },
            "gain_of_the_second_process": {name: round(gain, 3) for name, gain in gains.items()},
            "steady_over_separate_programs": round(gains["steady"] / gains["separate_programs"], 3),
        },
    )


def peak_mb(library: Path, cache: Path, *options: str) -> float:
    """Peak resident memory of a filter run, in MB."""
    command = [sys.executable, "-c", FILTER, "filter", str(library), "--workers", "0", *options]
    environment = os.environ | {"FER_MOBILE_CACHE": str(cache)}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    return int(done.stdout.split()[-1]) / 1024


def memory(photos: int) -> None:
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_library(root / "few", FEW)
        many = make_library(root / "many", photos)
        for name, options in {
            "filter": ("--jsonl", str(root / "rows.jsonl")),
            "again, nothing computed": ("--jsonl", str(root / "rows.jsonl")),
            "again, with a report": ("--html", str(root / "report.html")),
        }.items():
            few = peak_mb(root / "few", root / "cache-few", *options)
            all_ = peak_mb(root / "many", root / "cache-many", *options)
            figures[name] = {
                f"{FEW}": round(few, 1),
                f"{len(many)}": round(all_, 1),
                "ratio": round(all_ / few, 3),
            }
    write_row(
        "scale_memory",
        {
            "protocol": f"fer-mobile filter on {FEW} and on {photos} photos of at most {MAX_SIDE} "
            "px, one process, peak resident memory in MB",
            "peak_mb": figures,
        },
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("speed")
    one.add_argument("--photos", type=int, default=2000)
    one.add_argument("--rounds", type=int, default=2)
    two = commands.add_parser("memory")
    two.add_argument("--photos", type=int, default=20_000)
    arguments = parser.parse_args()
    if arguments.command == "speed":
        speed(arguments.photos, arguments.rounds)
    else:
        memory(arguments.photos)


if __name__ == "__main__":
    main()
