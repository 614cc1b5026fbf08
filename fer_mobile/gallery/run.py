"""The filter as a whole: find the photos, scan them, keep what matches, write what is asked for."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from fer_mobile.errors import InputError, choose
from fer_mobile.gallery.dates import date_taken, parse_period, taken_within
from fer_mobile.gallery.filter import Filter, count, parse_show
from fer_mobile.gallery.place import LINKS, copy, place
from fer_mobile.gallery.rows import Rows, write_csv, write_jsonl
from fer_mobile.gallery.scan import scan
from fer_mobile.gallery.sidecars import write_sidecars
from fer_mobile.gallery.store import ResultStore, default_path
from fer_mobile.images import find_photos
from fer_mobile.models import DEFAULT
from fer_mobile.pipeline import Pipeline, load_pipeline, photo_label
from fer_mobile.types import FacesMode, PhotoResult

logger = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]


def _by_confidence(result: PhotoResult) -> float:
    return -(result.confidence or 0.0)


def _by_date(result: PhotoResult) -> datetime:
    return date_taken(result.path) or datetime.max


ORDERS: Final[dict[str, Callable[[PhotoResult], Any]]] = {
    "name": lambda result: 0,  # Sorting is stable, and the photos were found in this order.
    "confidence": _by_confidence,
    "date": _by_date,
}
"""What rows are sorted by."""


@dataclass(frozen=True, slots=True)
class FilterRun:
    """What `run_filter` found and wrote."""

    folder: Path
    query: Filter
    results: Rows
    """Every photo that was looked at, in the order that was asked for."""
    matched: Rows
    rows: Rows
    """The photos that match, and those that failed: nothing is left out in silence."""
    counts: dict[str, int]
    """Photos by label, then "no face" and "failed"."""
    seconds: float
    """Wall time of the scan."""
    copies: list[Path] = field(default_factory=list)
    links: list[Path] = field(default_factory=list)
    sidecars: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What was left out or left alone, a line each."""

    def as_dict(self) -> dict[str, Any]:
        """The run as `filter --json` prints it."""
        return {
            "folder": str(self.folder),
            "show": list(self.query.show),
            "photos": len(self.results),
            "matched": len(self.matched),
            "counts": self.counts,
            "seconds": round(self.seconds, 3),
            "notes": self.notes,
            "rows": [result.as_dict() for result in self.rows],
        }


