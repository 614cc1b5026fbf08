"""The shipped file in place of the export that would write it again."""

import pytest

from fer_mobile.convert import ExportOptions, verify
from fer_mobile.convert.shipped import copy_shipped
from fer_mobile.models import shipped_models


@pytest.mark.parametrize("quantize", ["int8", "float16"])
def test_the_shipped_file_and_its_contract_are_copied(tmp_path, quantize):
    shipped = shipped_models()["compact"].files[quantize]
    done = copy_shipped("compact", ExportOptions(quantize=quantize), tmp_path / "app/assets")
    assert done.shipped
    assert done.path == tmp_path / "app/assets" / shipped.name
    for suffix in (".tflite", ".json"):
        copy = done.path.with_suffix(suffix)
        assert copy.read_bytes() == shipped.with_suffix(suffix).read_bytes()
    assert done.verification.passed
    assert verify(done.path).passed


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("compact", {"quantize": "dynamic"}),  # a precision that is not shipped
        ("compact", {"io": "uint8"}),
        ("compact", {"color": "rgb"}),
        ("compact", {"size": 112}),
        ("compact", {"rewrite": False}),
        ("compact", {"calibrate": "faces"}),
        ("face_inception", {}),  # of the zoo, not shipped
        ("models/compact/compact.keras", {}),
    ],
)
def test_anything_else_is_left_to_the_converter(tmp_path, model, options):
    assert copy_shipped(model, ExportOptions(**options), tmp_path) is None
    assert list(tmp_path.iterdir()) == []
