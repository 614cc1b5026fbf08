"""Floors of recall and false alarms, on the shared photos and on a few made of them."""

import importlib
from collections.abc import Iterator

import pytest

from fer_mobile.detect import load_detector
from fer_mobile.images import load_photo


@pytest.fixture(scope="module")
def detection(shared_data):
    """The module of `benchmarks/detection.py`, whose photos and counts these are."""
    return importlib.import_module("benchmarks.detection")


@pytest.fixture(scope="module")
def detector():
    return load_detector()


def test_shared_photos(detection, detector):
    """Recall 99% in the portraits and in the rest; at most one false alarm in 100 photos."""
    rows = []
    for photo in detection.certain_photos():
        loaded = load_photo(photo.path, min_long_side=detector.side)
        scores = [face.score for face in detector.detect(loaded)]
        rows.append(detection.Row(photo.name, photo.faces, scores, decode_ms=0, detect_ms=0))
    portraits = [row for row in rows if row.file.startswith("congress/")]
    for part, photos in ((portraits, 415), ([row for row in rows if row not in portraits], 123)):
        found = detection.summary(part)
        assert found["photos"] == photos
        assert found["recall"] >= 0.99, found["missed_in"]
    assert detection.summary(rows)["false_alarms_per_100_photos"] <= 1


def made(detection, what: str) -> Iterator:
    if what == "groups":
        return detection.groups(6)
    if what == "panoramas":
        return detection.panoramas(6, 6)
    if what == "tilted":
        return (photo for _, photo in detection.tilted((-30, 30), 8))
    if what == "sizes":
        return (photo for _, photo in detection.sizes((64, 120, 300), 8))
    return detection.filling(8)


@pytest.mark.parametrize("what", ["groups", "panoramas", "tilted", "sizes", "filling"])
def test_made_photos(detection, detector, what):
    found = detection.score(detection.directly(made(detection, what), detector))
    assert found["recall"] >= 0.95, found


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation(detection, detector, orientation):
    photos = detection.through_files(detection.groups(1, seed=1), detector, orientation)
    found = detection.score(photos)
    assert found["faces"] >= 2
    assert found["recall"] == 1, found


def test_a_larger_detection_size_finds_far_smaller_faces(detection, detector):
    photos = [photo for _, photo in detection.sizes((20,), 8, long_side=1920)]
    small = detection.score(detection.directly(photos, detector))
    large = detection.score(detection.directly(photos, load_detector(side=1920)))
    assert large["recall"] == 1
    assert small["recall"] < large["recall"]
