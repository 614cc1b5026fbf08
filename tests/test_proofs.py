"""tests/proofs.jsonl says when each long proof last passed."""

from pathlib import Path

from tests import proofs

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
def test_long(record_property): record_property("kills", 200)

@pytest.mark.prove
def test_wrong(): assert False
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
    (row,) = proofs.read_rows().values()
    assert row["proof"] == "test_it.py::test_long"
    assert set(row) == {"proof", "seconds", "date", "commit", "python", "figures"}
    assert row["figures"] == {"kills": 200}


def test_every_row_is_of_a_proof_that_there_is():
    for name in proofs.read_rows():
        file, _, test = name.partition("[")[0].partition("::")
        assert f"def {test.rpartition('::')[2]}(" in (ROOT / file).read_text("utf-8"), name
