"""AugMix: mixtures of faces, decided by the seed, each change what its name says."""

import numpy as np
import pytest

from fer_mobile.data import augmix as module
from fer_mobile.data.augmix import augmix
from fer_mobile.golden import golden_faces

FACES = golden_faces(48)


def mixed(severity=3.0, seed=0, faces=FACES):
    return augmix(faces, severity, np.random.default_rng(seed))


def test_the_seed_decides_and_each_face_goes_its_own_way():
    np.testing.assert_array_equal(mixed(), mixed())
    assert (mixed() != mixed(seed=1)).mean() > 0.5
    twins = mixed(faces=FACES[[0] * 8])
    assert len({face.tobytes() for face in twins}) == 8


def test_mixtures_stay_close_to_their_faces():
    found = mixed()
    assert found.dtype == np.uint8
    assert found.shape == FACES.shape
    resemblance = [np.corrcoef(a.ravel(), b.ravel())[0, 1]
                   for a, b in zip(found, FACES, strict=True)]  # fmt: skip
    strangers = [np.corrcoef(a.ravel(), b.ravel())[0, 1]
                 for a, b in zip(found, FACES[::-1], strict=True)]  # fmt: skip
    assert np.mean(resemblance) > 0.85 > np.mean(strangers) + 0.3


def test_severity_is_how_far_they_go():
    far = [np.abs(mixed(s).astype(int) - FACES).mean() for s in (0.1, 3, 10)]
    assert far == sorted(far)
    assert far[2] > 1.5 * far[0] > 0


def test_a_flat_face_stays_flat():
    flat = np.full((20, 48, 48), 90, np.uint8)
    assert {len(np.unique(face)) for face in mixed(10, faces=flat)} == {1}


def test_the_mixture_without_changes_is_the_face(monkeypatch):
    monkeypatch.setattr(module, "_CHANGES", (lambda face, level: face,))
    np.testing.assert_array_equal(mixed(), FACES)  # weights sum to 1, rounding is to the nearest


@pytest.mark.parametrize(
    ("change", "level", "check"),
    [
        (module._autocontrast, 1, lambda old, new: (new.min(), new.max()) == (0, 255)),
        (module._equalise, 1, lambda old, new: new.std() > old.std()),
        (module._posterise, 0, lambda old, new: not (new & 0x0F).any() and (new <= old).all()),
        (module._solarise, 0.5, lambda old, new: (new == np.minimum(old, 255 - old)).all()),
        (module._shift_x, 0.1875, lambda old, new: (new[:, 3:] == old[:, :-3]).all()),
        (module._shift_y, -0.1875, lambda old, new: (new[:-3] == old[3:]).all()),
        (module._shear_x, 0, lambda old, new: (new == old).all()),
        (module._shear_y, 0, lambda old, new: (new == old).all()),
        (module._tilt, 0, lambda old, new: (new == old).all()),
    ],
)  # fmt: skip
def test_each_change_is_what_it_is_called(change, level, check):
    dim = (FACES[0] // 2 + 40).astype(np.uint8)
    assert check(dim, change(dim, level))


@pytest.mark.parametrize("change", [module._shear_x, module._shear_y, module._tilt])
def test_what_turns_leaves_the_middle_where_it_is(change):
    cross = np.zeros((49, 49), np.uint8)
    cross[24] = cross[:, 24] = 255
    changed = change(cross, 1.0)
    assert changed[24, 24] > 200
    assert np.abs(changed.astype(int) - cross).mean() > 5
