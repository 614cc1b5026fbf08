"""When each long proof last passed: `make prove` writes a row a test into tests/proofs.jsonl.

    python -m tests.proofs

lists the proofs that there are, those without a row first, and then by age.

What a proof gives to pytest's `record_property` is in its row, as `figures`: counts by what they
are of, and greatest values by a name with a unit (`peak memory, MB`).  The cases of a test are one
row, if none of them failed: counts add up, and cases that were skipped are named.  The hooks here
are pytest's; tests/conftest.py takes them over.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fer_mobile.files import write_text

ROWS = Path(__file__).with_name("proofs.jsonl")
RECORD = "RECORD_PROOFS"
"""Set in the environment by `make prove`; a proof that is run by hand leaves no row."""

_reports = pytest.StashKey[dict[str, list[pytest.TestReport]]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_reports] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    report = yield
    if item.get_closest_marker("prove") and (report.when == "call" or not report.passed):
        test = item.nodeid.partition("[")[0]
        item.config.stash[_reports].setdefault(test, []).append(report)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    tests = session.config.stash[_reports]
    passed = {test: [case for case in cases if case.passed] for test, cases in tests.items()}
    proved = {test: cases for test, cases in passed.items() if cases and not _failed(tests[test])}
    if not proved or RECORD not in os.environ:
        return
    facts = {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": _git("describe", "--always", "--dirty"),
        "python": platform.python_version(),
    }
    rows = read_rows()
    for test, cases in proved.items():
        seconds = round(sum(case.duration for case in cases), 1)
        rows[test] = {"proof": test, "cases": len(cases), "seconds": seconds} | facts
        if figures := merge(dict(case.user_properties) for case in cases):
            rows[test]["figures"] = figures
        if skipped := [_name(case) for case in tests[test] if case.skipped]:
            rows[test]["skipped"] = skipped
    write_text(ROWS, "".join(json.dumps(rows[test]) + "\n" for test in sorted(rows)))


def _failed(cases: Iterable[pytest.TestReport]) -> bool:
    return any(case.failed for case in cases)


def _name(case: pytest.TestReport) -> str:
    """What stands in brackets behind a test's name."""
    return case.nodeid.partition("[")[2].removesuffix("]")


def merge(figures: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The figures of several cases as one: counts added up, of the others the greatest."""
    merged: dict[str, Any] = {}
    for each in figures:
        for name, value in each.items():
            before = merged.get(name, 0)
            merged[name] = max(before, value) if ", " in name else before + value
    return merged


def read_rows() -> dict[str, dict[str, Any]]:
    """The rows by the names of their tests."""
    lines = ROWS.read_text("utf-8").splitlines() if ROWS.exists() else []
    return {row["proof"]: row for row in map(json.loads, lines)}


class _Collected:
    """Keeps the names of the tests that pytest finds."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.names = {item.nodeid.partition("[")[0] for item in session.items}


def main() -> None:
    """Print when each proof last passed."""
    collected, rows = _Collected(), read_rows()
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main(["--collect-only", "-q", "-m", "prove"], plugins=[collected])
    dates = {name: str(rows[name]["date"]) if name in rows else "" for name in collected.names}
    for name in sorted(dates, key=lambda name: (dates[name], name)):
        skipped = rows.get(name, {}).get("skipped")
        without = f" (not here: {', '.join(map(str, skipped))})" if skipped else ""
        print(f"{dates[name] or 'never':<10} {name}{without}")


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=ROWS.parent, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
