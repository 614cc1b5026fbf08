"""One export of each kind, shared by the tests of this folder."""

import shutil
from pathlib import Path

import pytest

from fer_mobile.convert import export
from fer_mobile.models import DEFAULT, shipped_models


@pytest.fixture(scope="session")
def exports(tmp_path_factory):
    """`exports(quantize, io=...)`: that export of the shipped default model, made once."""
    folder = tmp_path_factory.mktemp("exports")
    made = {}

    def make(quantize, io="int8", format="tflite"):
        key = (quantize, io, format)
        if key not in made:
            made[key] = export(DEFAULT, quantize=quantize, io=io, format=format, out=folder / io)
        return made[key]

    return make


@pytest.fixture
def own_copy(tmp_path):
    """The shipped int8 file and its contract, copied where a test may damage them."""
    file = shipped_models()[DEFAULT].files["int8"]
    for path in (file, file.with_suffix(".json")):
        shutil.copy(path, tmp_path)
    return Path(tmp_path / file.name)
