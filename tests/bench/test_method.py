import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_mobile.bench import method
from fer_mobile.bench.circumstances import differences
from fer_mobile.bench.energy import joules_between, read_counters
from fer_mobile.bench.ratios import ratios
from fer_mobile.bench.result import parse_result, read_results
from fer_mobile.errors import InputError
from tests.bench.test_bench import ANDROID_ROW


def passes(count, **stages):
    return [[dict(stages)] for _ in range(count)]


def test_a_run_ends_after_30_passes_or_5_and_a_second_in_every_stage():
    slow, quick = {"decode": 250.0, "total": 300.0}, {"decode": 1.0, "total": 300.0}
    assert next(n for n in range(40) if method.enough(passes(n, **slow))) == 5
    assert next(n for n in range(40) if method.enough(passes(n, **quick))) == 30


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux's CPU affinity")
def test_a_run_is_bound_to_its_cores_and_released():
    before = os.sched_getaffinity(0)
    with method.pinned(1) as cores:
        assert os.sched_getaffinity(0) == set(cores) == {max(before)}
    assert os.sched_getaffinity(0) == before


def test_noise_is_the_difference_of_the_halves():
    assert method.noise([1.0]) is None
    assert method.noise([1.0, 1.0, 9.0, 1.0, 1.0]) == 0
    assert method.noise([1.0, 1.0, 3.0, 3.0]) == pytest.approx(1.0)


@given(st.floats(0.1, 10), st.integers(3, 40), st.integers(0, 10**6))
def test_the_interval_holds_a_ratio_that_is_there(factor, count, seed):
    random = np.random.default_rng(seed)
    drift = random.uniform(0.5, 2, count)  # the machine's own: it hits both alike
    some = [[{"total": float(factor * speed)}] for speed in drift]
    others = [[{"total": float(speed)}] for speed in drift]
    found = ratios(some, others)["total"]
    assert found.ratio == pytest.approx(factor)
    assert found.low - 1e-9 <= found.ratio <= found.high + 1e-9


def test_a_scattered_ratio_has_a_wide_interval_and_a_missing_stage_none():
    random = np.random.default_rng(1)
    some = [[{"detect": float(ms), "total": 2.0}] for ms in random.uniform(1, 3, 30)]
    others = [[{"detect": 2.0, "total": 2.0, "gray": 1.0}] for _ in range(30)]
    found = ratios(some, others)
    assert set(found) == {"detect", "total"}
    assert found["detect"].high - found["detect"].low > 0.1
    assert found["total"].low == found["total"].high == 1


def test_energy_is_read_where_linux_tells_it(tmp_path):
    assert read_counters(tmp_path) == {}
    assert joules_between({}, {}) is None
    for name, start, largest in (("intel-rapl:0", 5_000_000, 9), ("intel-rapl:1", 900, 1000)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "energy_uj").write_text(f"{start}\n")
        (tmp_path / name / "max_energy_range_uj").write_text(f"{largest}\n")
    (tmp_path / "intel-rapl:0:0").mkdir()  # a part of package 0, which counts it
    before = read_counters(tmp_path)
    assert len(before) == 2
    (tmp_path / "intel-rapl:0" / "energy_uj").write_text("7000000\n")
    (tmp_path / "intel-rapl:1" / "energy_uj").write_text("400\n")  # began again at 0
    assert joules_between(before, read_counters(tmp_path)) == pytest.approx(2.0005)


def test_two_results_say_what_stands_between_them(tmp_path):
    text = ANDROID_ROW.read_text(encoding="utf-8")
    row = parse_result(text, "row")
    assert differences(row, row) == []
    other = parse_result(text.replace("example SoC", "other SoC").replace("0.03", "0.3"), "other")
    assert differences(row, other) == [
        "the machines differ: example, example SoC, arm64-v8a, 8 and "
        "example, other SoC, arm64-v8a, 8",
        "the second run is noisy: 30% between its halves",
    ]
    machine = '"machine": "arm64-v8a"'
    faster = parse_result(text.replace(machine, f'{machine}, "vectors": "asimd i8mm"'), "faster")
    (line,) = differences(row, faster)
    assert line.startswith("the machines differ: ")
    assert "i8mm" in line


def test_result_files_are_read_as_one_document_or_as_lines(tmp_path):
    file = tmp_path / "rows.json"
    file.write_text(ANDROID_ROW.read_text(encoding="utf-8"), encoding="utf-8")
    (row,) = read_results(file)
    lines = tmp_path / "rows.jsonl"
    row.append_to(lines)
    row.append_to(lines)
    assert read_results(lines) == [row, row]
    lines.write_text("{}\n")
    with pytest.raises(InputError, match=r"rows.jsonl: expected a benchmark result"):
        read_results(lines)
    lines.write_text("")
    with pytest.raises(InputError, match="found an empty one"):
        read_results(lines)
    with pytest.raises(InputError, match="No such file"):
        read_results(tmp_path / "absent")


def test_compare_prints_both_and_warns(fer_mobile, tmp_path):
    other = tmp_path / "other.json"
    text = ANDROID_ROW.read_text(encoding="utf-8")
    other.write_text(text.replace('"mean_ms": 70.0', '"mean_ms": 35.0'), encoding="utf-8")
    shown = fer_mobile("bench", "--compare", ANDROID_ROW, other)
    assert shown.returncode == 0, shown.stderr
    (detect,) = [line.split() for line in shown.stdout.splitlines() if "detect" in line]
    assert detect == ["detect", "70.0", "90.0", "35.0", "90.0", "0.50"]
    assert "warning" not in shown.stdout
    other.write_text(text.replace('"example"', '"another"'), encoding="utf-8")
    found = fer_mobile.json("bench", "--compare", ANDROID_ROW, other)
    assert found["second"]["hardware"]["phone"] == "another"
    assert found["warnings"][0].startswith("the machines differ")
