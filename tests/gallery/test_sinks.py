"""What all outputs of a run have in common, and the tables."""

from __future__ import annotations

import csv
import json
import shutil

import pytest

from fer_mobile.errors import InputError
from fer_mobile.gallery.run import filter_library
from fer_mobile.gallery.sinks.copies import CopySink, LinkSink
from fer_mobile.gallery.sinks.csv import CsvSink
from fer_mobile.gallery.sinks.html import HtmlSink
from fer_mobile.gallery.sinks.jsonl import JsonlSink
from fer_mobile.gallery.store import default_path
from fer_mobile.resources import photos_dir
from tests.gallery.samples import face, failed, photo, run_filter, write


@pytest.fixture
def library(tmp_path):
    folder = tmp_path / "library"
    folder.mkdir()
    for name in ("a.jpg", "b.jpg"):
        shutil.copy2(photos_dir() / "astronaut-smile.jpg", folder / name)
    return folder


@pytest.mark.parametrize("sink", [CsvSink, JsonlSink, HtmlSink])
def test_an_output_never_takes_the_place_of_what_is_read(library, tmp_path, sink):
    run_filter(library, [])
    (library / ".hidden.png").write_bytes(b"a photo that is not read")
    (library / "b.jpg.xmp").write_bytes(b"somebody's keywords")
    (tmp_path / "rows.csv").symlink_to(library / "a.jpg")
    places = [library / name for name in ("a.jpg", ".hidden.png", "b.jpg.xmp")]
    before = [place.read_bytes() for place in places]
    for place in (*places, library / "a.jpg.xmp", tmp_path / "rows.csv", default_path()):
        with pytest.raises(InputError, match=r"one of a (photo|sidecar)|which is read"):
            run_filter(library, [sink(place)])
    assert [place.read_bytes() for place in places] == before
    assert default_path().read_bytes().startswith(b"SQLite")


def test_two_outputs_need_two_places(library, tmp_path):
    with pytest.raises(InputError, match="a place of their own for the table, found that of"):
        run_filter(library, [JsonlSink(tmp_path / "rows"), CsvSink(tmp_path / "rows")])


def test_an_output_that_fails_does_not_stop_the_others(library, tmp_path, caplog):
    (tmp_path / "full").symlink_to("/dev/full")
    sinks = [
        CsvSink("/dev/full"),
        CopySink(tmp_path / "copies"),
        JsonlSink(tmp_path / "full"),
        HtmlSink(tmp_path / "report.html"),
    ]
    with pytest.raises(InputError, match=r"/dev/full: expected a place that can be written to"):
        run_filter(library, sinks)
    assert str(tmp_path / "full") in caplog.text
    assert len(sinks[1].written) == 2
    assert (tmp_path / "report.html").is_file()


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_read(library, tmp_path):
    (tmp_path / "file").write_text("no folder")
    read = []
    for place in (tmp_path / "file" / "rows.csv", tmp_path / "file" / "new" / "rows.csv"):
        sink = CsvSink(place)
        with pytest.raises(InputError, match="written to, found Not a directory"):
            filter_library(library, sinks=[sink], progress=lambda *step: read.append(step))
    assert read == []


def test_rows_of_what_matches_and_of_what_failed(tmp_path):
    from fer_mobile.gallery.filter import Filter

    results = [photo("a.jpg", face("fear")), photo("b.jpg", face("anger")), failed("c.jpg")]
    query = Filter(("anger",))
    write(JsonlSink(tmp_path / "rows.jsonl"), results, query=query)
    write(CsvSink(tmp_path / "rows.csv"), results, query=query)
    lines = (tmp_path / "rows.jsonl").read_text().splitlines()
    assert [json.loads(line)["path"] for line in lines] == ["b.jpg", "c.jpg"]
    with (tmp_path / "rows.csv").open(newline="") as file:
        assert [row["path"] for row in csv.DictReader(file)] == ["b.jpg", "c.jpg"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝", "\t", "\r", "\n"])
def test_no_cell_of_a_table_is_a_formula(tmp_path, start):
    name = f"{start}HYPERLINK(A1).jpg"
    write(CsvSink(tmp_path / "rows.csv"), [photo(name), photo("a=b.jpg"), failed(name)])
    with (tmp_path / "rows.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == [f"'{name}", "a=b.jpg", f"'{name}"]
    assert rows[2]["error"].startswith(f"'{name}")


def test_a_photo_that_is_gone_is_neither_copied_nor_linked(tmp_path):
    for sink in (CopySink(tmp_path / "copies"), LinkSink(tmp_path / "links")):
        assert write(sink, [photo(tmp_path / "gone.jpg")], tmp_path).written == []
