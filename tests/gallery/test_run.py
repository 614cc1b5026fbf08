from __future__ import annotations

import csv
import json
import shutil
import sys
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image

from fer_mobile.errors import InputError
from fer_mobile.gallery.filter import Filter
from fer_mobile.gallery.options import ScanOptions
from fer_mobile.gallery.run import filter_library
from fer_mobile.gallery.sinks.copies import CopySink, LinkSink
from fer_mobile.gallery.sinks.csv import CsvSink
from fer_mobile.gallery.sinks.html import HtmlSink
from fer_mobile.gallery.sinks.jsonl import JsonlSink
from fer_mobile.gallery.sinks.xmp import XmpSink
from fer_mobile.pipeline import FACES_MODES
from fer_mobile.resources import photos_dir
from tests.gallery.samples import run_filter

pillow_heif.register_heif_opener()


def tree(folder) -> dict:
    return {
        path.relative_to(folder): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_main_job(small_library, tmp_path):
    before = tree(small_library)
    everything = run_filter(small_library)
    assert len(everything.results) == 9
    assert everything.counts["failed"] == 1
    assert len(everything.matched) == 8  # no filter: all that can be read
    label = next(r.label for r in everything.results if r.confidence is not None)

    html, jsonl, copies = tmp_path / "r.html", tmp_path / "r.jsonl", tmp_path / "copies"
    run = run_filter(
        small_library, [HtmlSink(html), JsonlSink(jsonl), CopySink(copies)], show=label
    )
    matched = [result for result in run.results if result.label == label]
    assert list(run.matched) == matched
    assert len(matched) == run.counts[label]
    rows = [json.loads(line) for line in jsonl.read_text().splitlines()]
    assert [row["path"] for row in rows if not row["error"]] == [r.path for r in matched]
    assert [row["path"].rpartition("/")[2] for row in rows if row["error"]] == ["broken.jpg"]
    assert sorted(path.relative_to(copies) for path in copies.rglob("*.[jp]*")) == sorted(
        path.relative_to(small_library) for path in map(type(html), [r.path for r in matched])
    )
    assert f'"show":["{label}"]' in html.read_text()
    document = json.loads(json.dumps(run.as_dict()))
    assert document["photos"] == 9
    assert document["matched"] == len(matched)
    assert document["rows"] == rows
    assert tree(small_library) == before  # the photos are only read


def test_without_resume_all_is_computed_again(small_library):
    first, second = (run_filter(small_library, resume=False) for _ in range(2))
    third = run_filter(small_library)
    assert first.results[0].stages != second.results[0].stages
    assert third.results[0].as_dict() == second.results[0].as_dict()


def test_another_mode_of_faces_computes_nothing_again(small_library):
    shutil.copy(photos_dir() / "meeting.jpg", small_library / "meeting.jpg")
    (small_library / "one" / "broken.jpg").unlink()
    fresh = {mode: run_filter(small_library, faces=mode, resume=False) for mode in FACES_MODES}
    kept = {mode: run_filter(small_library, faces=mode) for mode in FACES_MODES}
    times = [result.stages for result in fresh[FACES_MODES[-1]].results]
    for mode in FACES_MODES:
        assert kept[mode].counts == fresh[mode].counts
        assert [result.stages for result in kept[mode].results] == times
        labels = [[(r.label, r.confidence) for r in run[mode].results] for run in (kept, fresh)]
        assert labels[0] == labels[1]
    assert kept["multiple"].counts["multiple"] >= 1
    assert kept["each"].counts["multiple"] == kept["largest"].counts["multiple"] == 0
    meeting = next(r for r in kept["each"].results if r.path.endswith("meeting.jpg"))
    for label in {face.label for face in meeting.faces}:
        run = run_filter(small_library, faces="each", show=label)
        assert meeting.path in [result.path for result in run.matched]


def test_copies_inside_the_library_are_no_photos_of_it(small_library):
    inside = small_library / "copies"
    first, second = CopySink(inside), CopySink(inside)
    for sink in (first, second):
        assert len(run_filter(small_library, [sink]).results) == 9
    assert first.written == second.written
    later = run_filter(small_library)  # which writes nothing there
    assert len(later.results) == 9
    assert later.as_dict()["skipped"] == {"folder made by fer-mobile": 1}
    assert len(run_filter(inside).results) == 8  # whoever names the folder means it
    with pytest.raises(InputError, match="another folder to put photos into"):
        run_filter(small_library, [CopySink(small_library)])


def test_a_photo_that_was_deleted_has_no_row(small_library):
    run_filter(small_library)
    (small_library / "two" / "cat.png").unlink(missing_ok=True)
    (small_library / "one" / "cat.png").unlink(missing_ok=True)
    assert len(run_filter(small_library).results) == 8


def test_wrong_input(small_library, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "x.jpg").write_bytes(b"nothing")
    cases = {
        "expected a folder of photos, found no such folder": {"folder": tmp_path / "none"},
        "found a file": {"folder": photos_dir() / "cat.png"},
        "found file name too long": {"folder": tmp_path / ("x" * 300)},
        "expected photos": {"folder": tmp_path / "empty"},
        "Did you mean 'sadness'": {"show": "sadnes"},
        "faces: expected": {"faces": "all"},
        "no such name or file": {"model": "xcao_three_stream"},
        "workers: expected": {"workers": -1},
        "min_confidence: expected": {"min_confidence": 50.0},
        'Let every face count: `faces="each"`': {"match": "all"},
        "found multiple": {"show": "multiple", "faces": "each"},
        "found unsure, which none is without": {"show": "unsure"},
    }
    for message, arguments in cases.items():
        html = tmp_path / "never.html"
        with pytest.raises(InputError, match=message) as caught:
            run_filter(**{"folder": small_library, "sinks": [HtmlSink(html)], **arguments})
        assert caught.value.exit_code == 2
        assert "\n" not in str(caught.value)
        assert not html.exists()


def test_where_no_photo_can_be_read_the_outputs_say_why(tmp_path):
    library, rows = tmp_path / "library", tmp_path / "rows.jsonl"
    library.mkdir()
    for name in ("x.jpg", "y.jpg"):
        (library / name).write_bytes(b"nothing")
    with pytest.raises(InputError, match="one photo that can be read, found none among 2"):
        run_filter(library, [JsonlSink(rows), HtmlSink(tmp_path / "r.html")])
    assert [json.loads(line)["error"][:1] for line in rows.read_text().splitlines()] == ["/", "/"]
    assert (tmp_path / "r.html").is_file()


def test_every_face_counts_however_it_is_said(small_library):
    shown = {
        tuple(result.path for result in run.matched)
        for run in (
            filter_library(small_library, Filter(("happy",), every_face=True)),
            filter_library(small_library, Filter(("Happiness",)), ScanOptions(faces="each")),
            filter_library(small_library, Filter(("group:positive",), every_face=True)),
        )
    }
    (paths,) = shown
    alone = filter_library(small_library, Filter(("happiness",)))
    assert len(paths) > len(alone.matched) > 0
    for message, query, options in (
        ("found 'nonsense'", Filter(("nonsense",)), None),
        ("faces: expected each", Filter(every_face=True), ScanOptions(faces="largest")),
    ):
        with pytest.raises(InputError, match=message):
            filter_library(small_library, query, options)


def test_a_cache_that_cannot_be_written_is_done_without(
    small_library, tmp_path, monkeypatch, caplog
):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("FER_MOBILE_CACHE", str(tmp_path / "file"))
    assert len(run_filter(small_library).results) == 9
    assert "FER_MOBILE_CACHE" in caplog.text
    with pytest.raises(InputError, match="FER_MOBILE_CACHE"):
        run_filter(small_library, store=tmp_path / "file" / "own.sqlite")


def test_a_second_run_opens_no_photo(small_library):
    opened: list[str] = []
    watching = True

    def watch(event: str, arguments: tuple) -> None:
        if watching and event == "open" and str(arguments[0]).startswith(str(small_library)):
            opened.append(Path(arguments[0]).name)

    sys.addaudithook(watch)  # of every opening in this process, by whatever library
    try:
        first = run_filter(small_library)
        assert set(opened) == {Path(result.path).name for result in first.results}
        opened.clear()
        second = run_filter(small_library)
        assert set(opened) == {"broken.jpg"}  # what failed is tried again
    finally:
        watching = False
    assert list(second.matched) == list(first.matched)


def test_the_same_figures_fresh_and_kept(small_library):
    (small_library / "one" / "broken.jpg").unlink()
    assert list(run_filter(small_library).results) == list(run_filter(small_library).results)


def dated(path, taken: str | None) -> None:
    with Image.open(path) as image:
        exif = Image.Exif()
        exif[0x010F] = "a camera"
        if taken:
            exif.get_ifd(0x8769)[0x9003] = taken
        image.convert("RGB").save(path, exif=exif)


def test_dates(tmp_path):
    folder = tmp_path / "library"
    folder.mkdir()
    for name, taken in {
        "c.jpg": "2024:05:31 23:59:59",
        "a.jpg": "2024:06:01 00:00:00",
        "b.png": "2023:12:24 18:00:00",
        "d.jpg": None,
        "e.jpg": "0000:00:00 00:00:00",
        "f.heic": "2024:05:01 08:00:00",
    }.items():
        shutil.copy(photos_dir() / "rocket.jpg", folder / name)
        dated(folder / name, taken)

    def names(**arguments) -> str:
        run = run_filter(folder, **arguments)
        return "".join(Path(result.path).stem for result in run.results)

    assert names(sort="date") == "bfcade"
    assert names(since="2024", sort="date") == "fca"
    assert names(since="2024-05", until="2024-05") == "cf"
    assert names(until="2024-05-30") == "bf"
    assert names(since="2024-06-01") == "a"
    assert run_filter(folder, since="2024").notes == [
        "Skipped: photo of another time (1), photo without a date (2)."
    ]
    with pytest.raises(InputError, match="photos taken from 2030 to now, found none"):
        run_filter(folder, since="2030")
    for wrong in ("yesterday", "2024-13", "2024-5-1", "20240501"):
        with pytest.raises(InputError, match="until: expected a date like"):
            run_filter(folder, until=wrong)


def test_sorted_by_confidence(small_library, tmp_path):
    run = run_filter(small_library, [CsvSink(tmp_path / "rows.csv")], sort="confidence")
    confidences = [result.confidence or 0 for result in run.results]
    assert confidences == sorted(confidences, reverse=True)
    assert confidences[0] > confidences[-1] == 0
    with (tmp_path / "rows.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == [result.path for result in run.results]
    assert float(rows[0]["confidence"]) == confidences[0]
    assert rows[0]["expressions"] == rows[0]["label"]
    assert {row["faces"] for row in rows} >= {"0", "1"}
    assert [bool(row["error"]) for row in rows].count(True) == 1


def test_links_and_sidecars_inside_the_library_are_no_photos_of_it(small_library):
    inside = small_library / "links"
    before = tree(small_library)
    for _ in range(2):
        links, sidecars = LinkSink(inside), XmpSink(small_library)
        run = run_filter(small_library, [links, sidecars], show="group:positive")
        assert len(run.results) == 9
    assert 1 <= len(links.written) == len(sidecars.written) < 8
    assert all(link.is_symlink() for link in links.written)
    assert [Path(f"{result.path}.xmp") for result in run.matched] == sidecars.written
    after = tree(small_library)
    assert {path: after[path] for path in before} == before


def test_heic(tmp_path):
    with Image.open(photos_dir() / "gray-man-grin.jpg") as image:
        image.convert("RGB").save(tmp_path / "grin.heic", quality=90)
    (result,) = run_filter(tmp_path).results
    (as_jpeg,) = (
        result
        for result in run_filter(photos_dir(), resume=True).results
        if result.path.endswith("gray-man-grin.jpg")
    )
    assert result.label == as_jpeg.label
    assert result.size == as_jpeg.size
