"""Time and memory of `data crop` and `data inspect`.

    FER_MOBILE_DATA=... python -m benchmarks.data_preparation

Result: benchmarks/results/data_preparation.jsonl.

crop: the bundled photos with their longer side at 640 px, as JPEG, several times.  inspect: 36,000
gray 48×48 PNG files in a folder for each label, FER2013's of train and valid and as many of them
mirrored as are missing.  Each runs in a process of its own, on one thread; the files are in the
page cache.  Seconds are of the processor, the least of three runs; memory is the peak of resident
pages.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from benchmarks.result_files import write_rows
from fer_mobile.data import load_dataset
from fer_mobile.images import find_photos
from fer_mobile.prepare import crop_faces, inspect_dataset
from fer_mobile.resources import photos_dir

SIDE: Final = 640
TIMES: Final = 8
"""So often each bundled photo is cropped."""
FACES: Final = 36_000


def write_photos(folder: Path) -> None:
    """The bundled photos at `SIDE` px, several times."""
    for path in find_photos(photos_dir()):
        with Image.open(path) as photo:
            small = photo.convert("RGB")
        scale = SIDE / max(small.size)
        small = small.resize((round(small.width * scale), round(small.height * scale)))
        for number in range(TIMES):
            small.save(folder / f"{path.stem}-{number}.jpg", quality=90)


def write_faces(folder: Path) -> None:
    """`FACES` faces in a folder for each label."""
    data = load_dataset(split="all", protocol="fer2013")
    faces = np.asarray(data.images)
    images = np.concatenate([faces, faces[:, :, ::-1]])[:FACES]
    labels = np.concatenate([data.labels, data.labels])[:FACES]
    for name in data.names:
        (folder / name).mkdir()
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        Image.fromarray(image).save(folder / data.names[label] / f"{number}.png")


def work(what: str, folder: str) -> dict[str, Any]:
    """Crop or inspect a folder, in this process."""
    runs = []
    for _ in range(3):
        started = time.process_time()
        if what == "crop":
            with tempfile.TemporaryDirectory() as out:
                report = crop_faces(folder, Path(out) / "faces")
            items, found = report.photos, {"faces": report.faces}
        else:
            inspection = inspect_dataset(folder)
            items, found = inspection.faces, {"near_copies": inspection.near_copies}
        runs.append(round(time.process_time() - started, 2))
    return {
        "command": f"data {what}",
        "items": items,
        **found,
        "processor_s": runs,
        "items_per_processor_s": round(items / min(runs), 1),
        "load": round(os.getloadavg()[0], 1),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main() -> None:
    """Measure both, or with arguments one of them for the other process."""
    if len(sys.argv) > 1:
        print(json.dumps(work(*sys.argv[1:])))
        return
    rows = []
    for what, write in (("crop", write_photos), ("inspect", write_faces)):
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder))
            command = [sys.executable, "-m", "benchmarks.data_preparation", what, folder]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
        rows.append(json.loads(done.stdout.splitlines()[-1]))
        print(rows[-1], flush=True)
    write_rows("data_preparation", rows)


if __name__ == "__main__":
    main()
