"""Damaged, foreign and contradictory files: each is caught, and none of them is run."""

import io
import json
import shutil
import zipfile

import numpy as np
import pytest

from fer_mobile.convert import verify
from fer_mobile.errors import ModelError
from fer_mobile.model_file import (
    CONTRACT_NAME,
    REFERENCE_NAME,
    attach,
    contract_file,
    model_checksum,
    read_contract,
    split,
)
from fer_mobile.models import DEFAULT, shipped_models
from fer_mobile.resources import models_dir
from fer_mobile.runtime.classifier import load_classifier


def failed(path):
    return {check.name for check in verify(path).checks if not check.passed}


def rewritten(path, change=lambda fields: None, change_reference=lambda reference: None):
    """Replace the embedded contract and reference outputs by changed ones; the model stays."""
    bare, contract = split(path.read_bytes())
    fields = json.loads(contract.to_json())
    reference = {label: list(values) for label, values in contract.reference.items()}
    change(fields)
    change_reference(reference)
    out = io.BytesIO(bare)
    out.seek(0, io.SEEK_END)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("labels.txt", "\n".join(map(str, fields.get("labels", ()))))
        archive.writestr(CONTRACT_NAME, json.dumps(fields))
        archive.writestr(REFERENCE_NAME, json.dumps(reference))
    path.write_bytes(out.getvalue())
    contract_file(path).unlink(missing_ok=True)
    return path


def test_the_shipped_file_passes(own_copy):
    found = verify(own_copy)
    assert found.passed
    assert found.as_dict()["verdict"] == "pass"
    contract_file(own_copy).unlink()
    assert verify(own_copy).passed  # the file alone is enough


def test_a_contract_survives_its_round_trip(own_copy):
    bare, contract = split(own_copy.read_bytes())
    assert split(attach(bare, contract)) == (bare, contract)
    again = attach(bare, contract)
    assert attach(*split(again)) == again
    changed = contract.model_copy(update={"name": "änderung"})
    assert split(attach(bare, changed))[1] == changed


def test_the_parameters_are_held_against_the_cap(own_copy):
    def too_many(fields):
        fields.update(trainable_parameters=10_000_001)

    assert failed(rewritten(own_copy, too_many)) == {"parameters"}
    assert failed(rewritten(own_copy, lambda f: f.update(parameter_cap=None))) == set()


def test_every_region_is_covered_by_the_checksum(own_copy):
    content = own_copy.read_bytes()
    size = len(split(content)[0])
    for place in (0, 9, 1000, size // 2, size - 1):
        damaged = bytearray(content)
        damaged[place] ^= 1
        own_copy.write_bytes(damaged)
        assert failed(own_copy) == {"checksum"}
        assert verify(own_copy).operations == {}  # it was not loaded
        with pytest.raises(ModelError, match="was changed or damaged"):
            load_classifier(own_copy)


def test_a_contract_file_that_differs(own_copy):
    beside = contract_file(own_copy)
    beside.write_text(beside.read_text().replace("anger", "rage"))
    assert failed(own_copy) == {"contract beside"}
    beside.write_bytes(b"\xff\xfe")
    assert failed(own_copy) == {"contract beside"}


def test_a_reference_that_differs(own_copy):
    def exchange(reference):
        reference["happiness"], reference["neutral"] = (
            reference["neutral"],
            reference["happiness"],
        )

    def shorten(reference):
        reference.update({label: values[:5] for label, values in reference.items()})

    assert failed(rewritten(own_copy, change_reference=exchange)) == {"parity"}
    assert failed(rewritten(own_copy, change_reference=exchange)) == set()  # exchanged again
    assert failed(rewritten(own_copy, change_reference=shorten)) == {"parity"}


def test_labels_in_another_order_contradict_the_reference(own_copy):
    """Reference outputs have labels of their own, so that a reversed list does not go with them."""
    bare, contract = split(own_copy.read_bytes())
    plain = contract.model_copy(update={"labels": contract.labels[::-1]})
    # Our own exports state the labels in the model, too; a file of others need not.
    bare = bare.replace(b"Probabilities of ", b"Likelihoods of + ")
    plain = plain.model_copy(update={"model_sha256": model_checksum(bare)})
    own_copy.write_bytes(attach(bare, plain))
    contract_file(own_copy).unlink()
    assert failed(own_copy) == {"parity"}


@pytest.mark.parametrize("varied", [True, False])
def test_one_label_for_every_face_is_wrong_where_the_source_has_more(own_copy, monkeypatch, varied):
    def one_label(reference):
        rows = np.sort(np.array(list(reference.values())).T)
        reference.update(dict(zip(reference, rows.T.tolist(), strict=True)))

    def classify(self, pixels):
        rows = np.array([self.contract.reference[label] for label in self.contract.labels]).T
        return np.sort(rows[: len(pixels)].astype(np.float32))

    path = own_copy if varied else rewritten(own_copy, change_reference=one_label)
    monkeypatch.setattr("fer_mobile.runtime.classifier.Classifier.classify", classify)
    assert ("not constant" in failed(path)) == varied


def test_options_that_do_not_go_together(fer_mobile, own_copy):
    line = fer_mobile.refused("verify", own_copy, "--source", "compact")
    assert "--source: expected --faces PATH with it" in line
    line = fer_mobile.refused("verify", "compact", "--layers", "--faces", own_copy)
    assert "--faces: expected no --layers with it" in line


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f["input"].update(scale=0.5),
        lambda f: f["input"].update(zero_point=0),
        lambda f: f["output"].update(scale=1.0),
        lambda f: f["input"].update(dtype="uint8"),
        lambda f: f["input"].update(dtype="float32", scale=None, zero_point=None),
        lambda f: f["input"].update(shape=[1, 48, 48, 1]),
    ],
)
def test_a_contract_that_contradicts_the_graph(own_copy, change):
    path = rewritten(own_copy, change)
    assert failed(path) == {"contract and graph"}
    with pytest.raises(ModelError, match="in the graph"):
        load_classifier(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.update(format_version=4, news=1), "format 3 or older, found format 4.*Update"),
        (lambda f: f.update(format="other"), "a well-formed contract, found format"),
        (lambda f: f.pop("labels"), "labels: field required"),
        (lambda f: f.update(requires=["news"]), "found news in requires.*Update"),
        (lambda f: f["labels"].pop(), r"\[1, 8\], found 7 labels"),
        (lambda f: f["labels"].append("boredom"), r"\[1, 8\], found 9 labels"),
        (lambda f: f["labels"].__setitem__(0, "fear"), "a different label for each output"),
        (lambda f: f["input"].update(scale=0), "input.scale"),
        (lambda f: f["input"].update(scale=-1), "input.scale"),
        (lambda f: f["input"].update(shape=[]), "an input"),
        (lambda f: f["input"].update(shape=[1, 0, 0, 1]), "an input of 1 to"),
        (lambda f: f["output"].update(shape=[]), "for each output"),
        (lambda f: f["preprocessing"].update(version=99), "preprocessing version 1, found"),
        (lambda f: f["preprocessing"].update(gray="average"), "preprocessing.gray"),
        (lambda f: f["preprocessing"]["crop"].update(scale="wide"), "preprocessing.crop.scale"),
    ],
)  # fmt: skip
def test_a_contract_that_cannot_be_used(own_copy, change, message):
    path = rewritten(own_copy, change)
    for read in (verify, load_classifier, read_contract):
        with pytest.raises(ModelError, match=message) as raised:
            read(path)
        assert "\n" not in str(raised.value)


