"""Augmentation: deterministic, in range, and nothing at strength 0."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from fer_mobile.data.augmentation import Augmentation, augment
from fer_mobile.golden import golden_faces
from fer_mobile.preprocess import normalise, resize

FACES = golden_faces(48)[:8]
STRONG = Augmentation(
    rotation=30, scale=0.3, shift=0.2, brightness=0.3, contrast=0.5, blur=0.5, noise=0.1, erase=0.5
)


def variants(options, size=56, seed=0, faces=FACES):
    return augment(faces, size, options, np.random.default_rng(seed))


@pytest.mark.parametrize("size", [48, 56, 112])
def test_strength_zero_is_the_plain_resize(size):
    expected = normalise(np.stack([resize(face, size) for face in FACES]))
    found = variants(Augmentation(flip=0), size)
    assert np.abs(found - expected).max() < 0.03  # OpenCV's weights have five bits
    assert np.abs(found - expected).mean() < 0.003


def test_a_sure_flip_mirrors():
    plain, mirrored = variants(Augmentation(flip=0)), variants(Augmentation(flip=1))
    np.testing.assert_allclose(mirrored, plain[:, :, ::-1], atol=0.03)
    assert np.abs(mirrored - plain).mean() > 0.03


def test_the_seed_decides():
    np.testing.assert_array_equal(variants(STRONG), variants(STRONG))
    assert np.abs(variants(STRONG) - variants(STRONG, seed=1)).mean() > 0.05
    first, second = augment(FACES[[0, 0]], 56, STRONG, np.random.default_rng(0))
    assert np.abs(first - second).mean() > 0.05  # each face is changed in its own way


@pytest.mark.parametrize("option", sorted(set(Augmentation.model_fields) - {"flip"}))
def test_every_option_changes_faces_and_leaves_them_recognisable(option):
    plain = variants(Augmentation(flip=0))
    strength = {"rotation": 10, "augmix": 3}.get(option, 0.1)
    changed = variants(Augmentation(flip=0, **{option: strength}), seed=3)
    if option in ("blur", "erase", "cover", "dark"):  # chances: be sure of a hit
        changed = variants(Augmentation(flip=0, **{option: 1.0}))
    assert 0.002 < np.abs(changed - plain).mean() < (0.4 if option == "dark" else 0.2)


def test_a_covered_face_keeps_its_eyes_and_a_dark_one_its_contours():
    plain = variants(Augmentation(flip=0))
    covered = variants(Augmentation(flip=0, cover=1))
    np.testing.assert_array_equal(covered[:, :28], plain[:, :28])
    assert (np.ptp(covered[:, 40:], axis=(1, 2)) == 0).all()
    dark = variants(Augmentation(flip=0, dark=1))
    share = dark.mean((1, 2)) / plain.mean((1, 2))
    assert (share > 0.09).all()
    assert (share < 0.61).all()
    np.testing.assert_allclose(dark, share[:, None, None] * plain, atol=1e-3)


def test_stretching_keeps_the_middle_and_the_area():
    dot = np.zeros((50, 48, 48), np.uint8)
    dot[:, 14:34, 14:34] = 255
    found = variants(Augmentation(flip=0, stretch=0.4), 48, faces=dot)
    wide, high = (found > 0.5).any(1).sum(1), (found > 0.5).any(2).sum(1)
    assert np.abs(wide * high - 400).max() < 45
    assert wide.max() / high.min() > 1.2
    assert (wide / high).max() < 1.55


def test_a_shift_moves_by_at_most_its_share():
    dot = np.zeros((200, 48, 48), np.uint8)
    dot[:, 23:25, 23:25] = 255
    found = variants(Augmentation(flip=0, shift=0.25), 48, faces=dot)
    centres = [np.array(np.nonzero(face > 0.2)).mean(1) for face in found]
    moved = np.abs(np.array(centres) - 23.5)
    assert moved.max() <= 0.25 * 48 + 0.6
    assert moved.max(0).min() > 0.2 * 48


@settings(max_examples=60)
@given(
    options=st.builds(
        Augmentation,
        flip=st.floats(0, 1),
        rotation=st.floats(0, 180),
        **{
            name: st.floats(0, 0.99)
            for name in ("scale", "shift", "brightness", "contrast", "noise")
        },
        blur=st.floats(0, 1),
        erase=st.floats(0, 1),
        augmix=st.floats(0, 10),
    ),
    size=st.integers(7, 80),
    count=st.integers(0, 3),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_options_give_faces(options, size, count, seed):
    found = variants(options, size, seed, FACES[:count])
    assert found.shape == (count, size, size)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert count == 0 or (found.min() >= 0 and found.max() <= 1)


@pytest.mark.parametrize("wrong", [{"flip": 1.1}, {"rotation": -1}, {"scale": 1}, {"blurr": 0.1}])
def test_options_out_of_range_are_refused(wrong):
    with pytest.raises(ValidationError):
        Augmentation(**wrong)
