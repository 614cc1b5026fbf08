"""The package fer: Haar cascade and mini-XCEPTION, as its FER() comes."""

import cv2
from fer.fer import FER
from job import work

NAMES = {
    "angry": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happiness",
    "sad": "sadness",
    "surprise": "surprise",
    "neutral": "neutral",
}


def best(emotions):
    return NAMES[max(emotions, key=emotions.get)]


def classify(peer, face):
    # Offsets enlarge the rectangle by fixed pixels: a face that fills its image needs none.
    side = len(face)
    image = cv2.cvtColor(face, cv2.COLOR_GRAY2BGR)
    return best(peer["faces"].detect_emotions(image, [(0, 0, side, side)])[0]["emotions"])


def analyse(peer, path):
    found = peer["photos"].detect_emotions(cv2.imread(path))
    return [best(face["emotions"]) for face in found]


work(lambda: {"photos": FER(), "faces": FER(offsets=(0, 0))}, classify, analyse)
