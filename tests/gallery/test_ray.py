"""The Ray engine, on a cluster of two nodes that is all on this machine and heard by none other."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from fer_mobile.errors import FerMobileError, InputError
from fer_mobile.gallery.run import run_filter
from fer_mobile.gallery.scan import scan
from fer_mobile.gallery.store import ResultStore
from fer_mobile.images import find_photos
from fer_mobile.pipeline import load_pipeline
from tests.gallery import factories
from tests.gallery.test_scan import answers


def test_without_ray(small_library, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
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


@pytest.fixture(scope="module")
def cluster():
    # Read when it is imported: no usage statistics, and no other address than 127.0.0.1.
    os.environ["RAY_USAGE_STATS_ENABLED"] = os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    ray = pytest.importorskip("ray", reason="needs the extra `ray`")
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "include_dashboard": False, "node_ip_address": "127.0.0.1"}
    cluster = Cluster(initialize_head=True, head_node_args=node)
    cluster.add_node(num_cpus=1, node_ip_address="127.0.0.1")
    cluster.wait_for_nodes()
    ray.init(cluster.address, log_to_driver=False)
    yield cluster
    ray.shutdown()
    cluster.shutdown()


def working() -> list[int]:
    """The processes that work on photos now: Ray names them after the task."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cmdline").read_bytes().startswith(b"ray::_work"):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.mark.prove
def test_a_killed_worker_and_a_lost_machine_lose_nothing(cluster, large_library, tmp_path):
    import ray

    paths = find_photos(large_library)
    (paths[7]).write_bytes(b"broken")
    undisturbed = answers(scan(paths, load_pipeline))
    (second,) = cluster.worker_nodes
    assert ray.cluster_resources()["CPU"] == 2

    rows, killed = [], 0
    with ResultStore(tmp_path / "r.sqlite", "p") as store:
        for result in scan(paths, load_pipeline, engine="ray", store=store):
            rows.append(result)
            if len(rows) == 10:
                end = time.monotonic() + 30
                while not killed and time.monotonic() < end:
                    for process in working()[:1]:
                        os.kill(process, signal.SIGKILL)
                        killed += 1
            if len(rows) == 25:
                cluster.remove_node(second, allow_graceful=False)
        assert killed == 1
        assert answers(rows) == undisturbed
        assert len(store) == len(paths) - 1  # none missing, none twice
        again = list(scan(paths, factories.refuses_to_work, engine="ray", store=store, resume=True))
    good = [row for row in rows if not row.error]
    assert [r.as_dict() for r in again if not r.error] == [r.as_dict() for r in good]


@pytest.mark.prove
def test_a_photo_that_kills_its_process_is_a_row(cluster, small_library):
    results = list(scan(find_photos(small_library), factories.dies_on_cat, engine="ray"))
    errors = {Path(row.path).name: row.error for row in results if row.error}
    assert sorted(errors) == ["broken.jpg", "cat.png"]
    assert "process that read it died" in errors["cat.png"]


@pytest.mark.prove
def test_a_worker_without_pipeline_says_why(cluster, small_library):
    with pytest.raises(FerMobileError, match="could not make its pipeline: model 'x'"):
        list(scan(find_photos(small_library), factories.no_model, engine="ray"))
