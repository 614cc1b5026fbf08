"""The shipped file in place of the export that would write it again."""

import dataclasses
import io
import json
import zipfile

import pytest

import fer_mobile.convert.shipped as module
from fer_mobile.convert import ExportOptions, verify
from fer_mobile.convert.shipped import copy_shipped
from fer_mobile.errors import InputError
from fer_mobile.model_file import attach, split
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


def test_an_export_that_fails_leaves_the_earlier_file(tmp_path):
    earlier = tmp_path / "compact_int8.tflite"
    earlier.write_bytes(b"earlier")
    (tmp_path / "compact_int8.json").mkdir()  # in the place of the contract
    with pytest.raises(InputError, match="found a folder"):
        copy_shipped("compact", ExportOptions(), tmp_path)
    assert earlier.read_bytes() == b"earlier"


def test_a_contract_of_another_version_is_copied_to_the_byte(tmp_path, monkeypatch):
    shipped = shipped_models()["compact"]
    own = tmp_path / "models"
    own.mkdir()
    bare, contract = split(shipped.files["int8"].read_bytes())
    text = json.dumps(json.loads(contract.to_json()) | {"of tomorrow": 1})
    archive = attach(bare, contract)
    assert contract.to_json().encode() in archive
    with zipfile.ZipFile(io.BytesIO(archive)) as members:
        labels, reference = members.read("labels.txt"), members.read("reference.json")
    file = io.BytesIO(bare)
    file.seek(0, io.SEEK_END)
    with zipfile.ZipFile(file, "a") as out:
        for name, content in (
            ("labels.txt", labels), ("contract.json", text), ("reference.json", reference),
        ):  # fmt: skip
            out.writestr(name, content)
    (own / "compact_int8.tflite").write_bytes(file.getvalue())
    (own / "compact_int8.json").write_text(text, "utf-8")
    other = dataclasses.replace(shipped, folder=own)
    monkeypatch.setattr(module, "shipped_models", lambda **_: {"compact": other})
    done = copy_shipped("compact", ExportOptions(), tmp_path / "app")
    assert done.path.read_bytes() == file.getvalue()
    assert done.path.with_suffix(".json").read_text("utf-8") == text


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
