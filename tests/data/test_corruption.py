"""Corruptions: every one changes faces, none changes their form, each is what its name says."""

import numpy as np
import pytest

from fer_mobile.data.corruption import CORRUPTIONS, corrupt
from fer_mobile.errors import DataError
from fer_mobile.golden import golden_faces


@pytest.fixture(scope="module")
def faces():
    return golden_faces(48)[:12]


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_faces_keep_their_form_and_the_seed_decides(faces, name):
    found = corrupt(faces, name)
    assert (found.shape, found.dtype) == (faces.shape, np.uint8)
    assert (found == corrupt(faces, name)).all()
    assert (found != faces).mean() > 0.2
    if name == "box-jitter":  # moved by up to five pixels, which no pixel-wise likeness survives
        return
    # Still the same faces: each is nearest to its own original, brightness and contrast apart.
    flat = [x.reshape(len(x), -1).astype(float) for x in (faces, found)]
    first, second = ((x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True) for x in flat)
    assert (np.argmax(first @ second.T, 0) == np.arange(len(faces))).all()


def test_brightness_and_contrast_are_as_stated():
    gray = np.full((1, 8, 8), 100, np.uint8)
    assert (corrupt(gray, "brighter") == 177).all()  # 100 + 0.3 · 255 = 176.5, half up
    assert (corrupt(gray, "darker") == 24).all()  # 100 - 76.5 = 23.5
    assert (corrupt(gray, "contrast-half") == 114).all()  # 127.5 - 27.5 / 2 = 113.75
    assert (corrupt(gray, "contrast-more") == 86).all()  # 127.5 - 41.25 = 86.25


def test_rotations_undo_each_other_in_the_middle(faces):
    back = corrupt(corrupt(faces, "rotated-left"), "rotated-right")
    middle = np.s_[:, 16:32, 16:32]
    turned = corrupt(faces, "rotated-left")
    assert np.abs(back[middle] - faces[middle].astype(float)).mean() < 12
    assert np.abs(turned[middle] - faces[middle].astype(float)).mean() > 12


def test_an_unknown_name_gets_the_nearest(faces):
    with pytest.raises(DataError, match="Did you mean 'noise'"):
        corrupt(faces, "nois")
