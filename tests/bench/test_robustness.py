"""The changes of photos that robustness is measured with, and how faces are found again."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import photo_changes, robustness
from benchmarks.intervals import wilson
from fer_mobile.types import Box, Face, PhotoResult

DOT = Box(60, 30, 16, 20)
"""A face as far as these tests go: a bright spot in a photo."""

CHANGES = [
    pytest.param(change, id=f"{kind} {strength} {number}")
    for kind, strengths in photo_changes.CHANGES.items()
    for strength, changes in strengths.items()
    for number, change in enumerate(changes)
    if kind not in ("covered", "blur")
]


def photo() -> np.ndarray:
    rgb = np.full((90, 120, 3), 40, np.uint8)
    rgb[35:45, 64:72] = 200
    return rgb


@pytest.mark.parametrize("change", CHANGES)
def test_a_face_is_where_its_change_says(change):
    changed = change(photo(), [DOT])
    brightest = np.argwhere(changed.rgb[..., 1] > 0.7 * changed.rgb[..., 1].max())
    y, x = brightest.mean(0)
    place = changed.place(DOT)
    assert abs(place[0] - x) < 2.5
    assert abs(place[1] - y) < 2.5


def test_half_of_a_face_is_covered():
    lower, upper = (
        change(photo(), [DOT]).rgb for (change,) in photo_changes.CHANGES["covered"].values()
    )
    assert (lower[40:50, 60:76] == photo_changes.COVER).all()
    assert (upper[30:40, 60:76] == photo_changes.COVER).all()
    assert (lower[:40] == photo()[:40]).all()


def test_random_changes_follow_from_their_seed():
    kinds = set()
    for seed in range(40):
        kind, change = photo_changes.random_change(np.random.default_rng(seed))
        again = photo_changes.random_change(np.random.default_rng(seed))[1]
        assert (change(photo(), [DOT]).rgb == again(photo(), [DOT]).rgb).all()
        kinds.add(kind)
    assert len(kinds) == 9


def face(label: str | None, box: Box, confidence: float = 0.9) -> Face:
    return Face(box, label, confidence, {})


@pytest.mark.parametrize(
    ("now", "outcome"),
    [
        ([face("fear", DOT)], "kept"),
        ([face("anger", DOT)], "surely changed"),
        ([face("anger", DOT, 0.5)], "changed"),
        ([face(None, DOT)], "unsure"),
        ([face("fear", Box(0, 60, 16, 20))], "lost"),
        ([face("anger", Box(0, 60, 16, 20)), face("fear", DOT)], "kept"),
        ([], "lost"),
    ],
)
def test_what_became_of_a_face(now, outcome):
    pipeline = lambda rgb: PhotoResult("", faces=tuple(now))  # noqa: E731
    seen = robustness.Reference(photo(), (face("fear", DOT),))
    assert list(robustness.outcomes(pipeline, seen, photo_changes.unchanged)) == [outcome]


def test_the_interval_of_a_share():
    assert wilson(7, 13) == pytest.approx((0.2914, 0.7679), abs=5e-4)
    for n in (24, 398, 3199):
        assert str(wilson(0, n)[0]) == "0.0"
        assert wilson(n, n)[1] == 1.0
