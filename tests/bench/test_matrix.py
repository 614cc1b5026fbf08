"""`bench --matrix`: every file in every runtime, and which to take."""

from dataclasses import replace

import pytest
from typer.testing import CliRunner

from fer_mobile.bench.matrix import MatrixRow, measure_matrix, recommend, shipped_files
from fer_mobile.bench.options import BenchOptions
from fer_mobile.bench.result import read_results
from fer_mobile.bench.table import recommendation_line
from fer_mobile.cli import app
from fer_mobile.errors import InputError
from fer_mobile.models import tflite_file
from fer_mobile.resources import photos_dir
from fer_mobile.runtime import interpreter
from tests.bench.test_bench import ANDROID_ROW

SMALL = MatrixRow("small", "int8", "ai-edge-litert", 1, 1_000_000, 0.87, 0.7, p90_ms=10.0)
LARGE = replace(SMALL, model="large", bytes=8_000_000, accuracy=0.875, p90_ms=30.0)
BEST = replace(LARGE, model="best", accuracy=0.90, p90_ms=600.0)
TWO = replace(SMALL, threads=2, p90_ms=6.0)
LAME = replace(SMALL, model="lame", bytes=500_000, accuracy=0.6)
FAILED = replace(SMALL, p90_ms=None, error="no such runtime")


@pytest.mark.parametrize(
    ("budget_s", "taken"), [(0.5, SMALL), (0.02, SMALL), (0.007, TWO), (1.0, BEST), (0.001, None)]
)
def test_what_to_take_within_a_budget(budget_s, taken):
    assert recommend([FAILED, LAME, LARGE, BEST, TWO, SMALL], budget_s) == taken


def test_the_sentence():
    assert recommendation_line(SMALL, 0.5) == (
        "Within 0.5 s a photo, take small int8: accuracy 87.0%, 1.00 MB, nine photos in ten within "
        "10.0 ms on 1 thread of ai-edge-litert."
    )
    assert recommendation_line(None, 0.001) == "No file is within 0.001 s a photo here."


def test_a_file_is_timed_and_a_runtime_that_is_not_there_is_a_row(tmp_path):
    (tmp_path / "one.jpg").write_bytes((photos_dir() / "astronaut-smile.jpg").read_bytes())
    found = list(
        measure_matrix(
            [tflite_file("compact")],
            ["ai-edge-litert", "tflite-runtime"],
            [1],
            options=BenchOptions(repetitions=1),
            photos=str(tmp_path),
        )
    )
    (row, result), (missing, nothing) = found
    assert row.p90_ms == result.stages["total"].p90_ms > 0
    assert row.memory_mb > 10
    assert row.accuracy == pytest.approx(0.877, abs=0.01)
    assert row.gpu in ("differs", "as-reference", "unknown")
    assert (missing.runtime, missing.p90_ms, nothing) == ("tflite-runtime", None, None)
    assert "tflite-runtime" in missing.error


def test_a_folder_without_photos_is_refused(tmp_path):
    with pytest.raises(InputError, match="expected at least one photo"):
        next(
            measure_matrix([tflite_file("compact")], ["ai-edge-litert"], [1], photos=str(tmp_path))
        )


def test_all_shipped_files_take_part():
    assert {path.name for path in shipped_files()} == {
        f"{name}_{precision}.tflite"
        for name in ("compact", "xcao_two_stream")
        for precision in ("int8", "float16")
    }


def test_another_runtime_is_refused():
    with pytest.raises(InputError, match="Did you mean 'tflite-runtime'"):
        interpreter.choose_runtime("tflite-runtim")
    assert interpreter.installed_runtimes()[0] == "ai-edge-litert"


def test_the_results_are_appended_to_a_file(tmp_path, monkeypatch):
    (result,) = read_results(ANDROID_ROW)
    measured = [(SMALL, result), (FAILED, None), (TWO, result)]
    monkeypatch.setattr("fer_mobile.bench.matrix.measure_matrix", lambda *a, **k: iter(measured))
    out = tmp_path / "rows.jsonl"
    for count in (2, 4):
        done = CliRunner().invoke(app, ["bench", "--matrix", "--out", str(out)])
        assert done.exit_code == 0, done.output
        assert len(read_results(out)) == count


@pytest.mark.parametrize(
    ("arguments", "refused"),
    [
        (["--matrix", "--against", "compact"], "--against: expected none with --matrix"),
        (["--matrix", "--profile"], "--profile: "),
        (["--matrix", "--device", "adb"], "--device: "),
        (["--matrix", "--estimate", "x1"], "--matrix: expected none with --estimate"),
        (["--estimate", "x1", "--out", "a.jsonl"], "--out: expected none with --estimate"),
        (["--estimate", "x1", "--chart", "a.svg"], "--chart: "),
        (["--compare", "a.jsonl", "b.jsonl", "--out", "a.jsonl"], "--out: "),
        (["--rows", "a.jsonl", "--chart", "a.svg", "--json"], "--json: "),
        (["import", "a.json", "--model", "compact"], "--model: expected none with `import`"),
    ],
)
def test_options_without_effect_are_refused(arguments, refused):
    done = CliRunner().invoke(app, ["bench", *arguments])
    assert isinstance(done.exception, InputError)
    assert str(done.exception).startswith(refused)
