"""This package, as `pip install` puts it."""

from job import JOB, work

from fer_mobile.pipeline import load_pipeline
from fer_mobile.preprocess import resize


def classify(pipeline, face):
    classifier = pipeline.classifier
    probabilities = classifier.classify(resize(face, classifier.size)[None])[0]
    return classifier.labels[int(probabilities.argmax())]


def analyse(pipeline, path):
    return [face.label for face in pipeline(path).faces]


work(lambda: load_pipeline(JOB["model"]), classify, analyse)