def with_archive(write, compression=zipfile.ZIP_STORED):
    out = io.BytesIO(split(shipped_models()[DEFAULT].files["int8"].read_bytes())[0])
    out.seek(0, io.SEEK_END)
    with zipfile.ZipFile(out, "a", compression) as archive:
        write(archive)
    return out.getvalue()


def encrypted():
    content = bytearray(with_archive(lambda a: a.writestr(CONTRACT_NAME, "{}")))
    content[content.rindex(b"PK\1\2") + 8] |= 1
    content[content.rindex(b"PK\3\4") + 6] |= 1
    return bytes(content)


SHIPPED = shipped_models()[DEFAULT].files["int8"]
BROKEN = {
    "empty": lambda: b"",
    "text": lambda: b"this is no model " * 100,
    "random": lambda: np.random.default_rng(0).bytes(10_000),
    "bare model": lambda: split(SHIPPED.read_bytes())[0],
    "other model": lambda: (models_dir() / "yunet" / "face_detection_yunet.tflite").read_bytes(),
    "cut": lambda: SHIPPED.read_bytes()[:-100],
    "cut in half": lambda: SHIPPED.read_bytes()[: SHIPPED.stat().st_size // 2],
    "no contract in it": lambda: with_archive(lambda a: a.writestr("labels.txt", "a")),
    "no JSON": lambda: with_archive(lambda a: a.writestr(CONTRACT_NAME, "{")),
    "no text": lambda: with_archive(lambda a: a.writestr(CONTRACT_NAME, b"\xff\xfe")),
    "deep JSON": lambda: with_archive(lambda a: a.writestr(CONTRACT_NAME, "[" * 500_000)),
    "a list": lambda: with_archive(lambda a: a.writestr(CONTRACT_NAME, "[]")),
    "long": lambda: with_archive(lambda a: a.writestr(CONTRACT_NAME, " " * 2_000_000)),
    "bomb": lambda: with_archive(
        lambda a: a.writestr(CONTRACT_NAME, " " * 200_000_000), zipfile.ZIP_DEFLATED
    ),
    "encrypted": encrypted,
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_file_that_is_no_export(tmp_path, kind):
    path = tmp_path / "broken.tflite"
    path.write_bytes(BROKEN[kind]())
    for read in (verify, load_classifier, read_contract):
        with pytest.raises(ModelError, match=r"broken\.tflite") as raised:
            read(path)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize("graph", [b"\0\0\0\0TFL3" + b"\xff" * 1000, b"no graph at all", b""])
def test_a_graph_that_is_none_under_a_contract_that_vouches_for_it(own_copy, graph):
    _, contract = split(own_copy.read_bytes())
    from fer_mobile.model_file import model_checksum

    liar = contract.model_copy(update={"model_sha256": model_checksum(graph)})
    own_copy.write_bytes(attach(graph, liar))
    contract_file(own_copy).unlink()
    assert failed(own_copy) == {"contract and graph"}


def test_the_detector_under_a_contract_of_ours(own_copy):
    from fer_mobile.model_file import model_checksum

    yunet = (models_dir() / "yunet" / "face_detection_yunet.tflite").read_bytes()
    _, contract = split(own_copy.read_bytes())
    liar = contract.model_copy(update={"model_sha256": model_checksum(yunet)})
    own_copy.write_bytes(attach(yunet, liar))
    contract_file(own_copy).unlink()
    assert failed(own_copy) == {"contract and graph"}


def test_paths_that_are_no_model(tmp_path, own_copy):
    for path, message in (
        (tmp_path / "absent.tflite", "no such name or file"),
        (tmp_path, "found a folder"),
        (contract_file(own_copy), r"found a \.json file"),
    ):
        with pytest.raises(ModelError, match=message):
            verify(path)
    folder = tmp_path / "folder.tflite"
    folder.mkdir()
    with pytest.raises(ModelError):
        verify(folder)
    shutil.rmtree(folder)
