"""A run in its folder, with a network that predicts what a test tells it to."""

from contextlib import nullcontext

import numpy as np
import pytest

from fer_mobile.checkpoint import RunFolder
from fer_mobile.data import Dataset
from fer_mobile.metrics import score
from fer_mobile.training.callbacks import Checkpoint, EarlyStopping, History
from fer_mobile.training.run import Run

NAMES = ("calm", "odd", "wild")


class Network:
    """Is right about so many of a label's ten faces, with the given probability."""

    def __init__(self, *right, confidence=0.8):
        self.right, self.confidence, self.best = right, confidence, []

    def averaged(self):
        return nullcontext()

    def predict(self, valid):
        wrong = np.concatenate([np.arange(10) >= count for count in self.right])
        predicted = np.where(wrong, (valid.labels + 1) % 3, valid.labels)
        others = (1 - self.confidence) / 2
        return np.where(np.arange(3) == predicted[:, None], self.confidence, others)

    def save_checkpoint(self, path):
        pass

    def write_best(self, folder, valid, scores):
        self.best.append(scores.accuracy)
        folder.write_scores(valid.protocol, valid.split, scores)


@pytest.fixture
def valid():
    labels = np.arange(3).repeat(10)
    images = np.zeros((30, 8, 8), np.uint8)
    return Dataset(images, labels, np.eye(3, dtype=np.float32)[labels], NAMES, "own", "valid")


@pytest.fixture
def resume(quick, valid, tmp_path):
    """`resume()`: the run in the folder, as a process finds it that goes on with it."""
    folder, recipe = RunFolder(tmp_path), quick("epochs=9", "training.patience=3")
    folder.write_recipe(recipe.model_dump_json())
    callbacks = (History(), EarlyStopping(), Checkpoint())
    return lambda: Run(recipe, folder, valid, valid, callbacks, print)


def train_epoch(run, network):
    run.network = network
    run.begin_epoch()
    run.end_epoch(1.23456789, 1 / 3, 1.5)


def test_a_tie_is_no_better_epoch_after_a_resumption_either(resume):
    run = resume()
    train_epoch(run, Network(10, 8, 7))
    assert run.best.accuracy == 25 / 30 > 0.83333  # which the files have
    for resumed in (run, resume()):
        network = Network(10, 8, 7)
        train_epoch(resumed, network)
        assert network.best == []


def test_a_resumed_run_has_the_history_of_an_undisturbed_one(resume):
    run = resume()
    for confidence in (0.7654321, 0.8):
        train_epoch(run, Network(10, 8, 7, confidence=confidence))
    assert resume().history == run.history


def test_calibrated_figures_are_not_the_best_epoch_s(resume, valid):
    run = resume()
    train_epoch(run, Network(5, 5, 5))
    calibrated = score(Network(9, 9, 9).predict(valid), valid.labels, NAMES)
    run.folder.write_scores("own", "valid", calibrated)
    network = Network(7, 7, 7)
    train_epoch(resume(), network)
    assert network.best == [pytest.approx(0.7)]
