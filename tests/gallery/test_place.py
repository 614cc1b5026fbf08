from __future__ import annotations

import shutil

import pytest

from fer_mobile.errors import InputError
from fer_mobile.gallery.place import copy, hard_link, place, symbolic_link
from fer_mobile.resources import photos_dir
from tests.gallery.samples import photo


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

    copies = place([photo(one), photo(two)], out, copy, root=library)
    assert copies == [out / "cat.png", out / "trip" / "day" / "rocket-1.jpg"]
    assert [path.read_bytes() for path in copies] == list(before.values())
    assert copies[0].stat().st_mtime == one.stat().st_mtime
    assert mine.read_bytes() == b"mine"
    assert {path: path.read_bytes() for path in (one, two)} == before

    # Again: the copies are there already, so nothing is added.
    assert place([photo(one), photo(two)], out, copy, root=library) == copies
    assert len([path for path in out.rglob("*") if path.is_file()]) == 3
    one.unlink()
    assert place([photo(one), photo(two)], out, copy, root=library) == copies[1:]


@pytest.mark.parametrize("placing", [symbolic_link, hard_link])
def test_links_never_overwrite(tmp_path, placing):
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
        assert place([photo(one), photo(two)], out, placing, root=library) == expected
    assert all(link.samefile(path) for link, path in zip(expected, (one, two), strict=True))
    assert [link.is_symlink() for link in expected] == [placing is symbolic_link] * 2
    assert (out / "trip" / "rocket.jpg").read_bytes() == b"mine"
    assert len([path for path in out.rglob("*") if not path.is_dir()]) == 4


@pytest.mark.parametrize("placing", [copy, symbolic_link, hard_link])
def test_a_place_that_cannot_be_written(tmp_path, placing):
    source = photos_dir() / "cat.png"
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(InputError, match="photos can be put into"):
        place([photo(source)], tmp_path / "file", placing, root=photos_dir())
