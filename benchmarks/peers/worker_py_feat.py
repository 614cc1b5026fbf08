"""py-feat's detector as it comes."""

from feat import Detectorv1
from job import work

NAMES = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"]


def analyse(detector, path):
    found = detector.detect_image(path)
    return [NAMES[int(row.argmax())] for row in found.emotions.to_numpy()]


work(Detectorv1, None, analyse)
