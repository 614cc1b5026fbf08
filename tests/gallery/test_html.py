from __future__ import annotations

import base64
import io
import json
import os
import re
import shutil
from dataclasses import replace
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

from fer_mobile.errors import InputError
from fer_mobile.files import MARKER
from fer_mobile.gallery.filter import Filter
from fer_mobile.gallery.sinks.html import SINGLE_FILE_LIMIT, HtmlSink
from fer_mobile.gallery.sinks.thumbnails import encode
from fer_mobile.images import find_photos
from fer_mobile.labels import COLOURS
from fer_mobile.resources import photos_dir
from fer_mobile.studies.table8 import TABLE8
from fer_mobile.types import Box
from tests.gallery.samples import face, failed, photo, write

EVIL = "</script><script>alert(1)</script>.jpg"


def decode(uri: str) -> Image.Image:
    head, _, body = uri.partition(",")
    assert head == "data:image/jpeg;base64"
    return Image.open(io.BytesIO(base64.b64decode(body)))


def page_data(page: str) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


@pytest.fixture
def page(tmp_path):
    folder = photos_dir()
    hopper, group = folder / "hopper-portrait.jpg", folder / "four-portraits.jpg"
    with Image.open(hopper) as image:
        size = image.size
    boxes = [Box(0.25 * size[0], 0.5 * size[1], 0.5 * size[0], 0.25 * size[1])]
    results = [
        photo(hopper, face("neutral", 0.83, boxes[0]), size=size),
        photo(group, face("happiness"), face("anger")),
        photo(folder / "rocket.jpg"),
        failed(folder / EVIL),
    ]
    path = tmp_path / "new" / "report.html"
    write(
        HtmlSink(path, title="<Summer & sun>"),
        results,
        folder,
        model="a <model>",
        query=Filter(("neutral",)),
    )
    return path.read_text(encoding="utf-8")


def test_page_holds_every_photo(page):
    data = page_data(page)
    assert [entry["name"] for entry in data["photos"]] == [
        "hopper-portrait.jpg", "four-portraits.jpg", "rocket.jpg", EVIL,
    ]  # fmt: skip
    assert [[face["label"] for face in entry["faces"]] for entry in data["photos"]] == [
        ["neutral"], ["happiness", "anger"], [], [],
    ]  # fmt: skip
    assert [entry["error"] is None for entry in data["photos"]] == [True, True, True, False]
    assert data["head"]["show"] == ["neutral"]
    first = data["photos"][0]
    assert first["faces"][0]["box"] == [25, 50, 50, 25]
    assert sum(first["faces"][0]["probabilities"]) == pytest.approx(1, abs=1e-3)
    assert max(decode(first["thumb"]).size) == 320
    assert max(decode(first["photo"]).size) == 600  # never enlarged
    assert data["photos"][3]["thumb"] is None


def test_page_loads_nothing_and_runs_nothing_of_a_name(page):
    assert not re.findall(r"(?:src|href)=\"(?!data:)", page)
    assert "http" not in page.replace("http-equiv", "")
    assert page.count("<script") == 2
    assert "<model>" not in page
    assert "&lt;Summer &amp; sun&gt;" in page


def test_stage_table_and_verdict(page):
    assert "Samsung" not in page
    rows = dict(re.findall(r'<th scope="row">(\w+)</th><td>(\d+)</td>', page))
    assert rows == {
        "decode": "3", "detect": "3", "resize": "2", "gray": "2", "classify": "2", "total": "3",
    }  # fmt: skip
    assert "within the budget of 500 ms" in page


def test_a_reference_is_shown_when_it_is_asked_for(tmp_path):
    result = photo(photos_dir() / "rocket.jpg")
    write(HtmlSink(tmp_path / "r.html", reference=TABLE8), [result])
    page = (tmp_path / "r.html").read_text()
    assert "1,601.56" in page
    assert "Table 8: the thesis, Samsung Galaxy J3" in page


def test_over_the_budget(tmp_path):
    result = photo(photos_dir() / "rocket.jpg")
    write(HtmlSink(tmp_path / "r.html", budget_s=0.001), [result])
    page = (tmp_path / "r.html").read_text()
    assert "over the budget of 1.0 ms" in page
    assert "within the budget" not in page


def test_thumbnails_are_upright_and_missing_ones_are_none(tmp_path):
    image = Image.new("RGB", (400, 200), "blue")
    image.paste("red", (0, 0, 200, 200))  # Left half red: on top when orientation 6 is applied.
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.jpg", exif=exif)
    jpegs = encode(tmp_path / "turned.jpg", (1024, 100))
    large, small = (Image.open(io.BytesIO(jpeg)) for jpeg in jpegs)
    assert small.size == (50, 100)
    assert large.size == (200, 400)
    red, _, blue = small.getpixel((25, 10))
    assert red > 200
    assert blue < 60
    assert encode(tmp_path / "none.jpg", (100,)) == []


@pytest.fixture
def library(tmp_path):
    """A hundred and one photos, one of them under a name that an address must escape."""
    folder = tmp_path / "library"
    folder.mkdir()
    Image.new("RGB", (400, 300), "teal").save(folder / "50 % #1?.jpg")
    for number in range(SINGLE_FILE_LIMIT):
        (folder / f"{number:03}.jpg").hardlink_to(folder / "50 % #1?.jpg")
    return folder


