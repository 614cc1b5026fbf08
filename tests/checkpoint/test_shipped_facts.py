"""A .keras file with a checkpoint.json beside it, which may be of somebody else."""

import shutil

import pytest

from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.errors import ModelError
from fer_mobile.models import CHECKPOINT_JSON, shipped_models


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"labels": 3}'])
def test_facts_of_something_else_are_named(tmp_path, content):
    shutil.copy(shipped_models()["compact"].checkpoint, tmp_path)
    (tmp_path / CHECKPOINT_JSON).write_text(content)
    with pytest.raises(ModelError, match=r"checkpoint\.json: expected the facts of compact\.keras"):
        load_checkpoint(tmp_path / "compact.keras")
