"""What the tests of this folder share."""

import shutil
from pathlib import Path

import pytest

from fer_mobile.models import DEFAULT, shipped_models


@pytest.fixture
def own_copy(tmp_path):
    """The shipped int8 file and its contract, copied where a test may damage them."""
    file = shipped_models()[DEFAULT].files["int8"]
    for path in (file, file.with_suffix(".json")):
        shutil.copy(path, tmp_path)
    return Path(tmp_path / file.name)
