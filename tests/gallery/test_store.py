from __future__ import annotations

import os
import shutil
import sqlite3

import pytest

from fer_mobile.errors import InputError
from fer_mobile.gallery.sinks.jsonl import JsonlSink
from fer_mobile.gallery.store import ResultStore, default_path, fingerprint
from fer_mobile.resources import photos_dir
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
