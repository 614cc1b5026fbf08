"""npz files: what is none is refused at once."""

import os

import numpy as np
import pytest

from fer_mobile.arrays import NPZ_ERRORS, open_npz


def test_a_pipe_without_a_writer_is_refused_instead_of_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.npz")
    with pytest.raises(NPZ_ERRORS, match="a pipe"), open_npz(tmp_path / "pipe.npz"):
        pass


def test_a_link_to_a_file_is_read(tmp_path):
    np.savez(tmp_path / "real.npz", rows=np.arange(3))
    (tmp_path / "link.npz").symlink_to("real.npz")
    with open_npz(tmp_path / "link.npz") as content:
        assert content["rows"].tolist() == [0, 1, 2]
