"""What 10,000 photos cost the gallery app, on this machine's JVM.

    android_demo/offline/build.py core && android_demo/offline/build.py test ResultsTest
    python -m benchmarks.android_gallery

Result: benchmarks/results/android_gallery.jsonl, a row for the steps and one for the screen.

Of each step of the state machine, what the main thread allocates and how long it takes.  Of the
screen under Robolectric: reading 10,000 results from the store, which another thread does, and
scrolling by a page of photos.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.result_files import write_rows

FOLDER = Path(__file__).parents[1] / "android_demo/build/offline"


def main() -> None:
    steps = _read("gallery_steps.json")
    rounded = {name: {**cost, "ms": round(cost["ms"], 2)} for name, cost in steps.items()}
    screen = {name: round(value, 2) for name, value in _read("gallery_screen.json").items()}
    rows = [{"photos": 10_000, "steps": rounded}, {"photos": 10_000, "screen": screen}]
    write_rows("android_gallery", rows)
    print(json.dumps(rows, indent=1))


def _read(name: str) -> dict[str, Any]:
    return dict(json.loads((FOLDER / name).read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
