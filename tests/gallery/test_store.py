from __future__ import annotations

import json
import os
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_mobile.errors import InputError
from fer_mobile.gallery.sinks.jsonl import JsonlSink
from fer_mobile.gallery.store import (
    ResultStore,
    default_path,
    fingerprint,
    open_store,
    read_row,
)
from fer_mobile.resources import photos_dir
from fer_mobile.types import PhotoResult
from tests.gallery.samples import face, failed, photo, write


@pytest.fixture
def library(tmp_path):
    folder = tmp_path / "library"
    folder.mkdir()
    for name in ("cat.png", "woman-curls.jpg"):
        shutil.copy2(photos_dir() / name, folder / name)
    return folder


@pytest.fixture
def store(tmp_path):
    with ResultStore(tmp_path / "cache" / "results.sqlite", "model one") as store:
        yield store


def keep(store, path, *faces):
    result = photo(path, *faces)
    store.put(fingerprint(path), result)
    return result


def test_a_row_comes_back_as_it_was_printed(store, library):
    path = library / "woman-curls.jpg"
    assert store.get(path) is None
    result = keep(store, path, face("happiness", 0.123456), face("fear", 0.9))
    assert store.get(path).as_dict() == result.as_dict()
    assert len(store) == 1


def test_threads_can_share_a_store(store, library):
    paths = [library / f"{number}.png" for number in range(20)]
    for path in paths:
        path.write_bytes(path.name.encode())

    def use(path):
        keep(store, path, face("fear"))
        return store.get(path).path

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(use, paths)) == [str(path) for path in paths]
    assert len(store) == len(paths)


def test_renamed_and_copied_photos_are_known(store, library):
    path = library / "woman-curls.jpg"
    result = keep(store, path, face("fear"))
    shutil.copy(path, library / "copy.jpg")
    renamed = path.rename(library / "renamed.jpg")
    for name in (renamed, library / "copy.jpg"):
        assert store.get(name).as_dict() == result.as_dict() | {"path": str(name)}
    assert store.get(path) is None
    assert len(store) == 1


def test_a_changed_photo_is_not_known(store, library):
    path = library / "cat.png"
    keep(store, path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)  # the same size, another time
    os.utime(path, ns=(1, 1))
    assert store.get(path) is None


def test_a_photo_that_changes_while_it_is_scanned_is_not_known(store, library):
    path = library / "cat.png"
    before = fingerprint(path)
    shutil.copy2(library / "woman-curls.jpg", path)
    store.put(before, photo(path))
    assert store.get(path) is None


def test_a_touched_photo_is_known_by_its_content(store, library):
    path = library / "cat.png"
    result = keep(store, path)
    os.utime(path, ns=(1, 1))
    assert store.get(path).as_dict() == result.as_dict()


def test_another_pipeline_knows_nothing(store, library):
    path = library / "cat.png"
    keep(store, path)
    with ResultStore(store.path, "model two") as other:
        assert other.get(path) is None
        assert len(other) == 0
    assert store.get(path) is not None


def test_failures_are_tried_again(store, library):
    path = library / "cat.png"
    store.put(fingerprint(path), failed(path))
    assert store.get(path) is None


def test_a_name_that_is_no_unicode(store, library, tmp_path):
    path = (library / "cat.png").rename(library / os.fsdecode(b"caf\xe9.png"))
    result = keep(store, path)
    assert store.get(path).as_dict() == result.as_dict()
    write(JsonlSink(tmp_path / "rows.jsonl"), [result])
    assert b"caf\\udce9.png" in (tmp_path / "rows.jsonl").read_bytes()


def test_a_tampered_row_is_computed_anew(store, library):
    path = library / "cat.png"
    keep(store, path)
    with sqlite3.connect(store.path) as db:
        for row in ("[]", "{", '{"faces": [1]}'):
            db.execute("UPDATE result SET row = ?", (row,))
            db.commit()
            assert store.get(path) is None


@pytest.mark.parametrize("content", [b"not a database, but long enough to be looked at" * 30, None])
def test_a_file_that_is_no_store(tmp_path, content):
    path = tmp_path / "results.sqlite"
    if content is None:
        with sqlite3.connect(path) as db:
            db.execute("PRAGMA user_version = 99")
        content = path.read_bytes()
    else:
        path.write_bytes(content)
    with pytest.raises(InputError, match="expected a results file") as caught:
        ResultStore(path, "model")
    assert "\n" not in str(caught.value)
    assert path.read_bytes()[:16] == content[:16]


def test_two_at_once(store, library):
    with ResultStore(store.path, store.pipeline) as other:
        for round_ in range(20):
            result = keep(store if round_ % 2 else other, library / "cat.png")
    assert store.get(library / "cat.png").as_dict() == result.as_dict()
    assert len(store) == 1


