"""What tests of several packages share: data, a small dataset, a trained run, the command line."""

from __future__ import annotations

import fcntl
import gc
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from fer_mobile.files import write_bytes
from fer_mobile.golden import golden_faces
from fer_mobile.labels import FER2013, LABELS
from tests.command_line import CommandLine
from tests.proofs import (  # noqa: F401  pytest finds its hooks here
    pytest_configure,
    pytest_runtest_makereport,
    pytest_sessionfinish,
)

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# As many tests run at once as there are cores: threads within one would only wait for each other.
for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(name, "1")
# Ray reads them whenever it is first imported: no statistics, no address but 127.0.0.1.
os.environ["RAY_USAGE_STATS_ENABLED"] = os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"

# The garbage collector looks through all of TensorFlow, Keras and the tests each time.
gc.set_threshold(5_000)

# Other programs may load the machine: how long an example takes proves nothing.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")

EXPORTED = "compact"
"""The shipped model that tests export, the smallest; `make prove` exports all of them."""

TINY_RECIPE = """
name = "tiny"
[model]
architecture = "simpler_cnn"
[model.options]
size = 16
[training]
epochs = 2
batch_size = 4
precision = "float32"
[optimizer]
learning_rate = 5e-4
ema = 0.9
[augmentation]
shift = 0.02
"""


LONGEST = (
    *("android", "training", "convert", "graph", "studies", "explain", "zoo", "gallery", "detect"),
    *("test_own_faces.py", "test_readme.py"),
)
"""Folders and files that come first, so that short tests are left to keep all processes busy at the
end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests that take long first."""
    order = {name: place for place, name in enumerate(LONGEST)}
    here = Path(__file__).parent
    items.sort(key=lambda item: order.get(item.path.relative_to(here).parts[0], len(order)))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of the full dataset, which is not part of this repository."""
    folder = os.environ.get("FER_MOBILE_DATA")
    if not folder:
        pytest.skip("needs the dataset: set FER_MOBILE_DATA to its folder")
    return Path(folder)


def golden_votes() -> np.ndarray:
    """Votes that a few epochs can learn, happiness for bright faces: uint8 [N, 10]."""
    brightness = golden_faces(48).mean((1, 2))
    votes = np.zeros((len(brightness), 10), np.uint8)
    winner = np.where(brightness > np.median(brightness), 1, 3)
    votes[np.arange(len(votes)), winner] = 8
    votes[:, 0] = 2
    return votes


def small_columns() -> dict[str, np.ndarray]:
    """A dataset of the golden faces in the npz form: 80 train, 32 valid, 16 test."""
    votes = golden_votes()
    numbers = np.arange(len(votes))
    winners = [LABELS[i] for i in votes.argmax(1)]
    return {
        "images": golden_faces(48),
        "row": numbers.astype(np.int32),
        "split": np.select([numbers < 80, numbers < 112], [0, 1], 2).astype(np.uint8),
        "votes": votes,
        "fer2013_label": np.array(
            [FER2013.index(name) if name in FER2013 else 6 for name in winners], np.int8
        ),
        "copy_of": np.zeros(len(votes), np.uint8),
        "label_certain": np.ones(len(votes), bool),
    }


@pytest.fixture(scope="session")
def small_npz(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("small") / "small.npz"
    np.savez(path, **small_columns())
    return path


@pytest.fixture(scope="session")
def tiny_recipe(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "tiny.toml"
    path.write_text(TINY_RECIPE, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def once(tmp_path_factory) -> Callable[[str, Callable[[Path], Any]], Any]:
    """`once(name, make)`: what `make(folder)` returns, made by the first process that asks for it.

    The tests run in several processes; what takes long to make they share, for reading only.
    """
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent

    def get(name: str, make: Callable[[Path], Any]) -> Any:
        answer = root / f"once-{name}.pickle"
        with answer.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not answer.exists():
                made = make(root / f"once-{name}")
                write_bytes(answer, pickle.dumps(made))
        return pickle.loads(answer.read_bytes())

    return get


@pytest.fixture(scope="session")
def trained_run(once, small_npz, tiny_recipe) -> Path:
    """The folder of a really trained run."""

    def make(folder: Path) -> Path:
        from fer_mobile.training import train

        train(tiny_recipe, folder, data=small_npz, finish=False, report=lambda line: None)
        return folder

    return once("trained", make)


@pytest.fixture(scope="session")
def exports(once):
    """`exports(quantize, io=...)`: that export of a shipped model, made once."""

    def make(quantize, io="int8", format="tflite", model=EXPORTED):
        from fer_mobile.convert import export

        options = {"quantize": quantize, "io": io, "format": format}
        return once(
            "-".join([model, *options.values()]),
            lambda folder: export(model, out=folder, **options),
        )

    return make


@pytest.fixture
def fer_mobile(tmp_path) -> CommandLine:
    """The command line, run in an empty folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    return CommandLine(folder)


@pytest.fixture(scope="module")
def cluster():
    """A Ray cluster of two nodes with a core each, all on this machine, heard by none other."""
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


@pytest.fixture
def without_ray(monkeypatch):
    """Ray cannot be imported."""
    monkeypatch.setitem(sys.modules, "ray", None)


def ray_processes(task: str) -> list[int]:
    """The processes that work on a task now: Ray names them after it."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
        except OSError:
            continue
        if command.startswith(f"ray::{task}".encode()):
            found.append(int(entry.name))
    return found
