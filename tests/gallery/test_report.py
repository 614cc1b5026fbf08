from __future__ import annotations

import base64
import io
import json
import re

import pytest
from PIL import Image

from fer_mobile.errors import InputError
from fer_mobile.gallery.filter import Filter
from fer_mobile.gallery.report import write_report
from fer_mobile.gallery.thumbnails import data_uris
from fer_mobile.resources import photos_dir
from fer_mobile.types import Box
from tests.gallery.samples import face, failed, photo

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
    write_report(
        results,
        path,
        title="<Summer & sun>",
        model="a <model>",
        root=folder,
        query=Filter(("neutral",)),
    )
    return path.read_text(encoding="utf-8")


def test_page_holds_every_photo(page):
    data = page_data(page)
    assert [entry["name"] for entry in data["photos"]] == [
        "hopper-portrait.jpg", "four-portraits.jpg", "rocket.jpg", EVIL,
    ]  # fmt: skip
    assert [entry["key"] for entry in data["photos"]] == [
        "neutral", "multiple", "no face", "failed",
    ]  # fmt: skip
    assert data["show"] == ["neutral"]
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
    assert "1,601.56" in page
    assert "Samsung Galaxy J3" in page
    rows = dict(re.findall(r'<th scope="row">(\w+)</th><td>(\d+)</td>', page))
    assert rows == {
        "decode": "3", "detect": "3", "resize": "2", "gray": "2", "classify": "2", "total": "3",
    }  # fmt: skip
    assert "within the budget of 500 ms" in page


def test_over_the_budget(tmp_path):
    result = photo(photos_dir() / "rocket.jpg")
    write_report([result], tmp_path / "r.html", title="slow", budget_s=0.001)
    page = (tmp_path / "r.html").read_text()
    assert "over the budget of 1.0 ms" in page
    assert "within the budget" not in page


def test_thumbnails_are_upright_and_missing_ones_are_none(tmp_path):
    image = Image.new("RGB", (400, 200), "blue")
    image.paste("red", (0, 0, 200, 200))  # Left half red: on top when orientation 6 is applied.
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.jpg", exif=exif)
    small, large = map(decode, data_uris(tmp_path / "turned.jpg", (100, 1024)))
    assert small.size == (50, 100)
    assert large.size == (200, 400)
    red, _, blue = small.getpixel((25, 10))
    assert red > 200
    assert blue < 60
    assert data_uris(tmp_path / "none.jpg", (100,)) == ()


def test_large_reports_hold_thumbnails_only(tmp_path, monkeypatch):
    monkeypatch.setattr("fer_mobile.gallery.report.DETAIL_LIMIT", 1)
    results = [photo(photos_dir() / name) for name in ("rocket.jpg", "cat.png")]
    write_report(results, tmp_path / "r.html", title="many")
    assert [p["photo"] for p in page_data((tmp_path / "r.html").read_text())["photos"]] == [
        None
    ] * 2


def test_a_report_that_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "file").write_text("x")
    for path in (tmp_path, tmp_path / "file" / "r.html"):
        with pytest.raises(InputError):
            write_report([photo(photos_dir() / "rocket.jpg")], path, title="t")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
