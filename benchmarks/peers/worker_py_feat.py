"""py-feat's Detector as it comes."""

from feat import Detector
from job import work

NAMES = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"]


def analyse(detector, path):
    found = detector.detect_image(path)
    return [NAMES[int(row.argmax())] for row in found.emotions.to_numpy()]


work(Detector, None, analyse)
