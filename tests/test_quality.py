"""The quality of a face, and what becomes of faces below the least that is asked for."""

from __future__ import annotations

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_mobile.errors import InputError
from fer_mobile.images import load_photo
from fer_mobile.pipeline import Pipeline, load_pipeline, relabelled
from fer_mobile.quality import SIDE, face_quality
from fer_mobile.resources import photos_dir
from fer_mobile.types import FACES_MODES, FLAWS, Box, Detection, Face

ONE_FACE = photos_dir() / "astronaut-smile.jpg"
THREE_FACES = photos_dir() / "meeting.jpg"
CLEAR = Detection(Box(0, 0, 80, 100), 0.95, ((30, 40), (50, 40)))


@pytest.fixture(scope="module")
def shipped():
    return load_pipeline()


@pytest.fixture(scope="module")
def photo():
    return load_photo(ONE_FACE, min_long_side=640).rgb


def textured(contrast: float, mean: float = 128) -> np.ndarray:
    noise = np.random.default_rng(0).normal(mean, contrast, (SIDE, SIDE))
    return np.clip(noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("square", "detection", "flaw"),
    [
        (textured(40), CLEAR, None),
        (textured(40), replace(CLEAR, box=Box(0, 0, 12, 14)), "too small"),
        (textured(1.5, 4), CLEAR, "too dark"),
        (textured(1.5, 150), CLEAR, "low contrast"),
        (textured(40, 280), CLEAR, "too bright"),
        (np.full((SIDE, SIDE), 128, np.uint8), CLEAR, "low contrast"),
        (np.tile(np.arange(0, 4 * SIDE, 4, np.uint8), (SIDE, 1)), CLEAR, "blurred"),
        (textured(40), replace(CLEAR, landmarks=((30, 40), (50, 70))), "tilted"),
        (textured(40), replace(CLEAR, score=0.61), "hardly a face"),
        (textured(40), replace(CLEAR, box=Box(0, 0, 50, 100)), "stretched"),
        (textured(40), replace(CLEAR, box=Box(0, 0, 120, 100)), "stretched"),
    ],
)
def test_each_flaw_is_named(square, detection, flaw):
    quality = face_quality(square, detection)
    assert quality.flaw == flaw
    assert (quality.value == 1) == (flaw is None)


def test_a_levelled_face_is_not_tilted():
    tilted = replace(CLEAR, landmarks=((30, 40), (50, 70)))
    assert face_quality(textured(40), tilted, levelled=True).value == 1


def test_what_is_unknown_lowers_nothing():
    assert face_quality(textured(40), Detection(CLEAR.box, None)).value == 1
    square = Box(0, 0, 40, 100)  # as another detector's may be
    assert face_quality(textured(40), Detection(square, 0.9)).value == 1


@given(
    seed=st.integers(0, 9),
    gain=st.floats(0, 4),
    width=st.floats(1, 1e4),
    height=st.floats(1, 1e4),
    score=st.none() | st.floats(0, 1),
    angle=st.floats(-180, 180),
)
def test_every_face_has_a_quality(seed, gain, width, height, score, angle):
    pixels = np.random.default_rng(seed).random((SIDE, SIDE)) * 255 * gain
    eyes = ((0.0, 0.0), (float(np.cos(np.radians(angle))), float(np.sin(np.radians(angle)))))
    detection = Detection(Box(0, 0, width, height), score, eyes)
    value, flaw = face_quality(np.clip(pixels, 0, 255).astype(np.uint8), detection)
    assert 0 <= value <= 1
    assert (flaw is None) == (value == 1)
    assert flaw is None or flaw in FLAWS


def test_worse_photos_have_less_quality(shipped, photo):
    """Each change of a real photo lowers the quality, the more the stronger it is."""
    height = shipped(photo).faces[0].box.height
    changes = {
        "too dark": [cv2.convertScaleAbs(photo, alpha=gain) for gain in (0.15, 0.06)],
        "blurred": [cv2.GaussianBlur(photo, (0, 0), share * height) for share in (0.035, 0.06)],
        "stretched": [
            cv2.resize(photo, None, fx=ratio, fy=1, interpolation=cv2.INTER_AREA)
            for ratio in (0.52, 0.42)
        ],
        "too small": [
            cv2.resize(photo, None, fx=px / height, fy=px / height, interpolation=cv2.INTER_AREA)
            for px in (32, 24)
        ],
    }
    whole = shipped(photo).faces[0]
    assert whole.quality >= 0.9
    for flaw, photos in changes.items():
        faces = [shipped(each).faces[0] for each in photos]
        assert whole.quality > faces[0].quality > faces[1].quality, flaw
        assert faces[1].flaw == flaw


# --- faces below the least quality ---------------------------------------------------------


def test_off_by_default(shipped, photo):
    dark = shipped(cv2.convertScaleAbs(photo, alpha=0.06))
    assert dark.faces[0].quality < 0.5
    assert dark.faces[0].label == dark.label != None  # noqa: E711
    assert not dark.is_unsure


def test_a_face_below_it_is_unsure(shipped, photo):
    strict = Pipeline(shipped.classifier, shipped.detector, min_quality=0.5)
    dark = strict(cv2.convertScaleAbs(photo, alpha=0.06))
    (face,) = dark.faces
    assert (face.label, face.confidence, face.flaw) == (None, None, "too dark")
    assert (dark.label, dark.confidence, dark.is_unsure) == (None, None, True)
    assert sum(face.probabilities.values()) == pytest.approx(1, abs=0.01)
    row = json.loads(json.dumps(dark.as_dict()))
    assert row["faces"][0]["label"] is row["label"] is None
    assert type(dark).from_dict(row).as_dict() == dark.as_dict()
    assert strict(photo).label == shipped(photo).label


def of(label: str, confidence: float, quality: float, side: float = 10) -> Face:
    return Face(
        Box(0, 0, side, side), label, confidence, {label: confidence, "x": 0}, quality=quality
    )


def test_a_photos_label_with_unsure_faces(shipped):
    result = replace(
        shipped(THREE_FACES),
        faces=(of("fear", 0.9, 0.2, 20), of("anger", 0.6, 0.8), of("neutral", 0.7, 0.3)),
    )
    labels = {mode: relabelled(result, mode, 0.5).label for mode in FACES_MODES}
    assert labels == {"multiple": "multiple", "each": "anger", "largest": None}
    assert relabelled(result, "each", 0.9).is_unsure
    assert relabelled(relabelled(result, "each", 0.9), "each").label == "fear"  # nothing is lost


@pytest.mark.parametrize("value", [-0.1, 1.01, float("nan"), "half", None])
def test_a_least_quality_that_is_none(value):
    with pytest.raises(InputError, match="min_quality: expected 0 to 1"):
        load_pipeline(min_quality=value)
