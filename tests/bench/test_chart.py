import sys
from xml.etree import ElementTree

import pytest
from PIL import Image

from fer_mobile.bench.chart import draw_accuracy, draw_stages
from fer_mobile.bench.result import parse_result
from fer_mobile.errors import InputError, MissingPackageError
from fer_mobile.studies.table8 import TABLE8
from tests.bench.test_bench import ANDROID_ROW

TEXT = ANDROID_ROW.read_text(encoding="utf-8")
FIGURES = """,
   "figures": [{"precision": "int8", "protocol": "ferplus-strict", "split": "valid",
     "n": 100, "accuracy": 0.8, "balanced_accuracy": 0.6}]"""
END_OF_LABELS = '"contempt"\n   ]'
WITH_FIGURES = parse_result(TEXT.replace(END_OF_LABELS, END_OF_LABELS + FIGURES), "row")
BARE = parse_result(TEXT, "row")


def widths(svg):
    """Width of every bar: paths with four corners, by their fill colour."""
    root = ElementTree.parse(svg).getroot()
    found = {}
    for path in root.iter("{http://www.w3.org/2000/svg}path"):
        numbers = path.get("d", "").replace("M", "").replace("L", "").replace("z", "").split()
        style = path.get("style", "")
        if len(numbers) == 8 and "fill: #" in style:
            xs = [float(x) for x in numbers[::2]]
            color = style.partition("fill: ")[2][:7]
            found.setdefault(color, []).append(max(xs) - min(xs))
    return found


def test_bars_are_as_long_as_the_stages_take(tmp_path):
    draw_stages([BARE], tmp_path / "stages.svg", TABLE8)
    bars = widths(tmp_path / "stages.svg")
    ours, thesis, enlarged = bars["#e69f00"][:3]  # detect
    assert thesis / ours == pytest.approx(1601.56 / 70.0, rel=0.01)
    assert enlarged > 5 * ours
    assert enlarged / bars["#0072b2"][2] == pytest.approx(70.0 / 10.0, rel=0.01)  # decode
    draw_stages([BARE], tmp_path / "again.svg", TABLE8)
    assert (tmp_path / "stages.svg").read_bytes() == (tmp_path / "again.svg").read_bytes()


def test_pictures_are_png_or_svg(tmp_path):
    draw_stages([BARE, WITH_FIGURES], tmp_path / "stages.png")
    draw_accuracy([BARE, WITH_FIGURES], tmp_path / "accuracy.png")
    for name in ("stages.png", "accuracy.png"):
        with Image.open(tmp_path / name) as picture:
            assert picture.width > 800
            assert len(picture.convert("RGB").getcolors(1 << 20)) > 10
    with pytest.raises(InputError, match=r"ends in .svg or .png, found .bmp"):
        draw_stages([BARE], tmp_path / "stages.bmp")
    with pytest.raises(InputError, match="a model whose contract has figures, found none"):
        draw_accuracy([BARE], tmp_path / "accuracy.png")
    with pytest.raises(InputError, match="a result with the stage total, found none"):
        draw_stages([], tmp_path / "stages.png")


def test_without_matplotlib_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'fer-mobile\[chart\]'"):
        draw_stages([BARE], tmp_path / "stages.png")


def test_the_command_draws_rows(fer_mobile):
    done = fer_mobile("bench", "--rows", ANDROID_ROW, "--chart", "stages.svg")
    assert done.returncode == 0, done.stderr
    assert widths(fer_mobile.folder / "stages.svg")
    said = fer_mobile.refused("bench", "--rows", "absent.jsonl", "--chart", "stages.svg")
    assert "ends in .svg or .png, found .gif" in fer_mobile.refused("bench", "--chart", "a.gif")
    assert "absent.jsonl: expected a file of benchmark results" in said
