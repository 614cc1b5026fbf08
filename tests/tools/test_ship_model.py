"""A checkpoint becomes a shipped model's folder, from which it is loaded again."""

import numpy as np
import pytest

from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.models import ShippedModel, shipped_models
from tools.ship_model import ship


def test_what_is_shipped_is_loaded_again(tmp_path):
    shipped = load_checkpoint("compact")
    folder = tmp_path / shipped.name
    ship(shipped, folder, shipped.figures)
    assert sorted(path.name for path in folder.iterdir()) == ["checkpoint.json", "compact.keras"]
    assert ShippedModel("compact", folder).facts() == shipped_models()["compact"].facts()
    again = load_checkpoint(folder / "compact.keras").model
    for ours, theirs in zip(again.get_weights(), shipped.model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)  # they were halved before
    assert (folder / "compact.keras").stat().st_size == pytest.approx(
        shipped_models()["compact"].checkpoint.stat().st_size, rel=0.01
    )
