"""Contracts for files that are there already: renewed, or attached to somebody's classifier."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from fer_mobile.contract import UNKNOWN
from fer_mobile.convert import verify
from fer_mobile.convert.attach import attach_contract, upgrade_contract
from fer_mobile.errors import InputError, ModelError
from fer_mobile.golden import golden_faces
from fer_mobile.labels import LABELS
from fer_mobile.model_file import contract_file, read_contract, split
from fer_mobile.pipeline import load_pipeline
from fer_mobile.preprocess import Levelling
from fer_mobile.resources import models_dir, photos_dir
from fer_mobile.runtime.classifier import load_classifier
from tests.contract.test_formats import FORMAT_2, packed

COMPACT = models_dir() / "compact"


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A classifier without a contract."""
    path = tmp_path / "theirs.tflite"
    path.write_bytes(split((COMPACT / "compact_float16.tflite").read_bytes())[0])
    return path


def test_a_pipe_is_no_model(tmp_path):
    os.mkfifo(tmp_path / "pipe.tflite")
    with pytest.raises(ModelError, match="found a device or a pipe"):
        upgrade_contract(tmp_path / "pipe.tflite")


def test_a_file_whose_contract_cannot_be_written_stays_as_it_is(tmp_path):
    path = tmp_path / "old.tflite"
    bare, _ = split((COMPACT / "compact_int8.tflite").read_bytes())
    path.write_bytes(old := packed(bare, FORMAT_2))
    contract_file(path).mkdir()
    with pytest.raises(InputError, match="found a folder"):
        upgrade_contract(path)
    assert path.read_bytes() == old


def test_somebody_elses_json_stays_as_it_is(tmp_path):
    file = tmp_path / "mine.tflite"
    file.write_bytes(before := (COMPACT / "compact_int8.tflite").read_bytes())
    (tmp_path / "mine.json").write_text('{"settings": 1}')
    with pytest.raises(InputError, match=r"mine\.json: expected no file, or an earlier contract"):
        upgrade_contract(file)
    assert file.read_bytes() == before
    assert (tmp_path / "mine.json").read_text() == '{"settings": 1}'


def test_an_older_file_is_renewed_around_its_graph(tmp_path):
    path = tmp_path / "old.tflite"
    bare, _ = split((COMPACT / "compact_int8.tflite").read_bytes())
    path.write_bytes(packed(bare, FORMAT_2))
    upgrade_contract(path)
    assert split(path.read_bytes())[0] == bare
    assert b'"format_version": 3' in path.read_bytes()
    assert contract_file(path).is_file()
    assert verify(path).passed
    once = path.read_bytes()
    upgrade_contract(path)
    assert path.read_bytes() == once


def test_a_foreign_classifier_runs_everywhere(foreign, fer_mobile):
    done = fer_mobile(
        "contract", "attach", foreign, "--labels", ",".join(LABELS), "--range", "0..1"
    )
    assert done.returncode == 0, done.stderr
    contract = read_contract(foreign)
    assert (contract.precision, contract.licence, contract.architecture) == (
        "float16",
        UNKNOWN,
        UNKNOWN,
    )
    assert contract.provenance.epochs == UNKNOWN
    ours = load_classifier(COMPACT / "compact_float16.tflite")
    faces = golden_faces(ours.size)[:16]
    np.testing.assert_array_equal(load_classifier(foreign).classify(faces), ours.classify(faces))
    photo = photos_dir() / "astronaut-smile.jpg"
    assert load_pipeline(foreign)(photo).label == "happiness"
    assert verify(foreign).passed
    assert fer_mobile.json("predict", photo, "--model", foreign)[0]["label"] == "happiness"


def test_labels_that_contradict_the_model_are_refused(foreign):
    """Our own exports state them in the model's metadata, which the checksum covers."""
    with pytest.raises(ModelError, match="in the model's metadata"):
        attach_contract(foreign, labels=LABELS[::-1], value_range="0..1")


