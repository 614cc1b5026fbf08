"""Preprocessing steps: what each does to a face."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fer_mobile.data.steps import STEPS, apply_steps
from fer_mobile.errors import DataError
from fer_mobile.golden import golden_faces

faces = arrays(np.uint8, st.tuples(st.integers(1, 3), st.just(20), st.just(20)))


@given(faces, st.sampled_from(sorted(STEPS)))
def test_a_step_gives_gray_faces_one_by_one(images, name):
    done = apply_steps(images, [name])
    side = 98 if name == "resize-98" else 20
    assert done.shape == (len(images), side, side)
    assert done.dtype == np.uint8
    np.testing.assert_array_equal(done[-1], apply_steps(images[-1:], [name])[0])


def test_equalisation_spreads_the_histogram():
    dim = (golden_faces(48)[:8] // 4).astype(np.uint8)
    done = apply_steps(dim, ["equalize"])
    assert (done.max((1, 2)) == 255).all()
    assert (done.std((1, 2)) > 2 * dim.std((1, 2))).all()


def test_the_difference_of_gaussians_is_blind_to_brightness_and_sees_edges():
    flat = np.stack([np.full((16, 16), level, np.uint8) for level in (0, 90, 255)])
    assert (apply_steps(flat, ["dog"]) == 128).all()
    edge = np.zeros((1, 16, 16), np.uint8)
    edge[:, :, 8:] = 100
    done = apply_steps(edge, ["dog"])[0].astype(int)
    assert (done[:, 8] > 135).all()
    assert (done[:, 7] < 121).all()
    assert (abs(done[:, 0] - 128) <= 1).all()


def test_gamma_below_one_lightens_the_middle_and_keeps_the_ends():
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    done = apply_steps(levels, ["gamma-0.75"]).ravel().astype(int)
    assert (done[0], done[255]) == (0, 255)
    assert (done >= np.arange(256)).all()
    assert done[128] == round(255 * (128 / 255) ** 0.75)


def test_steps_follow_in_order_and_unknown_ones_are_named():
    images = golden_faces(48)[:2]
    by_hand = apply_steps(apply_steps(images, ["resize-98"]), ["equalize"])
    np.testing.assert_array_equal(apply_steps(images, ["resize-98", "equalize"]), by_hand)
    with pytest.raises(DataError, match=r"Did you mean 'gamma-0\.75'"):
        apply_steps(images, ["gamma"])
