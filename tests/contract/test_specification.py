"""docs/contract.md says of every field what the code has, and its example is right."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fer_mobile.contract import ModelContract
from fer_mobile.contract.model import UNDERSTOOD
from fer_mobile.model_file import read_contract
from fer_mobile.models import DEFAULT, tflite_file
from fer_mobile.preprocess import CropRule, Levelling, resize, resize_face, to_gray
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
    assert f"| side | ⌊45 + ½⌋ = {side} |" in TEXT
    assert f"| left | ⌊10 + 20 − 22.5 + ½⌋ = {left} |" in TEXT
    assert f"| top | ⌊20 + 25 + 1.5 − 22.5 + ½⌋ = {top} |" in TEXT
    pixel = np.array([[[200, 100, 50]]], np.uint8)
    (gray,) = to_gray(pixel).ravel().tolist()
    assert f">> 16 = {gray} |" in TEXT
    classifier = load_classifier(DEFAULT)
    face = np.full((1, classifier.size, classifier.size), gray, np.uint8)
    (value,) = np.unique(classifier.prepare(face)).tolist()
    assert f"{gray} − 128 = −{-value} |" in TEXT


def test_the_worked_example_of_levelling():
    box = Box(10, 20, 40, 50)
    face = Detection(box, None, ((22, 38), (38, 50)))
    assert f"c = 0.8, t = 0.6: a tilt of {face.tilt:.1f}°" in TEXT
    direction = Levelling(10).direction(face)
    assert direction == (0.8, 0.6)
    left, top, side = CropRule(0.9, 0.03).square(box, direction)
    assert f"⌊63.64 + ½⌋ = {side} |" in TEXT
    assert f"⌊10 + 20 − 0.9 − 32 + ½⌋ = −{-left}, ⌊20 + 25 + 1.2 − 32 + ½⌋ = {top} |" in TEXT
    assert "between columns 47 and 48, p = 184 |" in TEXT
    assert "between rows 1 and 2, q = 13 |" in TEXT
    for row, column, weight in (
        (1, 47, (256 - 184) * (256 - 13)), (1, 48, 184 * (256 - 13)),
        (2, 47, (256 - 184) * 13), (2, 48, 184 * 13), (1, 49, 0), (3, 47, 0), (0, 47, 0),
    ):  # fmt: skip
        gray = np.zeros((112, 112), np.uint8)
        gray[row, column] = 255
        found = resize_face(gray, 56, direction)[0, 0]
        assert found == (255 * weight + 2**15) >> 16


def _weights(length: int, target: int) -> Iterator[tuple[int, list[int]]]:
    """The page's rule, written from the page alone."""
    scale = length / target
    reach = max(scale, 1.0)
    for index in range(target):
        centre = (index + 0.5) * scale
        first = max(0, math.floor(centre - reach + 0.5))
        last = min(length, math.floor(centre + reach + 0.5))
        shares = [max(0.0, 1 - abs((k - centre + 0.5) * (1 / reach))) for k in range(first, last)]
        whole = 0.0
        for share in shares:
            whole += share
        yield first, [math.floor(share * (1 / whole) * 2**22 + 0.5) for share in shares]


def _line(values: list[int], target: int) -> list[int]:
    return [
        min(max((sum(w * values[first + k] for k, w in enumerate(ws)) + 2**21) >> 22, 0), 255)
        for first, ws in _weights(len(values), target)
    ]


@pytest.mark.parametrize("side", [1, 3, 20, 45, 57, 131])
def test_resize_as_the_page_says_gives_the_same_bytes(side):
    image = np.random.default_rng(side).integers(0, 256, (side, side), np.uint8)
    rows = [_line(row, 56) for row in image.tolist()]
    columns = [_line([row[column] for row in rows], 56) for column in range(56)]
    np.testing.assert_array_equal(np.array(columns, np.uint8).T, resize(image, 56))


def test_the_worked_example_of_resize():
    values = [10, 20, 30, 40, 250]
    (first, weights), _ = _weights(5, 2)
    assert first == 0
    for weight in weights:
        assert f"{weight:,}".replace(",", " ") in TEXT
    total = sum(w * v for w, v in zip(weights, values, strict=False))
    assert f"({total:,} + 2 097 152) >> 22 = 20".replace(",", " ") in TEXT
    assert _line(values, 2) == [20, 104]


def test_the_archive_is_found_as_the_page_says():
    content = tflite_file("compact").read_bytes()
    record = content[-22:]
    assert record[:4] == b"PK\x05\x06"
    directory = int.from_bytes(record[16:20], "little")
    assert content[directory : directory + 4] == b"PK\x01\x02"
    start = int.from_bytes(content[directory + 42 : directory + 46], "little")
    assert content[start : start + 4] == b"PK\x03\x04"
    assert content[4:8] == b"TFL3"
    contract = read_contract(tflite_file("compact"))
    assert hashlib.sha256(content[:start]).hexdigest() == contract.model_sha256