def test_a_large_report_has_its_thumbnails_beside_it(library):
    html = library / "report.html"
    results = [photo(path) for path in find_photos(library)]
    steps = []
    write(HtmlSink(html), results, library, progress=lambda *step: steps.append(step))
    assert steps == [(n, 101) for n in range(1, 102)]
    entries = page_data(html.read_text())["photos"]
    assert len(entries) == 101
    for entry in entries:
        thumb, whole = (library / unquote(entry[name]) for name in ("thumb", "photo"))
        assert whole.samefile(library / entry["name"])
        with Image.open(thumb) as image:
            assert max(image.size) == 320
    assert len({entry["thumb"] for entry in entries}) == 101
    assert html.stat().st_size < 100_000
    assert len(find_photos(library)) == 101  # thumbnails are no photos


def test_thumbnails_are_made_once_and_go_with_their_photo(library):
    html, folder = library / "r.html", library / "r_files"
    paths = find_photos(library)

    def times() -> dict[str, int]:
        write(HtmlSink(html), [photo(path) for path in paths], library)
        return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.jpg")}

    first = times()
    (folder / "mine.txt").write_text("not a thumbnail")
    assert times() == first
    Image.new("RGB", (400, 300), "red").save(library / "new.jpg")
    paths = [library / "new.jpg", *paths[1:]]
    second = times()
    assert len(second) == 101
    assert len(second.keys() & first.keys()) == 100
    assert {name: first[name] for name in second if name in first}.items() <= second.items()
    assert (folder / "mine.txt").exists()


def test_a_report_that_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "file").write_text("x")
    for path in (tmp_path, tmp_path / "file" / "r.html"):
        with pytest.raises(InputError):
            write(HtmlSink(path), [photo(photos_dir() / "rocket.jpg")])
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_of_the_users_is_left_alone(library):
    mine = library / "r_files"
    mine.mkdir()
    (mine / "0123456789abcdef.jpg").write_bytes(b"a photo of mine")
    before = {path: path.stat().st_mtime_ns for path in [mine, *mine.iterdir()]}
    results = [photo(path) for path in find_photos(library) if path.parent == library]
    for _ in range(2):
        write(HtmlSink(library / "r.html"), results, library)
    assert {path: path.stat().st_mtime_ns for path in [mine, *mine.iterdir()]} == before
    assert sorted(path.name for path in library.iterdir() if path.is_dir()) == [
        "r_files", "r_files-2",
    ]  # fmt: skip
    page = (library / "r.html").read_text()
    assert all(entry["thumb"].startswith("r_files-2/") for entry in page_data(page)["photos"])


def test_a_photo_of_the_users_in_our_folder_stays(library):
    paths = find_photos(library)
    write(HtmlSink(library / "r.html"), [photo(path) for path in paths], library)
    folder = library / "r_files"
    mine = folder / "0123456789abcdef.jpg"
    mine.write_bytes(b"a photo of mine")
    ours = set(folder.glob("*.jpg")) - {mine}
    assert len(ours) == 101
    for path in paths:
        Image.new("RGB", (400, 300), "red").save(path)  # other photos: other thumbnails
    write(HtmlSink(library / "r.html"), [photo(path) for path in paths], library)
    assert mine.read_bytes() == b"a photo of mine"
    assert not any(path.exists() for path in ours)
    listed = (folder / MARKER).read_text().splitlines()[1:]
    assert sorted(listed) == sorted(path.name for path in set(folder.glob("*.jpg")) - {mine})


def test_a_report_of_many_photos_needs_a_file(library):
    with pytest.raises(InputError, match="html: expected a file, for more than 100 photos"):
        write(HtmlSink("-"), [photo(path) for path in find_photos(library)], library)


def test_labels_of_another_vocabulary_are_counted(tmp_path):
    source = photos_dir() / "rocket.jpg"
    other = photo(source, replace(face("fear"), label="awe", probabilities={"awe": 0.7, "x": 0.3}))
    results = [other, photo(source, face("fear")), photo(source)]
    write(HtmlSink(tmp_path / "r.html"), results, labels=("fear", "x"))
    page = (tmp_path / "r.html").read_text()
    pills = re.findall(r'data-key="(\w[\w ]*)".*?<b>(\d)</b>', page, re.DOTALL)
    assert pills == [("fear", "1"), ("x", "0"), ("multiple", "0"), ("awe", "1"), ("no face", "1")]
    head = page_data(page)["head"]
    assert head["letters"] == {"x": "X", "awe": "A"}
    assert head["emoji"]["fear"] == "😨"
    assert head["colours"] == {"x": COLOURS[0], "awe": COLOURS[1]}
    assert '<span class="emoji letter" aria-hidden="true">X</span>x' in page


def test_a_label_has_the_emoji_that_the_model_gives_it(tmp_path):
    source = photos_dir() / "rocket.jpg"
    run = {"labels": ("joy", "fear"), "emoji": {"joy": "😂"}}
    write(HtmlSink(tmp_path / "r.html"), [photo(source)], **run)
    head = page_data((tmp_path / "r.html").read_text())["head"]
    assert (head["emoji"]["joy"], head["letters"]) == ("😂", {})
    assert head["colours"] == {"joy": COLOURS[0]}


def test_white_letters_can_be_read_on_every_colour():
    """A contrast of 4.5 (WCAG 2.2, level AA)."""
    for colour in COLOURS:
        shares = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        linear = np.where(shares <= 0.04, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
        assert 1.05 / (linear @ (0.2126, 0.7152, 0.0722) + 0.05) >= 4.5, colour


def test_names_of_any_bytes_can_be_addressed(tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9.jpg")
    shutil.copy(photos_dir() / "rocket.jpg", path)
    write(HtmlSink(tmp_path / "r.html"), [photo(path)], tmp_path)
    (entry,) = page_data((tmp_path / "r.html").read_text())["photos"]
    assert entry["name"] == "caf\\xe9.jpg"
