"""Figures against values computed by hand."""

import json

import numpy as np
import pytest

from fer_mobile.errors import InputError
from fer_mobile.metrics import classification_report, mean_divergence, score

NAMES = ("a", "b", "c", "d")
PROBABILITIES = np.array(
    [
        [0.7, 0.1, 0.1, 0.1],  # a, right
        [0.6, 0.4, 0.0, 0.0],  # a, is b
        [0.1, 0.8, 0.1, 0.0],  # b, right
        [0.2, 0.5, 0.3, 0.0],  # b, right
        [0.9, 0.1, 0.0, 0.0],  # a, is c
    ],
    np.float32,
)
LABELS = np.array([0, 1, 1, 1, 2])


def test_by_hand():
    found = score(PROBABILITIES, LABELS, NAMES)
    assert found.n == 5
    assert found.accuracy == pytest.approx(3 / 5)
    assert found.recall == {"a": 1.0, "b": pytest.approx(2 / 3), "c": 0.0, "d": None}
    assert found.balanced_accuracy == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert found.precision == {"a": pytest.approx(1 / 3), "b": 1.0, "c": None, "d": None}
    assert found.counts == {"a": 1, "b": 3, "c": 1, "d": 0}
    assert found.confusion == [[1, 0, 0, 0], [1, 2, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    # Five confidences in five different bins of 1/15: .7 .6 .8 .5 .9 with hits 1 0 1 1 0.
    assert found.calibration_error == pytest.approx((0.3 + 0.6 + 0.2 + 0.5 + 0.9) / 5)


def test_loss_and_report_by_hand():
    found = score(PROBABILITIES, LABELS, NAMES)
    chances = np.maximum([0.7, 0.4, 0.8, 0.5, 0.0], 1e-7)
    assert found.loss == pytest.approx(float(-np.log(chances).mean()))
    report = classification_report(found)
    assert list(report) == ["a", "b", "c", "macro avg", "weighted avg"]  # no face is a d
    assert report["a"] == pytest.approx({"precision": 1 / 3, "recall": 1, "f1": 0.5, "faces": 1})
    assert report["b"] == pytest.approx({"precision": 1, "recall": 2 / 3, "f1": 0.8, "faces": 3})
    assert report["c"] == {"precision": 0, "recall": 0, "f1": 0, "faces": 1}
    assert report["macro avg"] == pytest.approx(
        {"precision": 4 / 9, "recall": 5 / 9, "f1": 1.3 / 3, "faces": 5}
    )
    assert report["weighted avg"] == pytest.approx(
        {"precision": (1 / 3 + 3) / 5, "recall": 3 / 5, "f1": (0.5 + 3 * 0.8) / 5, "faces": 5}
    )


@pytest.mark.parametrize(
    ("probabilities", "labels", "found"),
    [
        (PROBABILITIES[:0], LABELS[:0], r"probabilities \[0, 4\], labels \[0\]"),
        (PROBABILITIES[:2], LABELS[:1], r"probabilities \[2, 4\], labels \[1\]"),
        (PROBABILITIES[:, :3], LABELS, r"probabilities \[5, 3\], labels \[5\]"),
        (PROBABILITIES, LABELS - 1, "labels from -1 to 1"),
        (PROBABILITIES, LABELS + 2, "labels from 2 to 4"),
        (3 * PROBABILITIES, LABELS, "sums from 3 to 3"),
        (np.log(PROBABILITIES + 1e-3), LABELS, "sums from -"),
        (PROBABILITIES * np.nan, LABELS, "sums from nan"),
    ],
)
def test_what_is_no_prediction_is_refused(probabilities, labels, found):
    with pytest.raises(InputError, match=found):
        score(probabilities, labels, NAMES)


def test_divergences_of_unlike_shapes_are_refused():
    with pytest.raises(InputError, match=r"actual: expected .* shape \[5, 4\], found \[1, 4\]"):
        mean_divergence(PROBABILITIES, PROBABILITIES[:1])


def test_faces_of_one_bin_are_averaged_before_their_gap():
    two = np.array([[0.9, 0.1], [0.9, 0.1]], np.float32)
    assert score(two, np.array([0, 1]), ("a", "b")).calibration_error == pytest.approx(0.4)
    sure = np.array([[1.0, 0.0]], np.float32)
    assert score(sure, np.array([0]), ("a", "b")).calibration_error == 0


def test_rows_are_plain_json():
    row = json.loads(json.dumps(score(PROBABILITIES, LABELS, NAMES).as_dict()))
    assert row["recall"] == {"a": 1.0, "b": 0.66667, "c": 0.0, "d": None}
    assert row["accuracy"] == 0.6
    assert row["n"] == 5