def run_filter(
    folder: str | Path,
    *,
    show: str | Iterable[str] | None = None,
    min_confidence: float = 0.0,
    faces: FacesMode = "multiple",
    match: str = "any",
    since: str | None = None,
    until: str | None = None,
    sort: str = "name",
    model: str | Path = DEFAULT,
    workers: int = 1,
    engine: str = "processes",
    resume: bool = True,
    html: str | Path | None = None,
    jsonl: str | Path | None = None,
    csv: str | Path | None = None,
    copy_to: str | Path | None = None,
    link_to: str | Path | None = None,
    link: str = "symbolic",
    write_xmp: bool = False,
    budget_s: float = 0.5,
    store: str | Path | None = None,
    progress: Progress = lambda what, done, total: None,
    **pipeline_options: Any,
) -> FilterRun:
    """Filter the photos below `folder` by expression; the photos themselves are only read.

    Args:
        folder: searched with its subfolders.
        show: labels to show, comma-separated or a list (see `parse_show`); nothing: all photos.
        min_confidence: 0 to 1, what a label must have to count.
        faces: what a photo with several faces is filed under (see `Pipeline`); with "each" every
            face counts.
        match: with "each", whether "any" face or "all" must match.
        since: first year, month or day (2024, 2024-05, 2024-05-31) by EXIF; with `since` or
            `until` a photo that does not say when it was taken is left out.
        until: last year, month or day.
        sort: order of the rows: "name", "confidence" (the surest first) or "date" (the oldest
            first); photos without one come last.
        model: a shipped model's name or a `.tflite` file.
        workers: processes of this machine.
        engine: "processes", or "ray" for a cluster (see `gallery.ray_engine`).
        resume: take the rows that earlier runs kept, instead of computing them again.
        html: where the report of all photos goes, with the filter on.
        jsonl: where the rows that match or failed go, one JSON document a line.
        csv: where the same rows go as a table.
        copy_to: a folder for copies of the photos that match.
        link_to: a folder for links to them.
        link: "symbolic" or "hard".
        write_xmp: write the labels of those that match into XMP sidecars.
        budget_s: seconds a photo may take, for the report's verdict.
        store: the file that keeps the rows; default: in the user's cache folder.
        progress: called with (what is done, photos done, all photos) after every photo.
        pipeline_options: further arguments of `load_pipeline`.

    Raises InputError when the folder is none, holds no photo, or no photo could be read, and
    for a wrong argument; a single bad photo is a row with its error.
    """
    folder = Path(folder)
    query = Filter(parse_show(show), min_confidence, every_face=faces == "each", match=match)
    first, last = parse_period("since", since), parse_period("until", until)
    order = choose("order", sort, ORDERS)
    linking = choose("kind of link", link, LINKS)
    if workers < 1:
        raise InputError("workers", expected="1 or more", found=str(workers))
    paths = _photos(folder, [Path(out) for out in (copy_to, link_to) if out is not None])
    notes = []
    if first or last:
        paths, undated = taken_within(paths, first, last)
        if undated:
            notes.append(f"{undated} photos were left out: their EXIF holds no date.")
        if not paths:
            raise InputError(
                folder,
                expected=f"photos taken from {since or 'ever'} to {until or 'now'}",
                found="none",
                hint=" ".join(notes),
            )
    factory = partial(load_pipeline, model, faces=faces, **pipeline_options)
    pipeline = factory()

    started = time.perf_counter()
    with _open_store(store, pipeline.identity) as kept:
        found = scan(
            paths,
            factory if workers > 1 or engine != "processes" else lambda: pipeline,
            workers=workers,
            engine=engine,
            store=kept,
            resume=resume,
            progress=partial(progress, "reading photos"),
        )
        results = Rows(_labelled(result, pipeline.faces) for result in found)
    seconds = time.perf_counter() - started
    del paths  # of a large library a tenth of all memory
    if all(result.error for result in results):
        raise InputError(
            folder,
            expected="at least one photo that can be read",
            found=f"none among {len(results)}; the first says: {results[0].error}",
        )

    results = results.pick(sorted(range(len(results)), key=[*map(order, results)].__getitem__))
    matched = results.pick(n for n, result in enumerate(results) if query.matches(result))
    rows = results.pick(
        n for n, result in enumerate(results) if result.error or query.matches(result)
    )
    if jsonl is not None:
        write_jsonl(rows, jsonl)
    if csv is not None:
        write_csv(rows, csv)
    copies = [] if copy_to is None else place(matched, copy_to, copy, root=folder)
    links = [] if link_to is None else place(matched, link_to, linking, root=folder)
    sidecars: list[Path] = []
    if write_xmp:
        sidecars, left = write_sidecars(matched, every_face=query.every_face)
        notes += left
    if html is not None:
        from fer_mobile.gallery.report import write_report  # Jinja2 is for this alone.

        write_report(
            results,
            html,
            title=folder.resolve().name or str(folder),
            model=_model_line(pipeline),
            note=_note(workers, resume),
            root=folder,
            query=query,
            budget_s=budget_s,
            progress=partial(progress, "making thumbnails"),
        )
    return FilterRun(
        folder=folder,
        query=query,
        results=results,
        matched=matched,
        rows=rows,
        counts=count(results, every_face=query.every_face),
        seconds=seconds,
        copies=copies,
        links=links,
        sidecars=sidecars,
        notes=notes,
    )


def _labelled(result: PhotoResult, mode: FacesMode) -> PhotoResult:
    """The row with the label of this mode: that of an earlier run may have another."""
    label, confidence = photo_label(result.faces, mode)
    return replace(result, label=label, confidence=confidence)


def _open_store(
    path: str | Path | None, identity: str
) -> AbstractContextManager[ResultStore | None]:
    try:
        return ResultStore(path or default_path(), identity)
    except InputError as error:
        if path is not None:
            raise
        logger.warning("Nothing is kept of this run: %s", error)
        return nullcontext()


def _photos(folder: Path, outputs: list[Path]) -> list[Path]:
    """The photos below `folder`, without those below `outputs` where these lie inside."""
    if not folder.is_dir():
        found = "a file" if folder.exists() else "no such folder"
        raise InputError(folder, expected="a folder of photos", found=found)
    inside = [output.resolve() for output in outputs]
    for output in outputs:
        if output.resolve() == folder.resolve():
            raise InputError(
                output, expected="another folder to put photos into", found="the photos' own folder"
            )
    paths = [
        path
        for path in find_photos(folder)
        if not inside or not any(path.parent.resolve().is_relative_to(out) for out in inside)
    ]
    if not paths:
        raise InputError(
            folder,
            expected="photos (.jpg, .png, .webp and others)",
            found="none",
            hint="Name the folder that holds them; subfolders are searched too.",
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
