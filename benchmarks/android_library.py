"""What the Android library costs, on this machine's JVM.

    android_demo/offline/build.py test ConsumersTest && python -m benchmarks.android_library

Result: benchmarks/results/android_library.jsonl.

From `Fer.create` to the label of the first photo, in a process that has run other tests, and the
bundled photos a second after that: `compact` int8, two threads, Robolectric's decoder and the app's
own TensorFlow Lite library.
"""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.result_files import write_rows

FIGURES = Path(__file__).parents[1] / "android_demo/build/offline/library.json"


def main() -> None:
    figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    row = {"model": "compact", "precision": "int8", "threads": 2, "photos": 25}
    rounded = {name: round(value, 1) for name, value in figures.items()}
    write_rows("android_library", [row | rounded])
    print(rounded)


if __name__ == "__main__":
    main()
