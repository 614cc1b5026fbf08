"""Photos whose face is too poor to be labelled, in every output of a filter."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace

import cv2
import pytest

from fer_mobile.gallery.filter import Filter, count, filed_under, parse_show
from fer_mobile.gallery.sinks.copies import CopySink
from fer_mobile.gallery.sinks.csv import CsvSink
from fer_mobile.gallery.sinks.html import HtmlSink
from fer_mobile.gallery.sinks.jsonl import JsonlSink
from fer_mobile.gallery.sinks.xmp import XmpSink
from fer_mobile.gallery.store import read_row
from fer_mobile.images import load_photo
from fer_mobile.resources import photos_dir
from fer_mobile.types import PhotoResult
from tests.gallery.samples import face, photo, run_filter, write
from tests.gallery.test_html import page_data

POOR = replace(face("fear"), label=None, confidence=None, quality=0.2, flaw="too dark")
ALONE = photo("poor.jpg", POOR)
GROUP = photo("group.jpg", face("happiness", 0.8), POOR)


def test_an_unsure_photo_is_filed_as_such():
    assert filed_under(ALONE) == ("unsure",)
    assert filed_under(GROUP) == ("multiple",)
    assert filed_under(GROUP, every_face=True) == ("happiness", "unsure")
    assert count([ALONE, GROUP])["unsure"] == 1
    assert count([ALONE, GROUP], every_face=True)["unsure"] == 2


@pytest.mark.parametrize(
    ("show", "rules", "matches"),
    [
        ("", {}, True),
        ("fear", {}, False),
        ("unsure", {}, True),
        ("unsure,fear", {"min_confidence": 0.9}, True),
        ("", {"min_confidence": 0.1}, False),
        ("unsure", {"every_face": True}, True),
    ],
)
def test_a_filter_shows_an_unsure_photo_where_it_is_asked_for(show, rules, matches):
    assert Filter(parse_show(show or None), **rules).matches(ALONE) == matches


def test_all_faces_match_only_where_all_are_sure():
    query = Filter(("happiness",), every_face=True, match="all")
    assert not query.matches(GROUP)
    assert replace(query, match="any").matches(GROUP)


def test_a_row_comes_back_from_text():
    row = json.dumps(ALONE.as_dict())
    assert read_row(row, "poor.jpg") == PhotoResult.from_dict(ALONE.as_dict())
    for wrong in ({"flaw": "ugly"}, {"quality": 2}, {"quality": "x"}, {"confidence": -1}):
        faces = [ALONE.as_dict()["faces"][0] | wrong]
        assert read_row(json.dumps(ALONE.as_dict() | {"faces": faces}), "poor.jpg") is None


@pytest.fixture
def library(tmp_path):
    """A clear photo, and the same one in the dark."""
    folder = tmp_path / "library"
    folder.mkdir()
    shutil.copy(photos_dir() / "astronaut-smile.jpg", folder / "clear.jpg")
    rgb = load_photo(folder / "clear.jpg").rgb
    dark = cv2.convertScaleAbs(rgb, alpha=0.06)
    cv2.imwrite(str(folder / "dark.png"), cv2.cvtColor(dark, cv2.COLOR_RGB2BGR))
    return folder


def test_a_run_by_another_least_quality_computes_nothing_again(library):
    fresh = run_filter(library)
    assert fresh.counts["unsure"] == 0
    strict = run_filter(library, min_quality=0.5)
    assert strict.counts["unsure"] == 1
    assert [r.label for r in strict.results] == [fresh.results[0].label, None]
    assert [r.stages for r in strict.results] == [r.stages for r in fresh.results]
    again = run_filter(library)
    assert [r.as_dict() for r in again.results] == [r.as_dict() for r in fresh.results]


def test_a_run_by_a_least_quality_keeps_the_labels_for_others(library):
    strict = run_filter(library, min_quality=0.5)
    later = run_filter(library)
    assert [r.stages for r in later.results] == [r.stages for r in strict.results]
    assert all(result.label for result in later.results)


def test_every_output_says_so(library, tmp_path):
    places = {name: tmp_path / name for name in ("r.jsonl", "r.csv", "r.html", "copies")}
    sinks = [
        JsonlSink(places["r.jsonl"]),
        CsvSink(places["r.csv"]),
        HtmlSink(places["r.html"]),
        CopySink(places["copies"]),
        XmpSink(library),
    ]
    run_filter(library, sinks, show="unsure", min_quality=0.5)
    (row,) = map(json.loads, places["r.jsonl"].read_text().splitlines())
    assert (row["label"], row["faces"][0]["label"]) == (None, None)
    assert row["faces"][0]["flaw"] == "too dark"
    with places["r.csv"].open(newline="") as file:
        (cells,) = csv.DictReader(file)
    assert (cells["label"], cells["faces"], cells["expressions"]) == ("", "1", "unsure")
    assert [path.name for path in places["copies"].iterdir()] == ["dark.png"]
    assert not list(library.glob("*.xmp"))  # no label, no keyword
    data = page_data(places["r.html"].read_text(encoding="utf-8"))
    assert [entry["faces"][0]["label"] for entry in data["photos"]] == ["happiness", None]
    assert data["photos"][1]["faces"][0]["flaw"] == "too dark"
    assert data["head"]["show"] == ["unsure"]


def test_a_keyword_of_an_earlier_run_goes(library):
    run_filter(library, [XmpSink(library)])
    assert (library / "dark.png.xmp").exists()
    run_filter(library, [XmpSink(library)], min_quality=0.5)
    assert not (library / "dark.png.xmp").exists()
    assert (library / "clear.jpg.xmp").exists()


def test_keywords_of_the_sure_faces_of_a_photo(tmp_path):
    shutil.copy(photos_dir() / "cat.png", tmp_path / "group.png")
    group = replace(GROUP, path=str(tmp_path / "group.png"))
    write(XmpSink(tmp_path), [group], tmp_path, query=Filter(every_face=True))
    text = (tmp_path / "group.png.xmp").read_text()
    assert "expression:happiness" in text
    assert "unsure" not in text


def test_the_pill_is_there_where_there_are_such_photos(tmp_path):
    for results, shown in (([ALONE], True), ([photo("a.jpg", face("fear"))], False)):
        write(HtmlSink(tmp_path / "r.html"), results)
        page = (tmp_path / "r.html").read_text(encoding="utf-8")
        assert ('data-key="unsure"' in page) == shown
        assert ("1 unsure" in page) == shown


def test_the_command_line(fer_mobile, library):
    said = fer_mobile("predict", library / "dark.png", "--min-quality", "0.5").stdout
    assert ": unsure (too dark) at " in said
    run = fer_mobile("filter", library, "--min-quality", "0.5", "--show", "unsure")
    assert run.stdout.splitlines() == [str(library / "dark.png")]
    for command in ("predict", "filter"):
        for wrong in ("1.5", "nan"):
            said = fer_mobile.refused(command, library, "--min-quality", wrong)
            assert f"--min-quality: expected 0 to 1, found {wrong}" in said
