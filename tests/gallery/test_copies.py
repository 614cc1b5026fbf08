from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from fer_mobile.errors import InputError
from fer_mobile.files import MARKER, claim_folder
from fer_mobile.gallery.sinks.copies import CopySink, LinkSink
from fer_mobile.resources import photos_dir
from tests.gallery.samples import photo, write


def test_copy_keeps_folders_and_never_overwrites(tmp_path):
    library, out = tmp_path / "library", tmp_path / "out"
    (library / "trip" / "day").mkdir(parents=True)
    one, two = library / "cat.png", library / "trip" / "day" / "rocket.jpg"
    for path in (one, two):
        shutil.copy2(photos_dir() / path.name, path)
    before = {path: path.read_bytes() for path in (one, two)}
    (out / "trip" / "day").mkdir(parents=True)
    mine = out / "trip" / "day" / "rocket.jpg"
    mine.write_bytes(b"mine")

    copies = write(CopySink(out), [photo(one), photo(two)], library).written
    assert copies == [out / "cat.png", out / "trip" / "day" / "rocket-1.jpg"]
    assert [path.read_bytes() for path in copies] == list(before.values())
    assert copies[0].stat().st_mtime == one.stat().st_mtime
    assert mine.read_bytes() == b"mine"
    assert {path: path.read_bytes() for path in (one, two)} == before

    # Again: the copies are there already, so nothing is added.
    assert write(CopySink(out), [photo(one), photo(two)], library).written == copies
    assert len([path for path in out.rglob("*.*g") if path.is_file()]) == 3
    one.unlink()
    assert write(CopySink(out), [photo(one), photo(two)], library).written == copies[1:]


@pytest.mark.parametrize("kind", ["symbolic", "hard"])
def test_links_never_overwrite(tmp_path, kind):
    library, out = tmp_path / "library", tmp_path / "out"
    (library / "trip").mkdir(parents=True)
    one, two = library / "cat.png", library / "trip" / "rocket.jpg"
    for path in (one, two):
        shutil.copy2(photos_dir() / path.name, path)
    (out / "trip").mkdir(parents=True)
    (out / "trip" / "rocket.jpg").write_bytes(b"mine")
    (out / "cat.png").symlink_to(tmp_path / "nowhere")

    expected = [out / "cat-1.png", out / "trip" / "rocket-1.jpg"]
    for _ in range(2):  # the second time the links are there already
        assert write(LinkSink(out, kind), [photo(one), photo(two)], library).written == expected
    assert all(link.samefile(path) for link, path in zip(expected, (one, two), strict=True))
    assert [link.is_symlink() for link in expected] == [kind == "symbolic"] * 2
    assert (out / "trip" / "rocket.jpg").read_bytes() == b"mine"
    assert len([path for path in out.rglob("*") if not path.is_dir()]) == 4


@pytest.mark.parametrize("sink", [CopySink, LinkSink])
def test_a_place_that_cannot_be_written(tmp_path, sink):
    source = photos_dir() / "cat.png"
    (tmp_path / "file").write_text("not a folder")
    for place in (tmp_path / "file", tmp_path / "file" / "folder"):
        with pytest.raises(InputError, match="photos can be put into"):
            write(sink(place), [photo(source)], photos_dir())
    assert (tmp_path / "file").read_text() == "not a folder"


def test_long_names_and_photos_that_cannot_be_copied(tmp_path, monkeypatch):
    library, out = tmp_path / "library", tmp_path / "out"
    library.mkdir()
    names = ["写真" * 40 + ".jpg", "x" * 251 + ".jpg", "last.jpg"]
    for name in names:
        shutil.copy2(photos_dir() / "rocket.jpg", library / name)
    out.mkdir()
    (out / names[1]).write_bytes(b"mine")
    results = [photo(library / name) for name in names]
    sink = write(CopySink(out), results, library)
    assert [path.name for path in sink.written] == [names[0], "x" * 249 + "-1.jpg", "last.jpg"]
    whole = (photos_dir() / "rocket.jpg").read_bytes()
    assert all(path.read_bytes() == whole for path in sink.written)
    assert (out / names[1]).read_bytes() == b"mine"

    def refuse(source, target):
        if source.name == names[0]:
            raise PermissionError(13, "Permission denied")
        return shutil_copy2(source, target)

    shutil_copy2 = shutil.copy2
    monkeypatch.setattr(shutil, "copy2", refuse)
    sink = write(CopySink(tmp_path / "other"), results, library)
    assert [path.name for path in sink.written] == names[1:]
    assert len(sink.unwritten) == 1
    assert "Permission denied" in sink.unwritten[0]
    assert not (tmp_path / "other" / names[0]).exists()

    sink = write(CopySink(tmp_path / "third"), [photo(library / "gone.jpg")], library)
    assert sink.written == []
    assert "gone.jpg is not in " in sink.unwritten[0]


def test_without_hard_links_a_copy_overwrites_nothing_either(tmp_path, monkeypatch):
    source = photos_dir() / "cat.png"

    def no_hard_links(self, target):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(type(tmp_path), "hardlink_to", no_hard_links)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "cat.png").write_bytes(b"mine")
    sink = write(CopySink(tmp_path / "out"), [photo(source)], photos_dir())
    assert [path.name for path in sink.written] == ["cat-1.png"]
    assert sink.written[0].read_bytes() == source.read_bytes()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["cat-1.png", "cat.png"]


def test_a_folder_that_is_made_in_the_library_is_marked_as_ours(tmp_path):
    library = tmp_path / "library"
    (library / "empty").mkdir(parents=True)
    shutil.copy2(photos_dir() / "cat.png", library)
    (library / "mine").mkdir()
    (library / "mine" / "list.txt").write_text("mine")
    for name, marked in {
        "library/new": True, "library/empty": True, "library/mine": False, "new": False
    }.items():  # fmt: skip
        for _ in range(2):
            sink = write(CopySink(tmp_path / name), [photo(library / "cat.png")], library)
            assert (tmp_path / name / MARKER).exists() == marked
            assert bool(sink.notes) == (name == "library/mine")
    assert not claim_folder(library / "cat.png", "A file is none.")


def test_a_killed_run_leaves_no_half_photo_and_the_next_one_cleans_up(tmp_path):
    source, out = photos_dir() / "rocket.jpg", tmp_path / "out"
    code = (
        "import os, shutil, signal, sys; from pathlib import Path\n"
        "from fer_mobile.gallery.sinks.copies import copy\n"
        "def half(source, target):\n"
        "    Path(target).write_bytes(Path(source).read_bytes()[:1000])\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "shutil.copy2 = half\n"
        "copy(Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    out.mkdir()
    subprocess.run([sys.executable, "-c", code, source, out / "rocket.jpg"], check=False)
    (left,) = out.iterdir()
    assert left.name.startswith(".fer-mobile-")
    sink = write(CopySink(out), [photo(source)], photos_dir())
    assert [path.name for path in out.iterdir()] == ["rocket.jpg"]
    assert sink.written[0].read_bytes() == source.read_bytes()
