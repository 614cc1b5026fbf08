from pathlib import Path

import pytest

from fer_mobile.bench.estimate import estimate
from fer_mobile.bench.rates import load_rates
from fer_mobile.errors import InputError
from fer_mobile.models import DEFAULT, shipped_models
from fer_mobile.studies.table8 import TABLE8
from fer_mobile.types import STAGES

ROOT = Path(__file__).parents[2]
FILES = shipped_models()[DEFAULT].files


@pytest.mark.parametrize("phone", load_rates().phones)
@pytest.mark.parametrize("photos", ["affective-25", "12mp"])
def test_an_estimate_is_a_range_and_its_total_the_sum(phone, photos):
    found = estimate(phone, photos=photos)
    assert tuple(found.stages) == STAGES
    for low, typical, high in found.stages.values():
        assert 0 < low < typical < high
    for end in range(3):
        parts = sum(stage[end] for name, stage in found.stages.items() if name != "total")
        assert found.stages["total"][end] == pytest.approx(parts)


def test_work_and_rates_make_the_time():
    found = estimate("galaxy-j3").stages
    # 86.1 million at 320×320; four Cortex-A53's 4.99 to 3.80 million a millisecond, ± a third
    network = 86.056 * 0.62 * 640 * 480 / 320**2
    rest = 3.2 * 3300 / 1053
    assert found["detect"].low == pytest.approx(network / (569 / 114 / 3) + 0.7 * rest, rel=0.03)
    assert found["detect"].high == pytest.approx(
        network / (300 / 79 / 4 * 0.75) + 1.6 * rest, rel=0.03
    )
    assert found["total"].high < TABLE8.stages["total"][0]


def test_slower_cores_larger_photos_and_float_weights_take_longer_and_threads_help():
    assert estimate("x1").stages["total"] < estimate("a55-a76").stages["total"]
    assert estimate("a55-a76").stages["total"] < estimate("a55").stages["total"]
    j3 = estimate("galaxy-j3")
    assert estimate("galaxy-j3", photos="12mp").stages["total"] > j3.stages["total"]
    assert estimate("galaxy-j3", threads=4).stages["detect"] < j3.stages["detect"]
    assert estimate("galaxy-j3", threads=4).stages == estimate("galaxy-j3", threads=9).stages
    floats = estimate("galaxy-j3", FILES["float16"]).stages["classify"]
    assert floats > j3.stages["classify"]


def test_the_budget_is_kept_perhaps_kept_or_missed():
    low, _, high = estimate("galaxy-j3").stages["total"]
    assert estimate("galaxy-j3", budget=high / 1000 + 0.001).fits == "yes"
    assert estimate("galaxy-j3", budget=(low + high) / 2000).fits == "perhaps"
    assert estimate("galaxy-j3", budget=low / 1000 - 0.001).fits == "no"


def test_the_committed_table_has_every_shipped_model():
    table = (ROOT / "benchmarks" / "results" / "estimates.md").read_text(encoding="utf-8")
    for model in shipped_models().values():
        for file in model.files.values():
            found = estimate("galaxy-j3", file)
            low, typical, high = found.stages["total"]
            cell = f"{typical:.0f} ({low:.0f} to {high:.0f})"
            row = f"| {file.stem} | galaxy-j3: 4×Cortex-A53, 1.4 GHz | {cell} | {found.fits} |"
            assert row in table


def test_every_rate_names_a_source_that_is_listed():
    rates = load_rates()
    named = [rates.mobilenet, rates.efficiency, rates.reference]
    for phone in rates.phones.values():
        given = phone.mobilenet_ms or phone.macs_per_cycle
        assert given, phone
        named += [phone.seven_zip, given]
    assert {table.source for table in named} == set(rates.sources)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"phone": "galaxi-j3"}, "Did you mean 'galaxy-j3'"),
        ({"phone": "x1", "photos": "holiday"}, "estimated photo set 'holiday'"),
        ({"phone": "x1", "threads": 0}, "threads: expected at least 1"),
    ],
)
def test_what_cannot_be_estimated(wrong, message):
    with pytest.raises(InputError, match=message):
        estimate(**wrong)


def test_the_command_says_that_it_is_an_estimate(fer_mobile):
    shown = fer_mobile("bench", "--estimate", "galaxy-j3")
    assert shown.returncode == 0, shown.stderr
    assert "ESTIMATE" in shown.stdout
    assert "not measured" in shown.stdout
    assert "fits 0.5 s: yes" in shown.stdout
    row = fer_mobile.json("bench", "--estimate", "x1", "--photos", "12mp")
    assert row["estimate"] is True
    assert row["stages_ms"]["total"]["high"] > row["stages_ms"]["total"]["low"]
