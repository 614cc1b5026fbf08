"""Shipped weights: half the bytes, the same model."""

import io
import zipfile

import h5py
import numpy as np

from fer_mobile.checkpoint import load_checkpoint
from tests.networks import two_streams
from tools.half_weights import halve_kernels


def test_kernels_are_halved_and_nothing_else_changes(tmp_path):
    model = two_streams()
    model.save(tmp_path / "whole.keras")
    whole = (tmp_path / "whole.keras").read_bytes()
    halved = halve_kernels(whole)
    assert halved == halve_kernels(whole)
    assert len(halved) < 0.6 * len(whole)
    (tmp_path / "half.keras").write_bytes(halved)
    again = load_checkpoint(tmp_path / "half.keras", value_range="0..1").model
    for ours, theirs in zip(again.get_weights(), model.get_weights(), strict=True):
        expected = theirs.astype(np.float16) if theirs.ndim > 1 else theirs
        np.testing.assert_array_equal(ours, expected.astype(np.float32))


def test_what_is_stored_is_float16(tmp_path):
    two_streams().save(tmp_path / "whole.keras")
    halved = halve_kernels((tmp_path / "whole.keras").read_bytes())
    with zipfile.ZipFile(io.BytesIO(halved)) as archive:
        weights = h5py.File(io.BytesIO(archive.read("model.weights.h5")))
    dtypes = set()
    weights.visititems(
        lambda _, item: (
            dtypes.add((item.ndim > 1, item.dtype.name)) if isinstance(item, h5py.Dataset) else None
        )
    )
    assert {(True, "float16"), (False, "float32")} <= dtypes
    assert (True, "float32") not in dtypes
