"""docs/contract.md says of every field what the code has, and its example is right."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from fer_mobile.contract import ModelContract
from fer_mobile.contract.model import UNDERSTOOD
from fer_mobile.models import DEFAULT
from fer_mobile.preprocess import CropRule, to_gray
from fer_mobile.runtime.classifier import load_classifier
from fer_mobile.types import Box

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
