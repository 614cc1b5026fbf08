"""Every photo of a library through the pipeline: here, on several processes, or on a cluster."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from fer_mobile.errors import InputError
from fer_mobile.gallery.choices import Engine
from fer_mobile.gallery.dates import taken_within
from fer_mobile.gallery.engines import Job, PipelineFactory
from fer_mobile.gallery.engines.in_turn import in_turn
from fer_mobile.gallery.engines.processes import in_processes
from fer_mobile.gallery.options import ScanOptions
from fer_mobile.gallery.store import ResultStore, open_store
from fer_mobile.pipeline import Pipeline, relabelled
from fer_mobile.types import PhotoResult
from fer_mobile.walk import Skipped, walk_photos

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class LibraryScan:
    """The photos of a library; iterating gives a row for each, in the order of `photos`.

    Rows are computed, or taken from the store, when they are asked for.
    """

    folder: Path
    options: ScanOptions
    pipeline: Pipeline
    photos: Sequence[Path]
    """The photos to read, sorted."""
    skipped: Sequence[Skipped]
    """Files and folders that are not read, with their reasons (see `walk.walk_photos`)."""
    progress: Progress

    def __len__(self) -> int:
        return len(self.photos)

    def __iter__(self) -> Iterator[PhotoResult]:
        options = self.options
        with open_store(options.store, self.pipeline.identity) as store:
            rows = scan(
                self.photos,
                self._factory(),
                workers=options.workers,
                engine=options.engine,
                photo_timeout_s=options.photo_timeout_s,
                store=store,
                resume=options.resume,
                progress=self.progress,
            )
            for result in rows:
                # The row of an earlier run may have the labels of other options.
                yield relabelled(result, options.faces, options.min_quality)

    def _factory(self) -> PipelineFactory:
        make = self.options.pipeline_factory()
        if self.options.workers or self.options.engine != "processes":
            return make
        # Ours, and a new one after each photo that takes too long, which may hold on to it.
        pipelines = chain([self.pipeline], iter(make, None))
        return lambda: next(pipelines)

    @property
    def notes(self) -> list[str]:
        """What was skipped, in a line; or none."""
        return skipped_note(self.skipped)


def scan_library(
    folder: str | Path,
    options: ScanOptions | None = None,
    *,
    outputs: Iterable[str | Path] = (),
    progress: Progress = lambda done, total: None,
) -> LibraryScan:
    """The photos below `folder` and, when iterated over, what the pipeline says of each.

        for result in scan_library("photos"):
            print(result.path, result.label)

    A photo that cannot be read is a row with its `error`.  The photos are only read.

    Args:
        folder: searched with its subfolders (see `walk.walk_photos`).
        options: how; None: the defaults.
        outputs: folders that are not searched, because the caller writes to them.
        progress: called with the photos done and all photos after every photo.

    Raises InputError when `folder` is none or holds no photo, and for options that cannot be
    used; ModelError for a model.
    """
    folder, options = Path(folder), options or ScanOptions()
    check_folder(folder)
    photos, skipped = walk_photos(folder, outputs=map(Path, outputs))
    if options.since or options.until:
        photos, others = taken_within(photos, options.since, options.until)
        skipped += others
    if not photos:
        raise _no_photos(folder, options, " ".join(skipped_note(skipped)))
    pipeline = options.pipeline_factory()()
    return LibraryScan(folder, options, pipeline, photos, skipped, progress)


def scan(
    paths: Sequence[Path],
    pipeline_factory: PipelineFactory,
    *,
    workers: int = 0,
    engine: Engine = "processes",
    photo_timeout_s: float = 120.0,
    store: ResultStore | None = None,
    resume: bool = False,
    progress: Progress | None = None,
) -> Iterator[PhotoResult]:
    """One row for each photo, in the order of `paths`, whatever happens to single photos.

    `pipeline_factory` makes the pipeline, once in every process; for `workers` and for Ray
    it must be picklable (a module's function or a `functools.partial` of one).  Rows go into
    `store` as they come; with `resume` the photos whose rows it holds are not computed again.
    `progress(done, total)` is called after every photo.  Stopping the iteration, by Ctrl-C
    or otherwise, stops the workers and leaves the store in order.
    Raises MissingPackageError for an engine that is not installed.
    """
    jobs = _jobs(paths, store if resume else None)
    keyed = store is not None
    if engine == "ray":
        from fer_mobile.gallery.engines.ray import in_ray

        rows = in_ray(jobs, pipeline_factory, max(1, workers), keyed, photo_timeout_s)
    elif workers:
        count = min(workers, len(paths))
        rows = in_processes(jobs, pipeline_factory, count, keyed, photo_timeout_s)
    else:
        rows = in_turn(jobs, pipeline_factory, keyed, photo_timeout_s)
    for done, (photo, result) in enumerate(rows, start=1):
        if store is not None and photo is not None:
            store.put(photo, result)
        if progress is not None:
            progress(done, len(paths))
        yield result


def check_folder(folder: Path) -> None:
    """Raise InputError where this is no folder, or one that cannot be reached."""
    try:
        if folder.is_dir():
            return
        found = "a file" if folder.exists() else "no such folder"
    except OSError as error:
        found = (error.strerror or str(error)).lower()
    raise InputError(folder, expected="a folder of photos", found=found)


def _jobs(paths: Sequence[Path], known: ResultStore | None) -> Iterator[Job]:
    for path in paths:
        yield path, known.get(path) if known is not None else None


def skipped_note(skipped: Sequence[Skipped]) -> list[str]:
    """What was skipped, counted by its reasons, in a line; or none."""
    counts = Counter(each.reason for each in skipped)
    reasons = ", ".join(f"{reason} ({n})" for reason, n in counts.items())
    return [f"Skipped: {reasons}."] if reasons else []


def _no_photos(folder: Path, options: ScanOptions, notes: str) -> InputError:
    if options.since or options.until:
        expected = f"photos taken from {options.since or 'ever'} to {options.until or 'now'}"
        return InputError(folder, expected=expected, found="none", hint=notes)
    return InputError(
        folder,
        expected="photos (.jpg, .png, .webp and others)",
        found="none",
        hint=notes or "Name the folder that holds them; subfolders are searched too.",
    )
