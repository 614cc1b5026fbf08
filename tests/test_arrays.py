"""npz files: what is none is refused at once."""

import os
import subprocess
import sys

import numpy as np

from fer_mobile.arrays import open_npz

OPEN = """
import sys
from pathlib import Path
from fer_mobile.arrays import open_npz

with open_npz(Path(sys.argv[1])):
    pass
"""


def test_a_pipe_without_a_writer_is_refused_instead_of_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.npz")
    done = subprocess.run(  # in a process that can be ended where it waits
        [sys.executable, "-c", OPEN, tmp_path / "pipe.npz"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "OSError: a folder, a pipe or a device" in done.stderr


def test_a_link_to_a_file_is_read(tmp_path):
    np.savez(tmp_path / "real.npz", rows=np.arange(3))
    (tmp_path / "link.npz").symlink_to("real.npz")
    with open_npz(tmp_path / "link.npz") as content:
        assert content["rows"].tolist() == [0, 1, 2]
