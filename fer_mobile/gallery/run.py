"""A filter as a whole: scan a library, choose what matches, and give the rows to the sinks."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from fer_mobile.errors import InputError, check_choice
from fer_mobile.gallery.choices import ORDERS, Order
from fer_mobile.gallery.dates import date_taken
from fer_mobile.gallery.filter import ALL, Filter, count, parse_show
from fer_mobile.gallery.options import ScanOptions
from fer_mobile.gallery.rows import Rows
from fer_mobile.gallery.scan import LibraryScan, scan_library
from fer_mobile.gallery.sinks import RunInfo, Sink, write_rows
from fer_mobile.gallery.store import default_path
from fer_mobile.labels import MULTIPLE, UNSURE
from fer_mobile.notebook import html_table
from fer_mobile.pipeline import Pipeline
from fer_mobile.types import PhotoResult
from fer_mobile.walk import Skipped
from fer_mobile.wording import counted

logger = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class FilterRun:
    """What `filter_library` gave."""

    folder: Path
    query: Filter
    results: Rows
    """Every photo that was read, in the order that was asked for."""
    matched: Rows
    rows: Rows
    """The photos that match, and those that failed."""
    counts: dict[str, int]
    """Photos by label, then "no face" and "failed"."""
    seconds: float
    """Wall time of the scan."""
    skipped: Sequence[Skipped] = ()
    """Files and folders that were not read, with their reasons."""
    notes: list[str] = field(default_factory=list)
    """What was skipped, and what there is to know of the outputs, a line each."""
    unwritten: list[str] = field(default_factory=list)
    """What could not be put into a folder of copies or links or into a sidecar, and why, a line
    each."""

    def __repr__(self) -> str:
        return f"FilterRun({str(self.folder)!r}: {len(self.matched)} of {len(self.results)} match)"

    def _repr_html_(self) -> str:
        """The run as a notebook shows it: the photos under each label."""
        counts = [(key, n) for key, n in self.counts.items() if n]
        return html_table(("filed under", "photos"), counts, repr(self))

    def as_dict(self) -> dict[str, Any]:
        """The run as `filter --json` prints it."""
        return {
            "folder": str(self.folder),
            "show": list(self.query.show),
            "photos": len(self.results),
            "matched": len(self.matched),
            "counts": self.counts,
            "seconds": round(self.seconds, 3),
            "skipped": dict(Counter(each.reason for each in self.skipped)),
            "notes": self.notes,
            "unwritten": self.unwritten,
            "rows": [result.as_dict() for result in self.rows],
        }


def filter_library(
    folder: str | Path,
    query: Filter = ALL,
    options: ScanOptions | None = None,
    sinks: Sequence[Sink] = (),
    *,
    sort: Order = "name",
    progress: Progress = lambda what, done, total: None,
) -> FilterRun:
    """Filter the photos below `folder` by expression; the photos themselves are only read.

    Args:
        folder: searched with its subfolders.
        query: what a photo must be to match.  With `every_face` here, or `faces` "each" in the
            options, every face counts.
        options: which photos are read, and how; None: the defaults.
        sinks: where the rows go.
        sort: the order of the rows.
        progress: called with (what is done, photos done, all photos) after every photo.

    Raises InputError when the folder is none or holds no photo, for a wrong argument, and, after
    the outputs have been written, when one of them could not be or no photo could be read.  A
    single bad photo is a row with its error.
    """
    check_choice("sort", sort, ORDERS)
    outputs = [folder for sink in sinks for folder in sink.folders]
    query, options = _as_one(query, options or ScanOptions())
    scan = scan_library(
        folder, options, outputs=outputs, progress=partial(progress, "reading photos")
    )
    labels = tuple(scan.pipeline.classifier.labels)
    query = replace(query, show=parse_show(query.show, labels))
    _check_sinks(scan, sinks)
    started = time.perf_counter()
    results = Rows(scan)
    seconds = time.perf_counter() - started
    if sort != "name":  # Photos are scanned in the order of their names.
        keys = [_sort_key(result, sort, query) for result in results]
        results = results.pick(sorted(range(len(results)), key=keys.__getitem__))
    run = FilterRun(
        folder=scan.folder,
        query=query,
        results=results,
        matched=results.pick(n for n, result in enumerate(results) if query.matches(result)),
        rows=results.pick(
            n for n, result in enumerate(results) if result.error or query.matches(result)
        ),
        counts=count(results, labels=labels, every_face=query.every_face),
        seconds=seconds,
        skipped=scan.skipped,
        notes=scan.notes,
    )
    info = RunInfo(
        results=results,
        folder=scan.folder,
        query=query,
        faces=scan.options.faces,
        labels=labels,
        emoji=scan.pipeline.classifier.contract.emoji,
        model=_model_line(scan.pipeline),
        timing=_timing_line(scan.options),
    )
    del scan  # of a large library a tenth of all memory
    _write(info, sinks, run, progress)
    if all(result.error for result in results):
        raise InputError(
            folder,
            expected="at least one photo that can be read",
            found=f"none among {len(results)}; the first says: {results[0].error}",
        )
    return run


def _as_one(query: Filter, options: ScanOptions) -> tuple[Filter, ScanOptions]:
    """Both, with every face to count in both or in neither.

    Raises InputError for a filter that the options leave without effect or without a photo.
    """
    if query.every_face and options.faces == "largest":
        raise InputError("faces", expected="each, where every face counts", found="largest")
    if query.every_face:
        options = replace(options, faces="each")
    query = replace(query, every_face=options.faces == "each")
    show = {word.strip().lower() for word in query.show}
    if query.match == "all" and not query.every_face:
        raise InputError(
            "match",
            expected="any, unless every face counts",
            found="all",
            hint='Let every face count: `faces="each"`.',
        )
    if MULTIPLE in show and options.faces != "multiple":
        raise InputError(
            "show",
            expected='labels of faces, with `faces="each"` and `faces="largest"`',
            found=MULTIPLE,
        )
    if UNSURE in show and not options.min_quality:
        raise InputError(
            "show",
            expected="a label that photos can have",
            found=f"{UNSURE}, which none is without a least quality",
            hint="Set one: `min_quality=0.5`.",
        )
    return query, options


def _check_sinks(scan: LibraryScan, sinks: Sequence[Sink]) -> None:
    """Raise InputError where a sink would write over what is read, or over another sink."""
    options = scan.options
    used = (options.model, options.detector_model, options.boxes, options.store or default_path())
    inputs = [*scan.photos, *(Path(path) for path in used if isinstance(path, str | Path))]
    targets: dict[Path, Sink] = {}
    for sink in sinks:
        sink.check(scan.folder, inputs)
        target = sink.path.resolve()
        other = targets.setdefault(target, sink)
        if other is not sink and not target.is_char_device():
            raise InputError(
                sink.path,
                expected=f"a place of their own for the {sink.what}",
                found=f"that of the {other.what}",
            )


def _write(info: RunInfo, sinks: Sequence[Sink], run: FilterRun, progress: Progress) -> None:
    """Give the rows to every sink; the first that fails is raised after the others are written."""
    failures: list[InputError] = []
    for sink in sinks:
        try:
            write_rows(sink, info, partial(progress, f"writing the {sink.what}"))
        except InputError as error:
            failures.append(error)
        run.notes.extend(sink.notes)
        run.unwritten.extend(sink.unwritten)
    for failure in failures[1:]:
        logger.warning("%s", failure)
    if failures:
        raise failures[0]


def _sort_key(result: PhotoResult, order: Order, query: Filter) -> float | datetime:
    if order == "date":
        return date_taken(result.path) or datetime.max
    return -query.confidence(result)


def _timing_line(options: ScanOptions) -> str:
    if options.resume:
        return "Photos of an earlier run show the times of that run."
    processes = max(1, options.workers)
    return f"Measured in this run on {counted(processes, 'process', 'processes')}."


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
            f"accuracy {figures.accuracy:.1%},"
            f" balanced {figures.balanced_accuracy:.1%}"
            f" ({figures.protocol} {figures.split}, {figures.n:,} faces)"
        )
    return " · ".join([*parts, f"faces by {pipeline.detector.name}"])
