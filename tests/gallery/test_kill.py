"""A scan that is killed or interrupted loses only the photos in flight."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.command_line import PATIENCE_S
from tests.gallery.samples import run_filter

COMMAND = [
    sys.executable,
    "-c",
    "import typer; from fer_mobile.cli.filter import filter_command; typer.run(filter_command)",
]


def start(
    library: Path, cache: Path, *options: str, cwd: Path | None = None
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, str(library), *options],
        cwd=cwd,
        env={**os.environ, "FER_MOBILE_CACHE": str(cache)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A job that a script runs in the background inherits a SIGINT that is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def stored(cache: Path) -> list[dict]:
    """The rows that lie in the store now, read as any other process would."""
    path = cache / "results.sqlite"
    if not path.exists():
        return []
    db = sqlite3.connect(path, timeout=PATIENCE_S)
    try:
        return [json.loads(row) for (row,) in db.execute("SELECT row FROM result")]
    except sqlite3.OperationalError:  # not made yet
        return []
    finally:
        db.close()


def wait_for(condition) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def children(pid: int) -> list[int]:
    return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def without_times(rows: list[dict]) -> list[dict]:
    return [{k: v for k, v in row.items() if k != "stages"} for row in rows]


def kill_and_resume(library: Path, cache: Path, undisturbed: list[dict], after: int, workers: int):
    run = start(library, cache, "--workers", str(workers))
    wait_for(lambda: len(stored(cache)) >= after or run.poll() is not None)
    assert run.poll() is None, run.stderr.read()
    others = children(run.pid)
    run.kill()
    run.communicate()
    wait_for(lambda: not any(map(alive, others)))  # no worker goes on without its parent
    kept = stored(cache)
    assert after <= len(kept) < len(undisturbed)

    resumed = start(library, cache, "--resume", "--json", "--workers", str(workers))
    out, err = resumed.communicate(timeout=PATIENCE_S)
    assert resumed.returncode == 0, err
    rows = json.loads(out)["rows"]
    assert without_times(rows) == without_times(undisturbed)
    # Stage times tell a kept row from one computed again.
    times = [row["stages"] for row in rows]
    assert all(row["stages"] in times for row in kept)
    assert len(stored(cache)) == len(undisturbed)


@pytest.fixture(scope="module")
def undisturbed(large_library, tmp_path_factory) -> list[dict]:
    store = tmp_path_factory.mktemp("undisturbed") / "r.sqlite"
    return run_filter(large_library, store=store).as_dict()["rows"]


@pytest.mark.parametrize(
    "workers", [*(pytest.param(n, marks=pytest.mark.prove) for n in (0, 1)), 2]
)
def test_killed_midway(large_library, undisturbed, tmp_path, workers):
    assert len(undisturbed) == 60
    kill_and_resume(large_library, tmp_path, undisturbed, after=20, workers=workers)


def test_two_runs_at_once(large_library, undisturbed, tmp_path):
    both = [start(large_library, tmp_path, "--json") for _ in range(2)]
    for run in both:
        out, err = run.communicate(timeout=PATIENCE_S)
        assert run.returncode == 0, err
        assert without_times(json.loads(out)["rows"]) == without_times(undisturbed)
    assert len(stored(tmp_path)) == len(undisturbed)
    with closing(sqlite3.connect(tmp_path / "results.sqlite")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def workers(pid: int) -> list[int]:
    """The processes that read photos; another one, of Python's, looks after what they share."""
    lines = {each: Path(f"/proc/{each}/cmdline") for each in children(pid)}
    return [each for each, line in lines.items() if b"spawn_main" in line.read_bytes()]


def hears(pid: int, number: int) -> bool:
    """Whether a signal would reach a process: it neither blocks nor ignores it."""
    status = Path(f"/proc/{pid}/status").read_text()
    masks = dict(line.split(":\t") for line in status.splitlines() if line.startswith("Sig"))
    return not (int(masks["SigBlk"], 16) | int(masks["SigIgn"], 16)) & 1 << number - 1


def test_interrupted_while_the_workers_start(large_library, tmp_path):
    run = start(large_library, tmp_path, "--workers", "2")
    deaf: set[int] = set()

    def both_started() -> bool:
        found = workers(run.pid)
        assert not any(hears(pid, signal.SIGINT) for pid in found)
        deaf.update(found)
        return len(deaf) == 2

    wait_for(both_started)
    os.killpg(run.pid, signal.SIGINT)
    _, err = run.communicate(timeout=PATIENCE_S)
    assert (run.returncode, "Traceback" in err) == (130, False), err
    wait_for(lambda: not any(map(alive, deaf)))


def test_interrupted(large_library, undisturbed, tmp_path):
    run = start(large_library, tmp_path, "--workers", "2")
    wait_for(lambda: len(stored(tmp_path)) >= 10 or run.poll() is not None)
    others = children(run.pid)
    os.killpg(run.pid, signal.SIGINT)  # as Ctrl-C in a terminal does: the workers get it too
    _, err = run.communicate(timeout=PATIENCE_S)
    assert run.returncode == 130
    assert "--resume" in err
    assert "Traceback" not in err
    wait_for(lambda: not any(map(alive, others)))
    assert 10 <= len(stored(tmp_path)) < 60
    resumed = start(large_library, tmp_path, "--json")
    out, err = resumed.communicate(timeout=PATIENCE_S)
    assert without_times(json.loads(out)["rows"]) == without_times(undisturbed), err
