import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from rich.console import Console

import fer_mobile.bench.result as result_module
from fer_mobile.bench.options import BenchOptions
from fer_mobile.bench.photos import load_photo_set
from fer_mobile.bench.result import parse_result, schema
from fer_mobile.bench.run import run_bench
from fer_mobile.bench.stats import stage_stats
from fer_mobile.bench.table import notes, stage_table, verdict_line
from fer_mobile.errors import InputError
from fer_mobile.pipeline import load_pipeline
from fer_mobile.resources import photos_dir
from fer_mobile.studies.table8 import TABLE8
from fer_mobile.types import STAGES

FACES = ("hopper-portrait.jpg", "astronaut-smile.jpg")
NO_FACE = "rocket.jpg"
ANDROID_ROW = Path(__file__).with_name("android_row.json")


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Two photos with a face, one without, and one that is no photo."""
    folder = tmp_path_factory.mktemp("three")
    for name in (*FACES, NO_FACE):
        shutil.copy(photos_dir() / name, folder)
    (folder / "a-broken.jpg").write_bytes(b"no photo at all")
    return folder


@pytest.fixture(scope="module")
def result(photos):
    return run_bench(BenchOptions(repetitions=4), photos=photos)


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-c", "from fer_mobile.cli import main; main()", "bench", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_stage_is_timed_for_the_photos_that_reach_it(result):
    assert tuple(result.stages) == STAGES
    counts = {stage: stats.n for stage, stats in result.stages.items()}
    assert counts["decode"] == counts["detect"] == counts["total"] == 3
    assert counts["resize"] == counts["gray"] == counts["classify"] == 2
    assert result.photos.n == 3
    assert result.photos.failed == 1


def test_the_parts_make_up_the_total(photos):
    # Of one pass: medians over several need not add up where other programs run.
    (timed,) = load_pipeline("compact").batch([photos / FACES[0]])
    parts = dict(timed.stages)
    total = parts.pop("total")
    assert all(part > 0 for part in parts.values())
    assert sum(parts.values()) < total


def test_cold_start_noise_and_memory_are_told_apart(result):
    cold = result.cold_start
    assert cold.process_ms > cold.model_load_ms > 0  # imports, then two models
    assert cold.first_photo_ms > cold.first_inference_ms > 0
    assert result.noise is not None
    assert result.noise >= 0
    assert result.peak_memory_mb > 30


def test_the_result_fits_the_schema_and_survives_json(result, tmp_path):
    jsonschema.Draft202012Validator.check_schema(schema())
    result.append_to(tmp_path / "rows.jsonl")
    result.append_to(tmp_path / "rows.jsonl")
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="expected a file of results, found something else"):
        result.append_to(tmp_path / "notes.txt")
    assert (tmp_path / "notes.txt").read_text() == "mine"
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert rows == [result.as_dict()] * 2
    jsonschema.validate(rows[0], schema())
    assert str(tmp_path) not in json.dumps(rows)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda row: row.pop("verdict"),
        lambda row: row["stages"]["detect"].update(p90_ms="fast"),
        lambda row: row.update(schema_version=1),
        lambda row: row["model"].update(sha256="none"),
        lambda row: row["stages"].update(blink=row["stages"]["total"]),
        lambda row: row.update(noise=-1),
    ],
)
def test_a_spoilt_row_is_refused(result, spoil):
    row = result.as_dict()
    spoil(row)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(row, schema())
    with pytest.raises(InputError, match=r"row\.json: expected a benchmark result, .*, found "):
        parse_result(json.dumps(row), "row.json")


def test_a_verdict_that_the_figures_contradict_is_refused(result):
    row = result.as_dict()
    with pytest.raises(InputError, match="the verdict fail where the figures say pass"):
        parse_result(json.dumps(row | {"verdict": "fail"}), "row.json")
    row["stages"].pop("total")
    with pytest.raises(InputError, match="photos without the stage total"):
        parse_result(json.dumps(row), "row.json")


def test_the_committed_schema_is_that_of_the_code():
    text = (Path(result_module.__file__).parent / "schema.json").read_text(encoding="utf-8")
    assert json.loads(text) == schema()


def test_a_phones_row_fits_the_schema_and_prints():
    text = ANDROID_ROW.read_text(encoding="utf-8")
    jsonschema.validate(json.loads(text), schema())
    row = parse_result(text, ANDROID_ROW)
    assert row.as_dict() == json.loads(text)
    assert notes(row)[0] == "example, example SoC, threads: 2, Android 14 (API 34), LiteRT 1.4.0"


def test_a_key_that_is_new_does_no_harm(result):
    row = result.as_dict() | {"colour": "blue"}
    jsonschema.validate(row, schema())
    assert parse_result(json.dumps(row), "row.json").as_dict() == result.as_dict()


def test_the_table_shows_each_stage_beside_the_thesis(result):
    table = stage_table(result.stages, TABLE8)
    columns = {str(column.header): list(column.cells) for column in table.columns}
    assert columns["stage"] == list(STAGES)
    assert columns["table 8"] == [
        "57.9 ± 140.5",
        "1601.6 ± 3846.5",
        "1.5 ± 2.7",
        "126.8 ± 33.5",
        "384.1 ± 315.4",
        "2171.9 ± 4338.6",
    ]
    assert columns["photos"] == ["3", "3", "2", "2", "2", "3"]
    assert any("could not be read: 1" in line for line in notes(result))
    assert verdict_line(result.stages, 100).startswith("PASS")
    assert verdict_line(result.stages, 1e-6).startswith("FAIL")


def test_the_table_fits_80_columns_even_when_slow():
    slow = stage_stats([dict.fromkeys(STAGES, 12345.6), dict.fromkeys(STAGES, 23456.7)])
    console = Console(width=80, file=io.StringIO())
    console.print(stage_table(slow, TABLE8))
    shown = console.file.getvalue()
    assert "…" not in shown
    assert "2171.9 ± 4338.6" in shown


def test_the_photo_sets_checksum_follows_names_and_bytes(photos, tmp_path):
    first = load_photo_set(photos)
    copy = tmp_path / "copy"
    shutil.copytree(photos, copy)
    assert load_photo_set(copy).sha256 == first.sha256
    (copy / NO_FACE).rename(copy / "z.jpg")
    assert load_photo_set(copy).sha256 != first.sha256
    assert load_photo_set("affective-25").name == "affective-25"
    assert len(load_photo_set("affective-25").paths) == 25


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"threads": 0}, "threads: expected at least 1, found 0"),
        ({"repetitions": 0}, "repetitions: expected at least 1"),
        ({"budget": float("nan")}, "budget: expected seconds above 0"),
    ],
)
def test_a_wrong_argument_says_what_was_expected(wrong, message):
    with pytest.raises(InputError, match=message):
        BenchOptions(**wrong)


def test_no_readable_photo_is_an_error(tmp_path):
    with pytest.raises(InputError, match="Did you mean 'affective-25'"):
        run_bench(photos="affective-52")
    with pytest.raises(InputError, match="at least one photo, found none"):
        run_bench(photos=tmp_path)
    (tmp_path / "broken.jpg").write_bytes(b"no photo at all")
    (tmp_path / "gone.jpg").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(InputError, match="a photo that can be read, found 3 that cannot"):
        run_bench(photos=tmp_path)


def test_photos_have_names_of_any_bytes(tmp_path):
    folder = tmp_path / os.fsdecode(b"photos\xff")
    folder.mkdir()
    for name in (b"\xff.jpg", "é.jpg".encode()):
        shutil.copy(photos_dir() / FACES[0], folder / os.fsdecode(name))
    photo_set = load_photo_set(folder)
    assert [os.fsencode(path.name) for path in photo_set.paths] == ["é.jpg".encode(), b"\xff.jpg"]
    done = command("--photos", str(folder), "--repetitions", "1", "--budget", "60", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["photos"]["n"] == 2


def test_the_command_prints_one_json_document_and_exits_by_the_verdict(photos, tmp_path):
    arguments = ("--photos", str(photos), "--repetitions", "1", "--out", str(tmp_path / "o.jsonl"))
    passed = command(*arguments, "--budget", "60", "--json")
    assert passed.returncode == 0, passed.stderr
    row = json.loads(passed.stdout)
    jsonschema.validate(row, schema())
    assert row["verdict"] == "pass"
    assert json.loads((tmp_path / "o.jsonl").read_text()) == row

    failed = command(*arguments, "--budget", "0.000001", "--json")
    assert failed.returncode == 1, failed.stderr
    assert json.loads(failed.stdout)["verdict"] == "fail"

    table = command(*arguments, "--budget", "60")
    assert table.returncode == 0, table.stderr
    assert "PASS: 90% of photos" in table.stdout


def test_the_command_refuses_an_unknown_device_in_one_line():
    refused = command("--device", "gpu")
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert "expected cpu, adb or adb:SERIAL, found 'gpu'" in refused.stderr
    assert "Traceback" not in refused.stderr
