"""The filter as a whole: find the photos, scan them, keep what matches, write what is asked for."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from fer_mobile.errors import InputError
from fer_mobile.gallery.filter import copy_to as copy_photos
from fer_mobile.gallery.filter import count, matches, parse_show
from fer_mobile.gallery.rows import write_jsonl
from fer_mobile.gallery.scan import Progress, scan
from fer_mobile.gallery.store import ResultStore, default_path
from fer_mobile.images import find_photos
from fer_mobile.models import DEFAULT
from fer_mobile.pipeline import Pipeline, load_pipeline
from fer_mobile.types import PhotoResult

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FilterRun:
    """What `run_filter` found and wrote."""

    folder: Path
    show: tuple[str, ...]
    results: list[PhotoResult]
    """Every photo below the folder, in the order of its path."""
    matched: list[PhotoResult]
    counts: dict[str, int]
    """Photos by label, then "no face" and "failed"."""
    copies: list[Path]
    seconds: float
    """Wall time of the scan."""

    @property
    def rows(self) -> list[PhotoResult]:
        """The photos that match, and those that failed: nothing is left out in silence."""
        kept = {id(result) for result in self.matched}
        return [result for result in self.results if result.error or id(result) in kept]

    def as_dict(self) -> dict[str, Any]:
        """The run as `filter --json` prints it."""
        return {
            "folder": str(self.folder),
            "show": list(self.show),
            "photos": len(self.results),
            "matched": len(self.matched),
            "counts": self.counts,
            "seconds": round(self.seconds, 3),
            "rows": [result.as_dict() for result in self.rows],
        }


def run_filter(
    folder: str | Path,
    *,
    show: str | Iterable[str] | None = None,
    model: str | Path = DEFAULT,
    faces: str = "multiple",
    workers: int = 1,
    resume: bool = False,
    html: str | Path | None = None,
    jsonl: str | Path | None = None,
    copy_to: str | Path | None = None,
    min_confidence: float = 0.0,
    budget_s: float = 0.5,
    store: str | Path | None = None,
    progress: Progress | None = None,
) -> FilterRun:
    """Filter the photos below `folder` by expression; the photos themselves are only read.

    `show` holds the labels to show (comma-separated or a list; nothing: all photos).  Rows are
    kept in `store` (default: the user's cache folder) as they come; with `resume` those that
    are there are not computed again.  `html` gets the report of all photos with the filter on,
    `jsonl` the rows that match or failed, `copy_to` copies of the photos that match.
    Raises InputError when the folder is none, holds no photo, or no photo could be read, and
    for a wrong argument; a single bad photo is a row with its error.
    """
    folder = Path(folder)
    labels = parse_show(show)
    if not 0 <= min_confidence <= 1:
        raise InputError("min_confidence", expected="0 to 1", found=str(min_confidence))
    if workers < 1:
        raise InputError("workers", expected="1 or more", found=str(workers))
    paths = _photos(folder, None if copy_to is None else Path(copy_to))
    factory = partial(load_pipeline, model, faces=faces)
    pipeline = factory()
    every_face = faces == "each"

    started = time.perf_counter()
    with _open_store(store, pipeline.identity, needed=resume) as kept:
        results = list(
            scan(
                paths,
                factory if workers > 1 else lambda: pipeline,
                workers=workers,
                store=kept,
                resume=resume,
                progress=progress,
            )
        )
    seconds = time.perf_counter() - started
    if all(result.error for result in results):
        raise InputError(
            folder,
            expected="at least one photo that can be read",
            found=f"none among {len(results)}; the first says: {results[0].error}",
        )

    matched = [
        result
        for result in results
        if matches(result, labels, min_confidence, every_face=every_face)
    ]
    run = FilterRun(
        folder=folder,
        show=labels,
        results=results,
        matched=matched,
        counts=count(results, every_face=every_face),
        copies=[] if copy_to is None else copy_photos(matched, copy_to, root=folder),
        seconds=seconds,
    )
    if jsonl is not None:
        write_jsonl(run.rows, jsonl)
    if html is not None:
        from fer_mobile.gallery.report import write_report  # Jinja2 is for this alone.

        write_report(
            results,
            html,
            title=folder.resolve().name or str(folder),
            model=_model_line(pipeline),
            note=_note(workers, resume),
            root=folder,
            show=labels,
            min_confidence=min_confidence,
            every_face=every_face,
            budget_s=budget_s,
        )
    return run


def _open_store(
    path: str | Path | None, identity: str, *, needed: bool
) -> AbstractContextManager[ResultStore | None]:
    try:
        return ResultStore(path or default_path(), identity)
    except InputError as error:
        if needed or path is not None:
            raise
        logger.warning("This run cannot be resumed: %s", error)
        return nullcontext()


def _photos(folder: Path, copies: Path | None) -> list[Path]:
    """The photos below `folder`, without those below `copies` if that lies inside."""
    if not folder.is_dir():
        found = "a file" if folder.exists() else "no such folder"
        raise InputError(folder, expected="a folder of photos", found=found)
    paths = find_photos(folder)
    if copies is not None:
        inside = copies.resolve()
        if inside == folder.resolve():
            raise InputError(
                copies, expected="another folder to copy to", found="the photos' own folder"
            )
        paths = [path for path in paths if not path.resolve().is_relative_to(inside)]
    if not paths:
        raise InputError(
            folder,
            expected="photos (.jpg, .png, .webp and others)",
            found="none",
            todo="Name the folder that holds them; subfolders are searched too.",
        )
    return paths


def _note(workers: int, resume: bool) -> str:
    if resume:
        return "Photos of an earlier run show the times of that run."
    return f"Measured in this run on {workers} process{'' if workers == 1 else 'es'}."


def _model_line(pipeline: Pipeline) -> str:
    """What the report says of the model: its name, size and the accuracy its contract states."""
    contract = pipeline.classifier.contract
    parts = [
        f"{contract.name} {contract.precision}",
        f"{contract.parameters:,} parameters",
        f"{pipeline.classifier.size} px",
    ]
    measured = [f for f in contract.figures if f.precision == contract.precision]
    if measured:
        figures = measured[0]
        parts.append(
            f"accuracy {100 * figures.accuracy:.1f} %,"
            f" balanced {100 * figures.balanced_accuracy:.1f} %"
            f" ({figures.protocol} {figures.split}, {figures.n:,} faces)"
        )
    return " · ".join([*parts, f"faces by {pipeline.detector.name}"])
