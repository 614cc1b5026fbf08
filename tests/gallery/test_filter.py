from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_mobile.errors import InputError
from fer_mobile.gallery.filter import (
    FAILED,
    NO_FACE,
    SHOWABLE,
    Filter,
    count,
    filed_under,
    parse_show,
)
from fer_mobile.labels import GROUPS, LABELS
from tests.gallery.samples import face, failed, photo

HAPPY = photo("a.jpg", face("happiness", 0.9))
SAD = photo("b.jpg", face("sadness", 0.4))
GROUP = photo("c.jpg", face("happiness", 0.8), face("fear", 0.3))
NOBODY = photo("d.jpg")
BROKEN = failed("e.jpg")
ALL = [HAPPY, SAD, GROUP, NOBODY, BROKEN]


def shown(show: str, min_confidence: float = 0.0, **rules) -> list[str]:
    query = Filter(parse_show(show or None), min_confidence, **rules)
    return [result.path[0] for result in ALL if query.matches(result)]


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


def test_all_faces_must_match():
    rule = {"every_face": True, "match": "all"}
    assert shown("happiness", **rule) == ["a"]
    assert shown("happiness,fear", **rule) == ["a", "c"]
    assert shown("happiness,fear", 0.31, **rule) == ["a"]
    assert shown("", 0.3, **rule) == ["a", "b", "c"]  # nobody: there is no face to match
    assert shown("", **rule) == ["a", "b", "c", "d"]


def test_values_out_of_range():
    for message, values in {
        "min_confidence: expected 0 to 1": {"min_confidence": 50.0},
        "match: expected any or all, found 'some'": {"match": "some"},
    }.items():
        with pytest.raises(InputError, match=message):
            Filter(**values)


def test_the_surest_of_the_wanted_faces():
    for show, sure in {(): 0.8, ("fear",): 0.3, ("fear", "happiness"): 0.8, ("anger",): 0}.items():
        assert Filter(show, every_face=True).confidence(GROUP) == sure
    assert Filter().confidence(GROUP) == 0  # "multiple"
    assert Filter().confidence(NOBODY) == Filter().confidence(BROKEN) == 0
    assert Filter().confidence(HAPPY) == 0.9


def test_min_confidence():
    assert shown("happiness,sadness", 0.4) == ["a", "b"]
    assert shown("happiness,sadness", 0.41) == ["a"]
    assert shown("", 0.5) == ["a", "c"]  # a filter is on: no photo without a face
    assert shown("multiple", 0.99) == ["c"]


def test_parse_show():
    assert parse_show(None) == parse_show([]) == ()
    assert parse_show(" happiness, ") == ("happiness",)
    assert parse_show("Happiness, multiple,happiness") == ("happiness", "multiple")
    assert parse_show(["happy", "surprised"]) == ("happiness", "surprise")
    assert parse_show(",".join(SHOWABLE)) == (*LABELS, "multiple", "unsure")


def test_groups():
    assert parse_show("group:positive") == ("happiness",)
    assert parse_show("group:neutral") == ("neutral", "surprise")
    assert parse_show("neutral") == ("neutral",)
    assert parse_show("anger, Group:Negative") == (
        "anger", "sadness", "disgust", "fear", "contempt",
    )  # fmt: skip
    assert sorted(label for labels in GROUPS.values() for label in labels) == sorted(LABELS)


@pytest.mark.parametrize("text", ["", " , "])
def test_no_word_is_no_list(text: str):
    """An empty variable of a script would else show, or copy, every photo."""
    with pytest.raises(InputError, match=f"^show: expected labels of .*, found {text!r}"):
        parse_show(text)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("hapiness", "happiness"),
        ("multipel", "multiple"),
        ("positive", "group:positive"),
        ("negative", "group:negative"),
    ],
)
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
    query = Filter(tuple(show), every_face=every_face)
    assert query.matches(result) == bool(keys & show)
    assert len(count([result], every_face=every_face)) == len(SHOWABLE) + 2
