"""Threads that share an object, and processes that are given it, get what one thread gets."""

import multiprocessing
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from fer_mobile import load_pipeline
from fer_mobile.detect import load_detector
from fer_mobile.golden import golden_faces
from fer_mobile.images import load_photo
from fer_mobile.predictor import load_predictor
from fer_mobile.resources import photos_dir
from fer_mobile.runtime.classifier import load_classifier

THREADS = 4
ROUNDS = 3
NAMES = (
    "astronaut-smile.jpg", "meeting.jpg", "cat.png", "woman-curls.jpg", "coffee-cup.jpg",
)  # fmt: skip
"""One face, three, none: the interpreters' inputs and batches change from photo to photo."""


def at_once(call, inputs) -> list:
    """The results of `ROUNDS` calls for each of the inputs, in their order."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(call, list(inputs) * ROUNDS))


@pytest.fixture(scope="module")
def photos() -> list:
    return [load_photo(photos_dir() / name) for name in NAMES]


def test_a_shared_pipeline_gives_each_photo_its_own_faces(photos):
    pipeline = load_pipeline()
    paths = [photos_dir() / name for name in NAMES]
    expected = [pipeline(path).faces for path in paths]
    assert sorted(map(len, expected)) == sorted([1, 3, 0, 1, 0])
    assert [result.faces for result in at_once(pipeline, paths)] == expected * ROUNDS


@pytest.mark.parametrize("name", ["yunet", "opencv"])
def test_a_shared_detector_finds_the_faces_of_its_photo(photos, name):
    detector = load_detector(name)
    expected = [detector.detect(photo) for photo in photos]
    assert at_once(detector.detect, photos) == expected * ROUNDS


def test_a_shared_classifier_keeps_batches_apart():
    classifier = load_classifier("compact")
    faces = golden_faces(classifier.size)
    batches = [faces[:1], faces[1:4], faces[4:20], faces[20:21], faces[21:28]]
    expected = [classifier.classify(batch) for batch in batches]
    found = at_once(classifier.classify, batches)
    for one, other in zip(found, expected * ROUNDS, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_shared_predictor_keeps_faces_apart():
    predictor = load_predictor("compact")
    faces = golden_faces(48)
    batches = [faces[:3], faces[3], faces[4:90]]
    expected = [predictor(batch) for batch in batches]
    for one, other in zip(at_once(predictor, batches), expected * ROUNDS, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # Python 3.12: there are threads
@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_processes_can_be_given_a_pipeline(method):
    """spawn pickles it; what is forked goes on with the parent's interpreters."""
    pipeline = load_pipeline()
    paths = [photos_dir() / name for name in NAMES]
    expected = [pipeline(path).faces for path in paths]
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert [result.faces for result in pool.map(pipeline, paths)] == expected


@pytest.mark.parametrize("detector", ["yunet", "opencv"])
def test_a_pickled_pipeline_is_the_same_one(detector):
    pipeline = load_pipeline(
        "compact", faces="each", detector=detector, detection_size=320, max_bytes=10**9
    )
    copy = pickle.loads(pickle.dumps(pipeline))
    assert (copy.identity, copy.faces, copy.max_bytes) == (pipeline.identity, "each", 10**9)
    path = photos_dir() / NAMES[1]
    assert copy(path).faces == pipeline(path).faces
