"""tests/proofs.jsonl says when each long proof last passed."""

import json
from pathlib import Path

from tests import proofs
from tests.prove import page

ROOT = Path(__file__).resolve().parent.parent

pytest_plugins = "pytester"

CONFTEST = """
from tests import proofs
from tests.proofs import pytest_configure, pytest_runtest_makereport, pytest_sessionfinish
from pathlib import Path
proofs.ROWS = Path("rows.jsonl").resolve()
"""
TESTS = """
import pytest

def test_short(): pass

@pytest.mark.prove
@pytest.mark.parametrize("kills", [80, 120])
def test_long(kills, record_property):
    record_property("kills", kills)
    record_property("peak memory, MB", kills)

@pytest.mark.prove
@pytest.mark.parametrize("python", ["here", "nowhere"])
def test_where_it_can(python):
    if python == "nowhere":
        pytest.skip("not on this machine")

@pytest.mark.prove
@pytest.mark.skipif(True, reason="nothing here has it")
def test_nowhere(): pass

@pytest.mark.prove
@pytest.mark.parametrize("case", [1, 2])
def test_wrong(case): assert case == 1

@pytest.fixture
def broken(): raise OSError

@pytest.mark.prove
def test_broken(broken): pass
"""


def test_a_proof_that_passes_leaves_its_row(pytester, monkeypatch):
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_it=TESTS)
    pytester.makeini("[pytest]\nmarkers = prove")
    monkeypatch.setattr(proofs, "ROWS", proofs.ROWS)  # the inner run sets another
    pytester.runpytest_inprocess()
    assert not (pytester.path / "rows.jsonl").exists()
    monkeypatch.setenv(proofs.RECORD, "1")
    pytester.runpytest_inprocess()
    row, partly = proofs.read_rows().values()
    assert row["proof"] == "test_it.py::test_long"
    assert set(row) == {"proof", "cases", "seconds", "date", "commit", "python", "figures"}
    assert row["cases"] == 2
    assert row["figures"] == {"kills": 200, "peak memory, MB": 120}
    assert partly["proof"] == "test_it.py::test_where_it_can"
    assert (partly["cases"], partly["skipped"]) == (1, ["nowhere"])


def test_proofs_without_a_row_are_listed_first(pytester, monkeypatch, capsys):
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_it=TESTS)
    pytester.makeini("[pytest]\nmarkers = prove")
    rows = pytester.path / "rows.jsonl"
    partly = {
        "proof": "test_it.py::test_where_it_can",
        "date": "2026-01-30",
        "skipped": ["nowhere"],
    }
    broken = {"proof": "test_it.py::test_broken", "date": "2026-01-31"}
    rows.write_text(f"{json.dumps(partly)}\n{json.dumps(broken)}\n")
    monkeypatch.setattr(proofs, "ROWS", rows)
    proofs.main()
    assert capsys.readouterr().out.splitlines() == [
        "never      test_it.py::test_long",
        "never      test_it.py::test_nowhere",
        "never      test_it.py::test_wrong",
        "2026-01-30 test_it.py::test_where_it_can (not here: nowhere)",
        "2026-01-31 test_it.py::test_broken",
    ]


def test_every_row_is_of_a_proof_that_there_is():
    for name in proofs.read_rows():
        file, _, test = name.partition("::")
        assert f"def {test.rpartition('::')[2]}(" in (ROOT / file).read_text("utf-8"), name


def test_the_page_has_the_figures_of_the_rows():
    text = page.PAGE.read_text("utf-8")
    assert page.render(text, proofs.read_rows()) == text, "run: python -m tests.prove.page"
    for file in (ROOT / "tests" / "prove").glob("test_*.py"):
        assert file.name in text


def test_figures_add_up_and_greatest_values_do_not():
    rows = {
        f"tests/prove/test_it.py::test_{n}": {
            "date": f"2026-01-0{n}", "figures": {"kills": 600, "longest photo, s": n}
        }
        for n in (1, 2)
    }  # fmt: skip
    line = "| It holds | `tests/prove/test_it.py` | old | old |"
    assert page.render(line, rows) == (
        "| It holds | `tests/prove/test_it.py` | 1,200 kills, longest photo 2 s | 2026-01-01 |"
    )
    assert page.render("| It holds | `tests/test_it.py` | | |", rows).endswith("| | |")
