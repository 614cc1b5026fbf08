from __future__ import annotations

import os
from functools import partial
from multiprocessing.context import SpawnProcess

import pytest

from fer_mobile.errors import FerMobileError
from fer_mobile.gallery.options import ScanOptions
from fer_mobile.gallery.scan import scan, scan_library
from fer_mobile.gallery.store import ResultStore
from fer_mobile.images import find_photos
from fer_mobile.pipeline import load_pipeline
from tests.gallery import factories


def rows_of(results) -> list[dict]:
    """Rows without what differs from run to run."""
    return [{k: v for k, v in result.as_dict().items() if k != "stages"} for result in results]


def test_one_and_two_processes_give_the_same_rows_in_order(small_library):
    paths = find_photos(small_library)
    one = list(scan(paths, load_pipeline))
    assert [result.path for result in one] == [str(path) for path in paths]
    assert [result.path for result in one if result.error] == [
        str(small_library / "one" / "broken.jpg")
    ]
    assert sum(bool(result.faces) for result in one) >= 5
    steps = []
    two = scan(paths, load_pipeline, workers=2, progress=lambda *step: steps.append(step))
    assert rows_of(two) == rows_of(one)
    assert steps == [(n, len(paths)) for n in range(1, len(paths) + 1)]


@pytest.mark.parametrize("workers", [0, 2])
def test_resume_computes_only_what_is_new(small_library, tmp_path, workers):
    paths = find_photos(small_library)
    good = [path for path in paths if path.name != "broken.jpg"]
    with ResultStore(tmp_path / "r.sqlite", "p") as store:
        first = list(scan(good[:5], load_pipeline, store=store))
        assert len(store) == 5
        again = list(scan(good[:5], factories.refuses_to_work, store=store, resume=True))
        assert [r.as_dict() for r in again] == [r.as_dict() for r in first]
        rest = list(scan(paths, load_pipeline, store=store, resume=True, workers=workers))
        assert rows_of(rest) == rows_of(scan(paths, load_pipeline))
        kept = {result.path: result.as_dict() for result in first}
        assert sum(kept.get(r.path) == r.as_dict() for r in rest) == 5  # times included
        assert len(store) == len(good)


@pytest.mark.parametrize("workers", [0, 2])
def test_an_unforeseen_error_is_a_row(small_library, tmp_path, workers):
    paths = find_photos(small_library)
    with ResultStore(tmp_path / "r.sqlite", "p") as store:
        results = list(scan(paths, factories.raises_on_cat, workers=workers, store=store))
    errors = {result.path: result.error for result in results if result.error}
    assert len(results) == len(paths)
    assert sorted(path.rpartition("/")[2] for path in errors) == ["broken.jpg", "cat.png"]
    assert any("MemoryError: no room for a cat" in error for error in errors.values())


def test_a_photo_that_crashes_its_process_is_a_row(small_library):
    paths = find_photos(small_library)
    results = list(scan(paths, factories.crashes_on_cat, workers=1))
    assert [result.path for result in results] == [str(path) for path in paths]
    errors = {result.path.rpartition("/")[2]: result.error for result in results if result.error}
    assert sorted(errors) == ["broken.jpg", "cat.png"]
    assert "process that read it crashed" in errors["cat.png"]
    others = [path for path in paths if path.name != "cat.png"]
    assert rows_of(r for r in results if not r.path.endswith("cat.png")) == rows_of(
        scan(others, load_pipeline)
    )


def test_a_process_that_crashes_of_something_else_loses_no_photo(small_library, tmp_path):
    paths = find_photos(small_library / "two")
    factory = partial(factories.crashes_once, tmp_path / "marker")
    assert rows_of(scan(paths, factory, workers=2)) == rows_of(scan(paths, load_pipeline))
    assert (tmp_path / "marker").exists()


def test_a_worker_without_pipeline_says_why(small_library):
    with pytest.raises(FerMobileError, match="could not make its pipeline: model 'x'"):
        list(scan(find_photos(small_library), factories.no_model, workers=2))


def test_a_worker_that_never_starts_blames_no_photo(small_library):
    with pytest.raises(FerMobileError, match="ended while it made its pipeline"):
        list(scan(find_photos(small_library), factories.crashes_at_start, workers=1))


def test_a_photo_that_is_gone_or_a_pipe_is_a_row(small_library, tmp_path):
    os.mkfifo(small_library / "pipe.jpg")
    gone = [small_library / "gone.jpg", small_library / "pipe.jpg"]
    paths = [*gone, *find_photos(small_library / "two")[:2]]
    with ResultStore(tmp_path / "r.sqlite", "p") as store:
        results = list(scan(paths, load_pipeline, store=store, resume=True))
    assert [bool(result.error) for result in results] == [True, True, False, False]
    assert "no such file" in results[0].error
    assert "a device" in results[1].error  # a pipe: whoever opens one waits for what never comes


@pytest.mark.parametrize("workers", [0, 2])
def test_a_photo_that_takes_too_long_is_a_row(small_library, workers):
    paths = find_photos(small_library)
    factory = factories.stops_on_cat if workers else factories.waits_on_cat
    results = list(scan(paths, factory, workers=workers, photo_timeout_s=5))
    assert [result.path for result in results] == [str(path) for path in paths]
    errors = {result.path.rpartition("/")[2]: result.error for result in results if result.error}
    assert sorted(errors) == ["broken.jpg", "cat.png"]
    assert "cat.png: reading it took longer than 5 s" in errors["cat.png"]
    others = [path for path in paths if path.name != "cat.png"]
    assert rows_of(r for r in results if not r.path.endswith("cat.png")) == rows_of(
        scan(others, load_pipeline)
    )


def test_a_library_that_is_read_here_goes_on_after_a_slow_photo(small_library, tmp_path):
    """The pipeline that the slow photo keeps is not used again."""
    detector = factories.WaitsOnce()
    options = ScanOptions(detector=detector, photo_timeout_s=5, store=tmp_path / "r.sqlite")
    results = list(scan_library(small_library, options))
    errors = [result.error for result in results if result.error]
    assert len(results) == 9
    assert len(errors) == 2
    assert sum("took longer than 5 s" in error for error in errors) == 1


@pytest.mark.parametrize("reason", [OSError(11, "too many processes"), None])
def test_where_no_processes_can_be_started_this_one_reads(
    small_library, monkeypatch, caplog, reason
):
    def start(process):
        if reason:
            raise reason
        started(process)
        process.kill()  # before it says that it runs

    started = SpawnProcess.start
    paths = find_photos(small_library)
    monkeypatch.setattr(SpawnProcess, "start", start)
    assert rows_of(scan(paths, load_pipeline, workers=2)) == rows_of(scan(paths, load_pipeline))
    assert "Photos are read by this process, for no others can be started" in caplog.text


def test_a_stopped_process_does_not_keep_a_run_from_ending(small_library):
    paths = find_photos(small_library)
    rows = scan(paths, factories.stops_on_cat, workers=2)
    seen = [next(rows)]
    while "cat" not in str(paths[len(seen)]):
        seen.append(next(rows))
    rows.close()  # as Ctrl-C does
    assert len(seen) < len(paths)
