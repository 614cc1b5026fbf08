import pytest

from fer_mobile.bench.stats import stage_stats, verdict
from fer_mobile.errors import InputError
from fer_mobile.studies.table8 import TABLE8
from fer_mobile.types import STAGES

ROWS = [
    {"decode": 10.0, "detect": 30.0, "classify": 60.0, "total": 100.0},
    {"decode": 20.0, "detect": 60.0, "classify": 120.0, "total": 200.0},
    {"decode": 30.0, "detect": 270.0, "total": 300.0},  # no face: nothing to classify
]


def test_figures_of_three_photos():
    stats = stage_stats(ROWS)
    decode = stats["decode"]
    assert decode.n == 3
    assert decode.mean_ms == pytest.approx(20)
    assert decode.std_ms == pytest.approx(10)  # sqrt((100 + 0 + 100) / 2)
    assert decode.p50_ms == pytest.approx(20)
    assert decode.p90_ms == pytest.approx(28)  # 0.9 * 2 = 1.8: 20 + 0.8 * 10
    assert decode.p99_ms == pytest.approx(29.8)
    assert decode.share == pytest.approx(60 / 600)
    assert stats["total"].share == 1


def test_a_stage_that_a_photo_did_not_reach_does_not_count_for_it():
    stats = stage_stats(ROWS)
    assert stats["classify"].n == 2
    assert stats["classify"].mean_ms == pytest.approx(90)
    assert stats["classify"].share == pytest.approx(180 / 600)
    assert list(stats) == ["decode", "detect", "classify", "total"]


def test_without_a_total_the_shares_are_of_the_sum():
    stats = stage_stats([{"detect": 30.0, "classify": 10.0}])
    assert (stats["detect"].share, stats["classify"].share) == (0.75, 0.25)


def test_one_photo_has_no_spread():
    assert stage_stats(ROWS[:1])["total"].std_ms == 0


def test_the_verdict_is_p90_of_total_against_the_budget():
    stats = stage_stats(ROWS)  # p90 of total: 200 + 0.8 * 100 = 280 ms
    assert verdict(stats, 0.2801) == "pass"
    assert verdict(stats, 0.2799) == "fail"
    with pytest.raises(InputError, match="timed photo"):
        verdict(stage_stats([]), 0.5)


def test_writing_rounds_and_keeps_the_count_whole():
    found = stage_stats([{"total": 1 / 3}])["total"].model_dump()
    assert found["n"] == 1
    assert isinstance(found["n"], int)
    assert found["mean_ms"] == 0.3333


def test_table_8_has_every_stage_and_its_parts_sum_to_its_total():
    assert tuple(TABLE8.stages) == STAGES
    parts = sum(mean for stage, (mean, _) in TABLE8.stages.items() if stage != "total")
    assert parts == pytest.approx(TABLE8.stages["total"][0], abs=0.1)
