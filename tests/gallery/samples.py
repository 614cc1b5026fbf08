"""Rows written by hand, for what depends on no model, and runs by names of their options."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fer_mobile.gallery.filter import Filter, parse_show
from fer_mobile.gallery.options import ScanOptions
from fer_mobile.gallery.run import FilterRun, filter_library
from fer_mobile.gallery.sinks import RunInfo, Sink, write_rows
from fer_mobile.labels import LABELS, MULTIPLE
from fer_mobile.types import Box, Face, PhotoResult


def face(label: str, confidence: float = 0.7, box: Box | None = None) -> Face:
    rest = (1 - confidence) / (len(LABELS) - 1)
    return Face(
        box=box or Box(10.0, 20.0, 30.0, 40.0),
        label=label,
        confidence=confidence,
        probabilities={name: confidence if name == label else rest for name in LABELS},
    )


def photo(path: object, *faces: Face, size: tuple[int, int] = (200, 250)) -> PhotoResult:
    """A row as the mode `multiple` gives it."""
    stages = {"decode": 3.0, "detect": 5.0}
    if faces:
        stages |= {"resize": 0.1, "gray": 0.1, "classify": 0.8}
    return PhotoResult(
        path=str(path),
        label=(MULTIPLE if len(faces) > 1 else faces[0].label) if faces else None,
        confidence=faces[0].confidence if len(faces) == 1 else None,
        faces=faces,
        size=size,
        stages=stages | {"total": sum(stages.values())},
    )


def failed(path: object) -> PhotoResult:
    return PhotoResult(path=str(path), error=f"{path}: expected a photo, found an empty file.")


def run_filter(
    folder: Path,
    sinks: Sequence[Sink] = (),
    *,
    show: str = "",
    min_confidence: float = 0.0,
    match: str = "any",
    sort: str = "name",
    **options: Any,
) -> FilterRun:
    """`filter_library`, with the options of the command line."""
    every_face = options.get("faces") == "each"
    query = Filter(parse_show(show or None), min_confidence, every_face, match)
    return filter_library(folder, query, ScanOptions(**options), sinks, sort=sort)


def write(
    sink: Sink, results: Sequence[PhotoResult], folder: Path | None = None, **run: Any
) -> Sink:
    """Give rows to a sink."""
    progress = run.pop("progress", lambda done, total: None)
    write_rows(sink, RunInfo(results, folder, **run), progress)
    return sink
