"""When each long proof last passed: `make prove` writes a row a test into tests/proofs.jsonl.

What a proof gives to pytest's `record_property` is in the row, as its `figures`.  The hooks here
are pytest's; tests/conftest.py takes them over.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fer_mobile.files import write_text

ROWS = Path(__file__).with_name("proofs.jsonl")
RECORD = "RECORD_PROOFS"
"""Set in the environment by `make prove`; a proof that is run by hand leaves no row."""

_passed = pytest.StashKey[dict[str, pytest.TestReport]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_passed] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    report = yield
    if report.when == "call" and report.passed and item.get_closest_marker("prove"):
        item.config.stash[_passed][item.nodeid] = report
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    passed = session.config.stash[_passed]
    if not passed or RECORD not in os.environ:
        return
    facts = {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": _git("describe", "--always", "--dirty"),
        "python": platform.python_version(),
    }
    rows = read_rows()
    for name, report in passed.items():
        rows[name] = {"proof": name, "seconds": round(report.duration, 1)} | facts
        if report.user_properties:
            rows[name]["figures"] = dict(report.user_properties)
    write_text(ROWS, "".join(json.dumps(rows[name]) + "\n" for name in sorted(rows)))


def read_rows() -> dict[str, dict[str, object]]:
    """The rows by the names of their tests."""
    lines = ROWS.read_text("utf-8").splitlines() if ROWS.exists() else []
    return {row["proof"]: row for row in map(json.loads, lines)}


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=ROWS.parent, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"
