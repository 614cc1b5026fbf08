"""What becomes of the labels of photos that are turned, tilted, dark, blurred, small or covered.

    FER_MOBILE_DATA=... python -m benchmarks.robustness NAME [--models MODEL ...] [--min-quality Q]
    python -m benchmarks.robustness NAME --chart-against BEFORE

Result: benchmarks/results/robustness_NAME.jsonl, a row for each model and each change; the second
form measures nothing and draws robustness.png from two such files.

Photos: the bundled ones with a face, and the shared ones whose number of faces is certain (of
the congress portraits every fifth), with a longest side of at most 1280 px.  Each face that the
shipped detector finds is looked for again in the changed photo, at the place where it is now:
its label is kept, changed, unsure (with `--min-quality`), or the face is lost.  Surely changed
is a changed label with a confidence of 0.8 or more.  What is compared is the pipeline with
itself: nothing is said of whether the label was right.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from matplotlib.figure import Figure

from benchmarks.intervals import wilson
from benchmarks.photo_changes import CHANGES, Change, Changed
from benchmarks.result_files import RESULTS, read_rows, write_rows
from fer_mobile.arrays import Pixels
from fer_mobile.detect.scale import shrink
from fer_mobile.files import replace_file
from fer_mobile.images import load_photo
from fer_mobile.pipeline import Pipeline, load_pipeline
from fer_mobile.resources import photos_dir
from fer_mobile.types import Box, Face
from tools.made_photos import certain_photos

MODELS: Final = ("compact", "xcao_two_stream")
SURE: Final = 0.8
LONGEST_SIDE: Final = 1280
EVERY: Final = 5
"""Of the congress portraits, which are much alike, one in so many is used."""


@dataclass(frozen=True)
class Reference:
    """A photo as it is, and what the pipeline says of it."""

    rgb: Pixels
    faces: tuple[Face, ...]


def references(pipeline: Pipeline, paths: Sequence[Path]) -> list[Reference]:
    """The photos in which a face is found."""
    photos = (
        shrink(load_photo(path, min_long_side=LONGEST_SIDE).rgb, LONGEST_SIDE) for path in paths
    )
    read = [Reference(rgb, pipeline(rgb).faces) for rgb in photos]
    return [photo for photo in read if photo.faces]


def photo_sets() -> dict[str, list[Path]]:
    """The paths of each set."""
    shared = [p for p in certain_photos() if p.faces and "EXIF" not in p.tags]
    congress = [p for p in shared if p.name.startswith("congress/")]
    others = [p for p in shared if p not in congress]
    return {
        "bundled": [p.path for p in certain_photos(photos_dir()) if p.faces],
        "shared": [p.path for p in [*others, *congress[::EVERY]]],
    }


def outcomes(pipeline: Pipeline, photo: Reference, change: Change) -> Iterator[str]:
    """What became of each face of a photo."""
    changed = change(photo.rgb, [face.box for face in photo.faces])
    faces = pipeline(changed.rgb).faces
    for face in photo.faces:
        now = find_again(face.box, changed, faces)
        if now is None:
            yield "lost"
        elif now.label is None:
            yield "unsure"
        elif now.label == face.label:
            yield "kept"
        else:
            yield "surely changed" if (now.confidence or 0) >= SURE else "changed"


def find_again(box: Box, changed: Changed, faces: Sequence[Face]) -> Face | None:
    """The face nearest to where a box is now, if it lies within half of its size."""
    x, y = changed.place(box)

    def away(face: Face) -> float:
        there = face.box
        return math.hypot(there.x + there.width / 2 - x, there.y + there.height / 2 - y)

    nearest = min(faces, key=away, default=None)
    return nearest if nearest and away(nearest) <= changed.size_of(box) / 2 else None


def measure(
    pipeline: Pipeline, photos: Sequence[Reference], changes: Sequence[Change]
) -> dict[str, Any]:
    """Shares of the faces, each with its 95% interval (Wilson's)."""
    counts = Counter(
        outcome
        for photo in photos
        for change in changes
        for outcome in outcomes(pipeline, photo, change)
    )
    n = counts.total()
    found = {
        "kept": counts["kept"],
        "changed": counts["changed"] + counts["surely changed"],
        "surely_changed": counts["surely changed"],
        "unsure": counts["unsure"],
        "lost": counts["lost"],
    }
    return {
        "photos": len(photos) * len(changes),
        "faces": n,
        **found,
        "share": {name: round(count / n, 4) for name, count in found.items()},
        "interval": {name: wilson(count, n) for name, count in found.items()},
    }


def measure_all(model: str, min_quality: float) -> Iterator[dict[str, Any]]:
    """A row for every change and set of photos."""
    sets = {name: references(load_pipeline(model), paths) for name, paths in photo_sets().items()}
    pipeline = load_pipeline(model, min_quality=min_quality)
    for kind, strengths in CHANGES.items():
        for strength, changes in strengths.items():
            for name, photos in sets.items():
                yield {
                    "command": " ".join(["python -m benchmarks.robustness", *sys.argv[1:]]),
                    "pipeline": pipeline.identity,
                    "graph": pipeline.classifier.contract.model_sha256,
                    "model": model,
                    "min_quality": min_quality,
                    "set": name,
                    "change": kind,
                    "strength": strength,
                    **measure(pipeline, photos, changes),
                }


OUTCOMES: Final = {
    "kept": "#2a9d5c",
    "unsure": "#b9c0c9",
    "lost": "#e6e9ed",
    "changed": "#f4b183",
    "surely_changed": "#d7301f",
}
"""What is drawn of a row, in this order, with its colour; surely changed is part of changed."""


def shares(rows: Sequence[dict[str, Any]], change: str, strength: str) -> list[float]:
    """The share of each of `OUTCOMES` under a change, of all sets together."""
    chosen = [row for row in rows if (row["change"], row["strength"]) == (change, strength)]
    faces = sum(row["faces"] for row in chosen)
    share = {name: sum(row.get(name, 0) for row in chosen) / faces for name in OUTCOMES}
    share["changed"] -= share["surely_changed"]
    return list(share.values())


def draw(before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]) -> None:
    """Two bars for each change, that of `before` above that of `after`."""
    changes = list(dict.fromkeys((row["change"], row["strength"]) for row in after))
    figure = Figure(figsize=(7, 0.27 * len(changes) + 1), layout="constrained")
    axis = figure.subplots()
    for rows, offset in ((before, -0.2), (after, 0.2)):
        values = 100 * np.array([shares(rows, *change) for change in changes])
        starts = np.cumsum(values, axis=1) - values
        for column, (name, colour) in enumerate(OUTCOMES.items()):
            axis.barh(
                np.arange(len(changes)) + offset, values[:, column], 0.36, starts[:, column],
                color=colour, label=name.replace("_", " ") if offset < 0 else None,
            )  # fmt: skip
    axis.set_yticks(range(len(changes)), [" ".join(change) for change in changes], fontsize=8)
    axis.set_ylim(len(changes) - 0.5, -0.5)
    axis.set_xlim(0, 100)
    axis.set_xlabel("% of the faces; above before, below after")
    figure.legend(loc="outside upper center", ncols=len(OUTCOMES), fontsize=8)
    replace_file(RESULTS / "robustness.png", lambda part: figure.savefig(part, dpi=90))


def rows_of(name: str, model: str) -> list[dict[str, Any]]:
    """The rows of a result about one model."""
    return [row for row in read_rows("robustness", of=name) if row["model"] == model]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", help="of the result, for instance what was changed")
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--min-quality", type=float, default=0.0)
    parser.add_argument("--chart-against", metavar="BEFORE")
    args = parser.parse_args()
    if args.chart_against:
        draw(rows_of(args.chart_against, args.models[0]), rows_of(args.name, args.models[0]))
        return
    cv2.setNumThreads(1)
    rows = [row for model in args.models for row in measure_all(model, args.min_quality)]
    write_rows("robustness", rows, of=args.name)


if __name__ == "__main__":
    main()
