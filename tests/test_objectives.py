"""Figures that are asked of a model: met, missed, recorded in its contract."""

from __future__ import annotations

import shutil

import pytest

from fer_mobile.convert import verify
from fer_mobile.errors import InputError, ModelError
from fer_mobile.evaluation import evaluate
from fer_mobile.model_file import read_contract, split
from fer_mobile.models import DEFAULT, shipped_models
from fer_mobile.objectives import THESIS, check_objectives, record_objectives

SHIPPED = shipped_models()["compact"].files["int8"]


def test_the_verdict_is_by_the_figures(small_npz):
    evaluation = evaluate(DEFAULT, small_npz)
    scores = evaluation.scores
    least = min(share for share in scores.recall.values() if share is not None)
    for metric, measured in (
        ("accuracy", scores.accuracy),
        ("balanced_accuracy", scores.balanced_accuracy),
        ("recall", least),
    ):
        (just,) = check_objectives(evaluation, {metric: measured})
        assert just.met
        assert just.measured == pytest.approx(measured, abs=1e-5)
        if measured < 1:
            assert not check_objectives(evaluation, {metric: min(1, measured + 0.01)})[0].met
    error = scores.calibration_error
    assert check_objectives(evaluation, {"calibration_error": error})[0].met
    assert not check_objectives(evaluation, {"calibration_error": error / 2})[0].met


def test_what_cannot_be_asked(small_npz):
    evaluation = evaluate(DEFAULT, small_npz)
    with pytest.raises(InputError, match="require: expected accuracy or"):
        check_objectives(evaluation, {"precision": 0.5})
    with pytest.raises(InputError, match="a share from 0 to 1 for recall, found 70"):
        check_objectives(evaluation, {"recall": 70})


def test_the_command_exits_with_the_verdict_and_records_it(fer_mobile, small_npz):
    file = fer_mobile.folder / SHIPPED.name
    shutil.copy(SHIPPED, file)
    command = ("evaluate", SHIPPED.name, "--data", small_npz)
    met = fer_mobile(*command, "--require", "accuracy=0.01")
    assert (met.returncode, "met: accuracy" in met.stdout) == (0, True)
    asked = ("--require", "accuracy=0.01", "--require", "recall=1", "--record")
    missed = fer_mobile(*command, *asked)
    assert missed.returncode == 1
    assert "MISSED: recall" in missed.stdout
    by_metric = {o.metric: o for o in read_contract(file).objectives}
    assert (by_metric["accuracy"].met, by_metric["recall"].met) == (True, False)
    assert by_metric["accuracy"].n == 32
    assert split(file.read_bytes())[0] == split(SHIPPED.read_bytes())[0]
    assert verify(file).passed
    assert fer_mobile(*command, *asked).returncode == 1
    assert len(read_contract(file).objectives) == 2  # renewed, not repeated
    told = fer_mobile.json(*command, "--require", "recall=1", code=1)
    assert told["objectives"][0]["met"] is False
    assert "METRIC=SHARE" in fer_mobile.refused(*command, "--require", "accuracy")


def test_a_missed_recall_names_the_labels(small_npz):
    """Of figures in a contract as of an evaluation; they have no calibration error."""
    figures = next(row for row in read_contract(SHIPPED).figures if row.precision == "int8")
    accuracy, recall = check_objectives(figures, THESIS)
    assert (accuracy.met, accuracy.missed_by) == (True, ())
    assert (recall.met, recall.missed_by) == (False, ("disgust", "contempt"))
    assert recall.measured == pytest.approx(figures.recall["contempt"])
    with pytest.raises(InputError, match="require: expected accuracy or balanced_accuracy or rec"):
        check_objectives(figures, {"calibration_error": 0.1})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("compact", "--record"), "--record: expected --require with it"),
        (("compact", "--require", "recall=1", "--record"), "a .tflite file, found 'compact'"),
        (
            (SHIPPED, "--require", "recall=1", "--record", "--corruption", "blur"),
            "faces as they are, found --corruption blur",
        ),
        (("compact", "--require", "recal=1"), "Did you mean 'recall'"),
    ],
)
def test_what_cannot_be_recorded_is_refused_before_the_work(fer_mobile, arguments, message):
    assert message in fer_mobile.refused("evaluate", *arguments, "--data", "nothing there")


def test_shipped_files_say_what_they_miss():
    """The verdict in each file's contract is that of its own figures."""
    for model in shipped_models(copies=True).values():
        for file in model.files.values():
            contract = read_contract(file)
            (own,) = [row for row in contract.figures if row.precision == contract.precision]
            assert contract.objectives == check_objectives(own, THESIS)
            assert contract.objectives[1].missed_by[0] == "disgust"


def test_only_files_record(small_npz, tmp_path):
    with pytest.raises(ModelError, match=r"expected a \.tflite file"):
        record_objectives(tmp_path, ())
