"""Runs side by side on a cluster of two nodes, one of whose processes is killed."""

import csv
import os
import re
import signal
import threading
import time

import pytest

from fer_mobile.errors import InputError
from fer_mobile.studies.run_suite import SuiteOptions, run_suite
from fer_mobile.studies.suite import Run, Suite, make_recipe
from tests.command_line import PATIENCE_S
from tests.conftest import ray_processes
from tests.studies.test_compare import DEFAULTS, SMALL, silently

LONG = Suite(
    "long",
    "One network for some time",
    "a study",
    {},
    ("accuracy",),
    (
        Run(
            "long",
            make_recipe(
                "long",
                "simple_cnn",
                {"size": 48},
                DEFAULTS | {"training": {"epochs": 12, "batch_size": 4}},
            ),
            {},
        ),
    ),
)


def test_without_ray_or_with_another_engine(small_npz, tmp_path, without_ray):
    with pytest.raises(InputError, match=r"pip install 'fer-mobile\[ray\]'"):
        run_suite(SMALL, tmp_path, SuiteOptions(engine="ray"), data=small_npz, report=silently)
    with pytest.raises(InputError, match="engine: expected sequential or ray, found 'spark'"):
        run_suite(SMALL, tmp_path, SuiteOptions(engine="spark"), data=small_npz, report=silently)


@pytest.mark.prove
def test_runs_on_a_cluster_have_the_rows_of_runs_in_turn(cluster, small_npz, tmp_path):
    told = []
    rows = run_suite(
        SMALL, tmp_path / "ray", SuiteOptions(engine="ray"), data=small_npz, report=told.append
    )
    turns = run_suite(SMALL, tmp_path / "turns", data=small_npz, report=silently)
    assert [row["run"] for row in rows] == [run.name for run in SMALL.runs]
    for row, turn in zip(rows, turns, strict=True):
        assert row.keys() == turn.keys()
        assert row.get("error") == turn.get("error")
        assert row.get("loss", 0) == pytest.approx(turn.get("loss", 0), rel=1e-3)
    assert (tmp_path / "ray" / "small.html").is_file()
    counted = sorted(re.findall(r"\((\d of \d)\)", "\n".join(told)))
    assert counted == ["1 of 3", "2 of 3", "3 of 3"]


@pytest.mark.prove
def test_a_run_whose_process_is_killed_goes_on_after_its_last_epoch(cluster, small_npz, tmp_path):
    folder = tmp_path / "runs" / "long"
    killed = []

    def kill():
        deadline = time.monotonic() + PATIENCE_S
        while not killed and time.monotonic() < deadline:
            if (folder / "state.json").exists():
                for process in ray_processes("_make"):
                    os.kill(process, signal.SIGKILL)
                    killed.append(process)
            time.sleep(0.02)

    killer = threading.Thread(target=kill)
    killer.start()
    (row,) = run_suite(LONG, tmp_path, SuiteOptions(engine="ray"), data=small_npz, report=silently)
    killer.join()
    assert len(killed) == 1
    assert "error" not in row
    assert row["epochs"] == 12
    with (folder / "history.csv").open(newline="") as file:
        assert [int(float(line["epoch"])) for line in csv.DictReader(file)] == list(range(1, 13))
