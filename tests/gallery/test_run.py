from __future__ import annotations

import json
import shutil

import pytest

from fer_mobile.errors import InputError
from fer_mobile.gallery.run import run_filter
from fer_mobile.resources import photos_dir


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
    run = run_filter(small_library, show=label, html=html, jsonl=jsonl, copy_to=copies, resume=True)
    matched = [result for result in run.results if result.label == label]
    assert run.matched == matched
    assert len(matched) == run.counts[label]
    rows = [json.loads(line) for line in jsonl.read_text().splitlines()]
    assert [row["path"] for row in rows if not row["error"]] == [r.path for r in matched]
    assert [row["path"].rpartition("/")[2] for row in rows if row["error"]] == ["broken.jpg"]
    assert sorted(path.relative_to(copies) for path in copies.rglob("*.*")) == sorted(
        path.relative_to(small_library) for path in map(type(html), [r.path for r in matched])
    )
    assert f'"show":["{label}"]' in html.read_text()
    document = json.loads(json.dumps(run.as_dict()))
    assert document["photos"] == 9
    assert document["matched"] == len(matched)
    assert document["rows"] == rows
    assert tree(small_library) == before  # the photos are only read


def test_without_resume_all_is_computed_again(small_library):
    first, second = run_filter(small_library), run_filter(small_library)
    third = run_filter(small_library, resume=True)
    assert first.results[0].stages != second.results[0].stages
    assert third.results[0].as_dict() == second.results[0].as_dict()


def test_modes_of_faces_are_kept_apart(small_library, tmp_path):
    shutil.copy(photos_dir() / "meeting.jpg", small_library / "meeting.jpg")
    multiple = run_filter(small_library)
    each = run_filter(small_library, faces="each", resume=True)
    largest = run_filter(small_library, faces="largest", resume=True)
    assert multiple.counts["multiple"] >= 1
    assert each.counts["multiple"] == largest.counts["multiple"] == 0
    meeting = next(r for r in each.results if r.path.endswith("meeting.jpg"))
    for label in {face.label for face in meeting.faces}:
        run = run_filter(small_library, faces="each", show=label, resume=True)
        assert meeting.path in [result.path for result in run.matched]


def test_copies_inside_the_library_are_no_photos_of_it(small_library):
    inside = small_library / "copies"
    first = run_filter(small_library, copy_to=inside)
    second = run_filter(small_library, copy_to=inside, resume=True)
    assert len(first.results) == len(second.results) == 9
    assert first.copies == second.copies
    with pytest.raises(InputError, match="another folder to copy to"):
        run_filter(small_library, copy_to=small_library)


def test_a_photo_that_was_deleted_has_no_row(small_library):
    run_filter(small_library)
    (small_library / "two" / "cat.png").unlink(missing_ok=True)
    (small_library / "one" / "cat.png").unlink(missing_ok=True)
    assert len(run_filter(small_library, resume=True).results) == 8


def test_wrong_input(small_library, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "x.jpg").write_bytes(b"nothing")
    cases = {
        "expected a folder of photos, found no such folder": {"folder": tmp_path / "none"},
        "found a file": {"folder": photos_dir() / "cat.png"},
        "expected photos": {"folder": tmp_path / "empty"},
        "at least one photo that can be read": {"folder": tmp_path / "bad"},
        "Did you mean 'sadness'": {"show": "sadnes"},
        "faces: expected": {"faces": "all"},
        "no such name or file": {"model": "xcao_three_stream"},
        "workers: expected": {"workers": 0},
        "min_confidence: expected": {"min_confidence": 50.0},
    }
    for message, arguments in cases.items():
        html = tmp_path / "never.html"
        with pytest.raises(InputError, match=message) as caught:
            run_filter(**{"folder": small_library, "html": html, **arguments})
        assert caught.value.exit_code == 2
        assert "\n" not in str(caught.value)
        assert not html.exists()


def test_a_cache_that_cannot_be_written_stops_only_a_resume(small_library, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("FER_MOBILE_CACHE", str(tmp_path / "file"))
    assert len(run_filter(small_library).results) == 9
    with pytest.raises(InputError, match="FER_MOBILE_CACHE"):
        run_filter(small_library, resume=True)
