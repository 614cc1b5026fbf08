"""Weights carried over to another input size."""

import json

import keras
import numpy as np
import pytest

from fer_mobile import cli, zoo
from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.checkpoint.checkpoint import make_checkpoint
from fer_mobile.convert import export
from fer_mobile.convert.input_size import at_size
from fer_mobile.errors import ModelError
from fer_mobile.models import DEFAULT
from fer_mobile.runtime.classifier import load_classifier
from tests.conftest import EXPORTED


@pytest.fixture(scope="module")
def source():
    return load_checkpoint(DEFAULT)


@pytest.mark.parametrize("size", [112, 224])
def test_weights_stay_and_figures_go(source, size):
    larger = at_size(source, size)
    assert larger.model.input_shape == (None, size, size, 1)
    assert (larger.name, larger.parameters) == (f"{DEFAULT}_{size}", source.parameters)
    assert larger.figures == ()
    for ours, theirs in zip(larger.model.get_weights(), source.model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_labels_of_one_s_own_stay():
    model = zoo.build("compact", size=24, width=0.25, classes=3)
    options = {"size": 24, "width": 0.25}  # as a run folder's recipe has them
    own = make_checkpoint(
        model, name="mine", architecture="compact", options=options, labels=("calm", "odd", "wild")
    )
    larger = at_size(own, 40)
    assert larger.model.output_shape == (None, 3)
    assert larger.labels == own.labels


def test_the_trained_size_is_the_source_itself(source):
    assert at_size(source, source.model.input_shape[1]) is source


@pytest.mark.parametrize("size", [0, 57, 100])
def test_sizes_that_do_not_fit(source, size):
    with pytest.raises(ModelError, match="56, 112"):
        at_size(source, size)


def test_a_network_of_its_own(tmp_path):
    image = keras.Input((56, 56, 1))
    x = keras.layers.Dense(8, "softmax")(keras.layers.Flatten()(image))
    keras.Model(image, x, name="own").save(tmp_path / "own.keras")
    with pytest.raises(ModelError, match=r"a network of its own.*Leave `size` out"):
        at_size(load_checkpoint(tmp_path / "own.keras", value_range="0..1"), 112)


def test_export_at_another_size(tmp_path, capsys, monkeypatch):
    done = export(EXPORTED, quantize="int8", size=40, out=tmp_path)
    assert done.path.name == f"{EXPORTED}_40_int8.tflite"
    assert done.verification.passed
    assert load_classifier(done.path).size == 40
    assert "ranges" not in done.calibration
    command = ["fer-mobile", "export", EXPORTED, "--size", "40", "--quantize", "none"]
    monkeypatch.setattr("sys.argv", [*command, "--no-rewrite", "--out", str(tmp_path), "--json"])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    assert exit_.value.code == 0
    found = json.loads(capsys.readouterr().out)
    assert found["path"].endswith(f"{EXPORTED}_40_float32.tflite")
    # As trained: rewritten, the first convolution reads padded rows as channels.
    assert "PAD" in done.verification.operations
    assert "PAD" not in found["verification"]["operations"]


def test_no_such_size_is_one_line(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(
        "sys.argv", ["fer-mobile", "export", "--size", "100", "--out", str(tmp_path / "out")]
    )
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    assert exit_.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "100 px" in error
    assert not (tmp_path / "out").exists()
