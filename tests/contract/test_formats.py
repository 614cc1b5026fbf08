"""Formats 1 and 2 are read, what they did not say is unknown, and format 3 is as published."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_mobile.contract import UNKNOWN, ModelContract, Provenance
from fer_mobile.errors import ModelError
from fer_mobile.model_file import CONTRACT_NAME, LABELS_NAME, attach, model_checksum, split
from fer_mobile.models import shipped_models
from fer_mobile.resources import models_dir

HERE = Path(__file__).parent
FORMAT_2 = json.loads((HERE / "format_2.json").read_text(encoding="utf-8"))
"""The contract of `compact_int8.tflite` as version 0.1.0 shipped it."""


@pytest.fixture(scope="module")
def bare() -> bytes:
    return split((models_dir() / "compact" / "compact_int8.tflite").read_bytes())[0]


def packed(model: bytes, fields: dict[str, object], labels: list[str] | None = None) -> bytes:
    """A file with a contract of these fields, as the versions before format 3 wrote it."""
    out = io.BytesIO(model)
    out.seek(0, io.SEEK_END)
    with zipfile.ZipFile(out, "a") as archive:
        names = labels if labels is not None else fields.get("labels", [])
        archive.writestr(LABELS_NAME, "\n".join(map(str, names)) + "\n")
        archive.writestr(CONTRACT_NAME, json.dumps(fields))
    return out.getvalue()


def test_format_2_is_read(bare):
    assert model_checksum(bare) == FORMAT_2["model_sha256"]  # the graph of then
    _, contract = split(packed(bare, FORMAT_2))
    assert contract.format_version == 3
    assert contract.output_calibration.temperature == FORMAT_2["adjustment"]["temperature"]
    assert contract.ranges == FORMAT_2["calibration"]
    facts = contract.provenance
    assert (facts.recipe, facts.epochs, facts.seeds) == ("compact_distilled", 83, (0,))
    assert facts.dataset.name == FORMAT_2["training"]["data"]
    assert facts.dataset.licence == facts.device == facts.teachers == UNKNOWN
    rows = FORMAT_2["reference"]
    assert contract.reference["happiness"] == tuple(row[1] for row in rows)
    assert [f.model_dump() for f in contract.figures] == FORMAT_2["figures"]


def test_format_1_is_read(bare):
    fields = {k: v for k, v in FORMAT_2.items() if k not in ("adjustment", "calibration")}
    fields |= {"format_version": 1, "training": None}
    for name in ("trainable_parameters", "parameter_cap"):
        fields.pop(name)
    _, contract = split(packed(bare, fields))
    assert contract.provenance.epochs == UNKNOWN
    assert contract.parameter_cap == 10_000_000


def test_the_shipped_files_say_where_they_come_from():
    for model in shipped_models(copies=True).values():
        for file in model.files.values():
            _, contract = split(file.read_bytes())
            facts = contract.provenance
            assert contract.format_version == 3
            assert facts.dataset.digest != UNKNOWN
            assert sum(counts["train"] for counts in facts.dataset.counts.values()) > 27_000
            assert facts.teachers
            assert all(t.initial_weights[0].licence == "MIT" for t in facts.teachers)
            assert facts.device != UNKNOWN
            assert facts == Provenance.model_validate(model.facts()["provenance"])
            assert set(contract.label_facts) == set(contract.labels)


def test_the_published_schema_is_that_of_the_code():
    published = json.loads((HERE.parents[1] / "docs/contract.schema.json").read_text("utf-8"))
    assert published == ModelContract.model_json_schema(mode="serialization")
    for model in shipped_models(copies=True).values():
        for file in model.files.values():
            text = file.with_suffix(".json").read_text(encoding="utf-8")
            jsonschema.validate(json.loads(text), published)


def test_what_a_later_version_adds_passes_unless_it_is_required(bare):
    _, contract = split(packed(bare, FORMAT_2))
    fields = json.loads(contract.to_json())
    fields["news"] = {"of": "a later version"}
    fields["preprocessing"]["news"] = 1
    assert split(packed(bare, fields))[1].name == "compact"
    fields["requires"] = ["news"]
    with pytest.raises(ModelError, match="found news in requires"):
        split(packed(bare, fields))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("preprocessing.crop.scale", float("nan")),
        ("preprocessing.crop.scale", 1e9),
        ("preprocessing.crop.scale", 0),
        ("preprocessing.crop.shift_y", float("inf")),
        ("preprocessing.crop.shift_y", -50),
        ("preprocessing.levelling", {"above": 10}),
        ("preprocessing.levelling", {"landmarks": "nose", "min_tilt": 10}),
        ("preprocessing.levelling", {"landmarks": "eyes", "min_tilt": -1}),
        ("preprocessing.levelling", {"landmarks": "eyes", "min_tilt": float("nan")}),
        ("preprocessing.colour_space", "P3"),
        ("input.scale", 1e300),
        ("input.zero_point", 10**12),
        ("input.shape", [1, 10**6, 10**6, 1]),
        ("labels", ["a"] * 8),
        ("labels", ["a", "b\nc", *"defghi"]),
        ("labels", [str(n) for n in range(101)]),
        ("parameters", -1),
        ("figures", [{"accuracy": 2}]),
        ("output_calibration", {"temperature": -1, "origin": ""}),
        ("licence", None),
        ("requires", "everything"),
    ],
)
def test_every_number_and_name_has_limits(bare, place, value):
    fields = json.loads(split(packed(bare, FORMAT_2))[1].to_json())
    part = fields
    *parents, last = place.split(".")
    for parent in parents:
        part = part[parent]
    part[last] = value
    with pytest.raises(ModelError) as raised:
        split(packed(bare, fields))
    assert "\n" not in str(raised.value)


def test_labels_beside_the_contract_must_be_its_own(bare):
    for labels in (FORMAT_2["labels"][::-1], FORMAT_2["labels"][:-1], []):
        with pytest.raises(ModelError, match=r"the contract's labels .* in labels\.txt"):
            split(packed(bare, FORMAT_2, labels))


def test_reference_outputs_are_of_the_labels(bare):
    _, contract = split(packed(bare, FORMAT_2))
    for reference in (
        {"joy": (0.1,)},
        {label: (0.1,) * (1 + (label == "fear")) for label in contract.labels},
    ):
        with pytest.raises(ModelError, match="reference outputs of every label"):
            split(attach(bare, contract.model_copy(update={"reference": reference})))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(max_examples=300)
@given(key=st.sampled_from(sorted(FORMAT_2)), value=JSON, version=st.sampled_from([1, 2, 3]))
def test_whatever_a_field_holds_the_file_is_read_or_refused(bare, key, value, version):
    fields = dict(FORMAT_2)
    if version == 3:
        fields = json.loads(split(packed(bare, FORMAT_2))[1].to_json())
    fields |= {"format_version": version, key: value}
    try:
        content = packed(bare, fields)
    except (TypeError, UnicodeEncodeError):  # a label that no archive can hold
        return
    with contextlib.suppress(ModelError):
        split(content)
