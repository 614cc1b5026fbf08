"""The figures of README.md and docs/bench.md are those of the files that they come from."""

import hashlib
import json
import re
import shutil
from pathlib import Path

import jsonschema
import pytest

from fer_mobile.bench.chart import draw_accuracy, draw_stages
from fer_mobile.bench.result import read_results, schema
from fer_mobile.model_file import read_contract
from fer_mobile.models import DEFAULT, shipped_models
from fer_mobile.resources import photos_dir
from fer_mobile.studies.table8 import TABLE8
from tools.readme_tables import peers_table, shipped_table

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
TIMES = (ROOT / "docs" / "bench.md").read_text(encoding="utf-8")
BENCH = ROOT / "benchmarks" / "results" / "bench_cpu.jsonl"


def test_the_tables_are_those_of_the_committed_rows():
    assert peers_table() in README
    assert shipped_table() in README


def test_the_figure_in_a_sentence_is_that_of_the_shipped_file():
    facts = shipped_models()[DEFAULT].facts()
    (int8,) = [row for row in facts["figures"] if row["precision"] == "int8"]
    assert f"{int8['recall']['disgust']:.1%} for disgust" in README


def test_the_python_example_runs(tmp_path, monkeypatch, small_npz, capsys):
    monkeypatch.chdir(tmp_path)
    shutil.copy(photos_dir() / "astronaut-smile.jpg", "photo.jpg")
    shutil.copy(small_npz, "faces.npz")
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(compile(example, "python.md", "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("happiness 0.")
    assert any("xcao_two_stream_float16.tflite" in line for line in printed)


def test_the_stage_table_is_that_of_the_committed_row():
    rows = read_results(BENCH)
    (row,) = [
        row.as_dict()
        for row in rows
        if (row.model.name, row.model.precision) == (DEFAULT, "int8")
        and row.photos.name == "affective-25"
    ]
    for stage, stats in row["stages"].items():
        shown = rf"\| {stage} \| {stats['n']} \| {stats['mean_ms']:.2f} \| {stats['p90_ms']:.2f} \|"
        assert re.search(shown, TIMES), stage


RENEWED = json.loads((BENCH.parent / "renewed.json").read_text(encoding="utf-8"))
"""Graphs of files whose contract was renewed since: see tools/renew_contracts.py."""


def test_the_committed_rows_are_of_the_shipped_files_and_fit_the_schema():
    rows = read_results(BENCH)
    for row in rows:
        jsonschema.validate(row.as_dict(), schema())
        file = shipped_models()[row.model.name].files[row.model.precision]
        content = file.read_bytes()
        # A file whose contract was renewed has the graph that was timed.
        graphs = {hashlib.sha256(content).hexdigest(): read_contract(file).model_sha256} | RENEWED
        assert graphs.get(row.model.sha256) == read_contract(file).model_sha256, file.name
    timed = {(row.model.name, row.model.precision) for row in rows}
    assert timed == {(name, kind) for name, m in shipped_models().items() for kind in m.files}


def words(svg: Path) -> list[str]:
    """What is written in a picture of Matplotlib's: letters are shapes, with a comment for each."""
    return re.findall("<!-- (.*?) -->", svg.read_text(encoding="utf-8"), re.DOTALL)


def draw_with_table8(results, picture):
    draw_stages(results, picture, TABLE8)


@pytest.mark.parametrize(
    ("name", "draw"), [("stages", draw_with_table8), ("accuracy", draw_accuracy)]
)
def test_the_pictures_are_those_of_the_committed_rows(name, draw, tmp_path):
    assert f"(images/{name}.svg)" in TIMES
    draw(read_results(BENCH), tmp_path / "drawn.svg")
    drawn = words(tmp_path / "drawn.svg")
    assert len(drawn) > 10
    assert drawn == words(ROOT / "docs" / "images" / f"{name}.svg")
