"""MediaPipe's face detector, full range, from the weights in its package; no expressions."""

import cv2
import mediapipe
from job import work


def analyse(detector, path):
    image = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)
    return [None for _ in detector.process(image).detections or []]


def load():
    return mediapipe.solutions.face_detection.FaceDetection(model_selection=1)


work(load, None, analyse)
