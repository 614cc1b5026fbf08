from __future__ import annotations

import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_mobile.errors import InputError
from fer_mobile.gallery.filter import (
    FAILED,
    NO_FACE,
    SHOWABLE,
    copy_to,
    count,
    filed_under,
    matches,
    parse_show,
)
from fer_mobile.labels import LABELS
from fer_mobile.resources import photos_dir
from tests.gallery.samples import face, failed, photo

HAPPY = photo("a.jpg", face("happiness", 0.9))
SAD = photo("b.jpg", face("sadness", 0.4))
GROUP = photo("c.jpg", face("happiness", 0.8), face("fear", 0.3))
NOBODY = photo("d.jpg")
BROKEN = failed("e.jpg")
ALL = [HAPPY, SAD, GROUP, NOBODY, BROKEN]


def shown(show: str, min_confidence: float = 0.0, every_face: bool = False) -> list[str]:
    labels = parse_show(show)
    return [r.path[0] for r in ALL if matches(r, labels, min_confidence, every_face=every_face)]


def test_rules_of_the_filter():
    assert shown("") == ["a", "b", "c", "d"]
    assert shown("happiness") == ["a"]
    assert shown("happiness,sadness") == ["a", "b"]
    assert shown("multiple") == ["c"]
    assert shown("sadness,multiple") == ["b", "c"]
    assert shown("contempt") == []


def test_every_face_counts():
    assert shown("happiness", every_face=True) == ["a", "c"]
    assert shown("fear", every_face=True) == ["c"]
    assert shown("fear", 0.5, every_face=True) == []
    assert shown("multiple", every_face=True) == []


def test_min_confidence():
    assert shown("happiness,sadness", 0.4) == ["a", "b"]
    assert shown("happiness,sadness", 0.41) == ["a"]
    assert shown("", 0.5) == ["a", "c"]  # a filter is on: no photo without a face
    assert shown("multiple", 0.99) == ["c"]


def test_parse_show():
    assert parse_show(None) == parse_show("") == parse_show(" , ") == ()
    assert parse_show("Happiness, multiple,happiness") == ("happiness", "multiple")
    assert parse_show(["happy", "surprised"]) == ("happiness", "surprise")
    assert parse_show(",".join(SHOWABLE)) == (*LABELS, "multiple")


@pytest.mark.parametrize(("word", "meant"), [("hapiness", "happiness"), ("multipel", "multiple")])
def test_unknown_label_names_the_nearest(word: str, meant: str):
    with pytest.raises(InputError, match=f"{word!r}.*Did you mean '{meant}'") as caught:
        parse_show(f"sadness,{word}")
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)


def test_count():
    counts = count(ALL)
    assert list(counts) == [*SHOWABLE, NO_FACE, FAILED]
    assert {key: n for key, n in counts.items() if n} == {
        "happiness": 1, "sadness": 1, "multiple": 1, NO_FACE: 1, FAILED: 1,
    }  # fmt: skip
    assert count(ALL, every_face=True)["happiness"] == 2


@given(
    labels=st.lists(st.sampled_from(LABELS), max_size=4),
    confidence=st.floats(0.2, 1),
    show=st.sets(st.sampled_from(SHOWABLE), min_size=1),
    every_face=st.booleans(),
)
def test_a_filter_shows_exactly_what_is_filed_under_its_labels(
    labels, confidence, show, every_face
):
    result = photo("x.jpg", *(face(label, confidence) for label in labels))
    keys = set(filed_under(result, every_face=every_face))
    assert matches(result, show, every_face=every_face) == bool(keys & show)
    assert len(count([result], every_face=every_face)) == len(SHOWABLE) + 2


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

    copies = copy_to([photo(one), photo(two)], out, root=library)
    assert copies == [out / "cat.png", out / "trip" / "day" / "rocket-1.jpg"]
    assert [path.read_bytes() for path in copies] == list(before.values())
    assert copies[0].stat().st_mtime == one.stat().st_mtime
    assert mine.read_bytes() == b"mine"
    assert {path: path.read_bytes() for path in (one, two)} == before

    # Again: the copies are there already, so nothing is added.
    assert copy_to([photo(one), photo(two)], out, root=library) == copies
    assert len([path for path in out.rglob("*") if path.is_file()]) == 3


def test_copy_to_a_place_that_cannot_be_written(tmp_path):
    source = photos_dir() / "cat.png"
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(InputError, match="can be copied to"):
        copy_to([photo(source)], tmp_path / "file", root=photos_dir())