def test_other_labels_and_ranges_are_obeyed(foreign, tmp_path):
    content = foreign.read_bytes()
    foreign.write_bytes(content.replace(b"Probabilities of ", b"Likelihoods of + "))
    names = [f"label {n}" for n in range(8)]
    out = tmp_path / "named.tflite"
    attach_contract(
        foreign, labels=names, value_range="-1..1", min_tilt=12.5, licence="MIT", out=out
    )
    contract = read_contract(out)
    assert (contract.labels, contract.licence) == (tuple(names), "MIT")
    assert contract.requires == ("levelling", "normalisation")
    assert contract.preprocessing.levelling.rule == Levelling(12.5)
    classifier = load_classifier(out)
    face = np.arange(classifier.size**2, dtype=np.int64).reshape(1, classifier.size, -1) % 256
    prepared = classifier.prepare(face.astype(np.uint8))
    assert (prepared.min(), prepared.max()) == (-1.0, 1.0)
    assert b"requires" not in foreign.read_bytes()  # the original stays


def test_logits_are_no_probabilities_until_they_are_called_so(tmp_path):
    """A float copy of the network without its softmax, as many repositories hold one."""
    import keras

    from fer_mobile.checkpoint import load_checkpoint
    from fer_mobile.convert.converter import to_tflite
    from fer_mobile.graph.network import read_network

    whole = load_checkpoint("compact").model
    logits = keras.Model(whole.input, whole.layers[-1].input)
    path = tmp_path / "logits.tflite"
    path.write_bytes(to_tflite(read_network(logits), "float32"))
    with pytest.raises(ModelError, match=r"probabilities that sum to 1.*output_values=logits"):
        attach_contract(path, labels=LABELS, value_range="0..1")
    attach_contract(path, labels=LABELS, value_range="0..1", output_values="logits")
    assert read_contract(path).requires == ("softmax",)
    ours = load_classifier(COMPACT / "compact_float16.tflite")
    faces = golden_faces(ours.size)[:16]
    theirs = load_classifier(path).classify(faces)
    np.testing.assert_allclose(theirs, ours.classify(faces), atol=1e-3)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"labels": LABELS[:7]}, InputError, "labels: expected 8 different names"),
        ({"labels": ["a"] * 8}, InputError, "labels: expected 8 different names"),
        ({"labels": ["Unsure", *LABELS[1:]]}, InputError, "none of multiple.*found Unsure"),
        ({"labels": ["a\nb", *LABELS[1:]]}, ModelError, "labels"),
        ({"output_values": "odds"}, InputError, "output_values: expected probabilities or"),
        ({"min_tilt": 200}, ModelError, "min_tilt: input should be less than or equal to 180"),
        ({"value_range": "0-1"}, InputError, r"value_range: expected 0\.\.1 or"),
    ],
)
def test_what_cannot_be_a_contract_is_refused(foreign, options, error, message):
    before = foreign.read_bytes()
    with pytest.raises(error, match=message):
        attach_contract(foreign, **({"labels": LABELS, "value_range": "0..1"} | options))
    assert foreign.read_bytes() == before


def test_files_that_are_no_bare_classifier(tmp_path):
    ours = shutil.copy(COMPACT / "compact_int8.tflite", tmp_path)
    with pytest.raises(ModelError, match="a file without a contract"):
        attach_contract(ours, labels=LABELS, value_range="0..1")
    yunet = shutil.copy(models_dir() / "yunet/face_detection_yunet.tflite", tmp_path)
    with pytest.raises(ModelError, match="one input and one output"):
        attach_contract(yunet, labels=LABELS, value_range="0..1")
    text = tmp_path / "text.tflite"
    text.write_text("no model")
    with pytest.raises(ModelError, match="a TensorFlow Lite model"):
        attach_contract(text, labels=LABELS, value_range="0..1")


def test_bad_input_on_the_command_line_is_one_line(foreign, fer_mobile):
    attach = ("contract", "attach", foreign, "--labels", ",".join(LABELS))
    assert "--range" in fer_mobile.refused(*attach, "--range", "0-1")
    assert "SCALE,SHIFT" in fer_mobile.refused(*attach, "--range", "0..1", "--crop", "wide")
    assert "crop" in fer_mobile.refused(*attach, "--range", "0..1", "--crop", "nan,0")
    assert "expected a .tflite file" in fer_mobile.refused("contract", "upgrade", "absent.tflite")
