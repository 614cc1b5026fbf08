"""docs/contract.md says of every field what the code has, and its example is right."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from fer_mobile.contract import ModelContract
from fer_mobile.contract.model import UNDERSTOOD
from fer_mobile.models import DEFAULT
from fer_mobile.preprocess import CropRule, Levelling, resize_face, to_gray
from fer_mobile.runtime.classifier import load_classifier
from fer_mobile.types import Box, Detection

TEXT = (Path(__file__).resolve().parents[2] / "docs/contract.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([\w./-]+)`", TEXT))


def test_every_field_and_requirement_is_specified():
    fields = set(ModelContract.model_fields) - {"reference"}
    assert fields <= NAMED
    assert set(UNDERSTOOD) <= NAMED


def test_the_worked_example():
    left, top, side = CropRule(0.9, 0.03).square(Box(10, 20, 40, 50))
    assert (left, top, side) == (8, 24, 45)
    assert f"s = ⌊45 + ½⌋ = {side}" in TEXT
    assert f"= {left} and" in TEXT
    assert f"= {top}. The pixel" in TEXT
    pixel = np.array([[[200, 100, 50]]], np.uint8)
    (gray,) = to_gray(pixel).ravel().tolist()
    assert f">> 16 = {gray}, which" in TEXT
    classifier = load_classifier(DEFAULT)
    face = np.full((1, classifier.size, classifier.size), gray, np.uint8)
    (value,) = np.unique(classifier.prepare(face)).tolist()
    assert f"takes as −{-value}." in TEXT


def test_the_worked_example_of_levelling():
    box = Box(10, 20, 40, 50)
    face = Detection(box, None, ((22, 38), (38, 50)))
    assert f"tilts by {face.tilt:.1f}°: c = 0.8 and\nt = 0.6" in TEXT
    direction = Levelling(10).direction(face)
    assert direction == (0.8, 0.6)
    left, top, side = CropRule(0.9, 0.03).square(box, direction)
    assert f"= {side}, left = ⌊10 + 20 − 0.9 − 32 + ½⌋ = −{-left} and" in TEXT
    assert f"top = ⌊20 + 25 + 1.2 − 32 + ½⌋ = {top}. For" in TEXT
    assert "between columns 47 and 48 with p = 184, and rows 1 and 2 with q = 13." in TEXT
    for row, column, weight in (
        (1, 47, (256 - 184) * (256 - 13)), (1, 48, 184 * (256 - 13)),
        (2, 47, (256 - 184) * 13), (2, 48, 184 * 13), (1, 49, 0), (3, 47, 0), (0, 47, 0),
    ):  # fmt: skip
        gray = np.zeros((112, 112), np.uint8)
        gray[row, column] = 255
        found = resize_face(gray, 56, direction)[0, 0]
        assert found == (255 * weight + 2**15) >> 16
