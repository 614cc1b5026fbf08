"""The Ray engine, on a cluster of two nodes that is all on this machine and heard by none other."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from fer_mobile.errors import FerMobileError, InputError
from fer_mobile.gallery.scan import scan
from fer_mobile.gallery.store import ResultStore
from fer_mobile.images import find_photos
from fer_mobile.pipeline import load_pipeline
from tests.command_line import PATIENCE_S
from tests.conftest import ray_processes
from tests.gallery import factories
from tests.gallery.samples import run_filter
from tests.gallery.test_scan import rows_of


def test_without_ray(small_library, without_ray):
    with pytest.raises(InputError, match=r"pip install 'fer-mobile\[ray\]'"):
        run_filter(small_library, engine="ray")


def test_unknown_engine(small_library):
    with pytest.raises(InputError, match="engine: expected processes or ray, found 'spark'"):
        run_filter(small_library, engine="spark")


@pytest.mark.prove
def test_a_cluster_that_is_not_there(small_library, monkeypatch):
    pytest.importorskip("ray", reason="needs the extra `ray`")
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(InputError, match=r"RAY_ADDRESS: expected .* that runs, .* refused"):
        run_filter(small_library, engine="ray")


@pytest.mark.prove
def test_a_killed_worker_and_a_lost_machine_lose_nothing(cluster, large_library, tmp_path):
    import ray

    paths = find_photos(large_library)
    (paths[7]).write_bytes(b"broken")
    undisturbed = rows_of(scan(paths, load_pipeline))
    (second,) = cluster.worker_nodes
    assert ray.cluster_resources()["CPU"] == 2

    rows, killed = [], 0
    with ResultStore(tmp_path / "r.sqlite", "p") as store:
        for result in scan(paths, load_pipeline, engine="ray", store=store):
            rows.append(result)
            if len(rows) == 10:
                end = time.monotonic() + PATIENCE_S
                while not killed and time.monotonic() < end:
                    for process in ray_processes("_work")[:1]:
                        os.kill(process, signal.SIGKILL)
                        killed += 1
            if len(rows) == 25:
                cluster.remove_node(second, allow_graceful=False)
        assert killed == 1
        assert rows_of(rows) == undisturbed
        assert len(store) == len(paths) - 1  # none missing, none twice
        again = list(scan(paths, factories.refuses_to_work, engine="ray", store=store, resume=True))
    good = [row for row in rows if not row.error]
    assert [r.as_dict() for r in again if not r.error] == [r.as_dict() for r in good]


@pytest.mark.prove
def test_a_photo_that_crashes_its_process_is_a_row(cluster, small_library):
    results = list(scan(find_photos(small_library), factories.crashes_on_cat, engine="ray"))
    errors = {Path(row.path).name: row.error for row in results if row.error}
    assert sorted(errors) == ["broken.jpg", "cat.png"]
    assert "process that read it crashed" in errors["cat.png"]


@pytest.mark.prove
def test_a_photo_that_takes_too_long_is_a_row(cluster, small_library):
    paths = find_photos(small_library)
    results = list(scan(paths, factories.waits_on_cat, engine="ray", photo_timeout_s=5))
    errors = {Path(row.path).name: row.error for row in results if row.error}
    assert sorted(errors) == ["broken.jpg", "cat.png"]
    assert "cat.png: reading it took longer than 5 s" in errors["cat.png"]


@pytest.mark.prove
def test_a_worker_without_pipeline_says_why(cluster, small_library):
    with pytest.raises(FerMobileError, match="could not make its pipeline: model 'x'"):
        list(scan(find_photos(small_library), factories.no_model, engine="ray"))