def test_where_it_lives(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.delenv("FER_MOBILE_CACHE", raising=False)
    assert default_path() == tmp_path / "xdg" / "fer-mobile" / "results.sqlite"
    monkeypatch.setenv("FER_MOBILE_CACHE", str(tmp_path / "own"))
    assert default_path() == tmp_path / "own" / "results.sqlite"
    monkeypatch.delenv("FER_MOBILE_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_path() == tmp_path / ".cache" / "fer-mobile" / "results.sqlite"


def damage(path, offset: int = 0) -> None:
    """Noise over a page of the file, as a failing disk leaves it."""
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(bytes(range(256)) * 16)


@pytest.mark.parametrize("page", range(1, 6))
def test_damage_is_a_warning_and_a_new_file(tmp_path, library, page, caplog):
    path = tmp_path / "results.sqlite"
    photos = [library / "cat.png", library / "woman-curls.jpg"]
    with ResultStore(path, "p") as store:
        keep(store, photos[0], face("fear"))
    damage(path, page * 4096)
    with ResultStore(path, "p") as store:
        results = [store.get(photo) for photo in photos]
        keep(store, photos[1], face("anger"))
        assert store.get(photos[1]).label == "anger"
    assert all(result is None or result.label == "fear" for result in results)
    asides = list(tmp_path.glob("results.sqlite.damaged-*"))
    assert len(asides) == len(caplog.records) <= 1
    for record in caplog.records:
        assert str(path) in record.getMessage()
        assert asides[0].name in record.getMessage()
    with ResultStore(path, "p") as store:
        assert store.get(photos[1]).label == "anger"


def test_a_damaged_header_in_our_own_place(tmp_path, monkeypatch, library):
    monkeypatch.setenv("FER_MOBILE_CACHE", str(tmp_path))
    keep(ResultStore(default_path(), "p"), library / "cat.png", face("fear"))
    damage(default_path())
    with open_store(None, "p") as store:
        keep(store, library / "cat.png", face("anger"))
        assert store.get(library / "cat.png").label == "anger"
    assert len(list(tmp_path.glob("results.sqlite.damaged-*"))) >= 1


def test_a_store_that_another_program_holds_or_closes_is_one_warning(tmp_path, library, caplog):
    path = tmp_path / "results.sqlite"
    with ResultStore(path, "p", timeout_s=0.1) as store:
        keep(store, library / "cat.png", face("fear"))
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        for name in ("cat.png", "woman-curls.jpg"):
            keep(store, library / name, face("anger"))
            assert store.get(library / name) is None
        other.close()
        assert len(store) == 0
    (record,) = caplog.records
    assert str(path) in record.getMessage()
    assert "goes on without" in record.getMessage()
    with ResultStore(path, "p") as store:
        assert store.get(library / "cat.png").label == "fear"


def test_a_table_that_lacks_a_column_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "results.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE photo (path BLOB PRIMARY KEY, size INTEGER)")
        db.execute("CREATE TABLE result (content TEXT, pipeline TEXT, row TEXT)")
    db.close()
    before = path.read_bytes()
    with pytest.raises(InputError, match="a database of another program"):
        ResultStore(path, "p")
    assert path.read_bytes() == before


def test_a_store_made_halfway_is_not_taken_for_another_programs(tmp_path):
    path = tmp_path / "results.sqlite"
    path.touch()  # what a run that was killed while it made the store leaves
    with ResultStore(path, "p") as store:
        assert len(store) == 0


def test_a_change_that_keeps_size_and_time_is_noticed(store, library):
    path = library / "cat.png"
    keep(store, path, face("fear"))
    stat = path.stat()
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert path.stat().st_mtime_ns == stat.st_mtime_ns
    assert store.get(path) is None


@pytest.mark.parametrize("year", [-10, 330])
def test_photos_of_any_year_are_kept(store, library, year):
    path = library / "cat.png"
    os.utime(path, (year * 31_557_600, year * 31_557_600))
    result = keep(store, path, face("fear"))
    assert store.get(path).as_dict() == result.as_dict()


GOOD = PhotoResult.from_dict(photo("a.jpg", face("fear", 0.5)).as_dict())  # figures rounded


@pytest.mark.parametrize(
    "change",
    [
        {"confidence": 1.5},
        {"confidence": float("nan")},
        {"size": [0, 10]},
        {"size": None},
        {"stages": {"decode": -1.0}},
        {"stages": {"decode": float("inf")}},
        {"stages": {"lunch": 1.0}},
        {"faces": [GOOD.as_dict()["faces"][0] | {"label": "awe"}]},
        {"faces": [GOOD.as_dict()["faces"][0] | {"box": [0, 0, -1, 1e300]}]},
        {"faces": [GOOD.as_dict()["faces"][0] | {"probabilities": {"fear": -0.1}}]},
        {"error": "made up"},
    ],
)
def test_rows_are_bounded_when_they_are_read(change):
    assert read_row(json.dumps(GOOD.as_dict()), "b.jpg") == replace(GOOD, path="b.jpg")
    assert read_row(json.dumps(GOOD.as_dict() | change), "b.jpg") is None


def nested(values):
    return st.lists(values) | st.dictionaries(st.sampled_from([*GOOD.as_dict(), "x"]), values)


@given(st.recursive(st.none() | st.floats() | st.text() | st.integers(), nested))
def test_no_row_does_more_than_be_computed_anew(value):
    assert read_row(json.dumps(value), "b.jpg") is None
    assert read_row(json.dumps(GOOD.as_dict() | {"faces": value}), "b.jpg") is None
