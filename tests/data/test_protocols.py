"""Labels and targets from hand-made votes, and the counts of the real ones."""

import numpy as np
import pytest

from fer_mobile.data import load_dataset
from fer_mobile.data.protocols import PROTOCOLS, Votes, find_protocol, vocabulary
from fer_mobile.errors import DataError
from fer_mobile.labels import FER2013, LABELS, LABELS_4


def votes(**by_name):
    names = (*LABELS, "unknown", "NF")
    return [by_name.get(name, 0) for name in names]


def label(protocol, **by_name):
    """The label of one face, or None where it is dropped; and its target."""
    raw = Votes(np.array([votes(**by_name)], np.uint8), np.zeros(1, np.int64))
    found = find_protocol(protocol)(raw)
    target = dict(zip(found.names, found.targets[0].tolist(), strict=True))
    return found.names[found.labels[0]] if found.keep[0] else None, target


@pytest.mark.parametrize(
    ("expected", "cast"),
    [
        ("anger", {"anger": 10}),
        ("anger", {"anger": 6, "neutral": 4}),
        (None, {"anger": 5, "neutral": 5}),  # a tie
        (None, {"anger": 5, "neutral": 3, "fear": 2}),  # half is no majority
        ("anger", {"anger": 5, "neutral": 4, "fear": 1}),  # 5 of 9 once the outlier is gone
        ("contempt", {"contempt": 2, "neutral": 1, "fear": 1, "sadness": 1, "anger": 1}),
        (None, {"neutral": 1, "fear": 1}),  # nothing but outliers
        (None, {}),
        (None, {"unknown": 6, "anger": 4}),
        (None, {"NF": 10}),
        ("anger", {"anger": 6, "unknown": 2, "NF": 2}),
        (None, {"anger": 5, "unknown": 3, "NF": 2}),  # their votes count against the majority
    ],
)
def test_strict(expected, cast):
    assert label("ferplus-strict", **cast)[0] == expected


@pytest.mark.parametrize(
    ("expected", "cast"),
    [
        ("anger", {"anger": 4, "neutral": 3, "fear": 3}),
        ("neutral", {"anger": 5, "neutral": 5}),  # a tie goes to the first column
        ("fear", {"fear": 1}),  # single votes count
        (None, {"unknown": 4, "anger": 3, "fear": 3}),
        (None, {"NF": 10}),
        (None, {}),
    ],
)
def test_argmax(expected, cast):
    assert label("ferplus-argmax", **cast)[0] == expected


def test_targets_are_shares_of_the_votes_without_outliers():
    _, target = label("ferplus-strict", anger=6, neutral=2, fear=1, unknown=1)
    assert target == dict.fromkeys(LABELS, 0) | {"anger": 0.75, "neutral": 0.25}
    _, target = label("ferplus-argmax", fear=1, unknown=0)
    assert target["fear"] == 1  # where all are outliers, they are all there is


@pytest.mark.parametrize("protocol", ["ferplus-strict", "ferplus-argmax"])
def test_targets_of_kept_rows_sum_to_one(protocol):
    rng = np.random.default_rng(0)
    cast = rng.multinomial(10, rng.dirichlet(np.ones(10) / 3, 500)).astype(np.uint8)
    found = PROTOCOLS[protocol](Votes(cast, np.zeros(500, np.int64)))
    assert 50 < found.keep.sum() < 500
    np.testing.assert_allclose(found.targets[found.keep].sum(1), 1, atol=1e-6)
    assert (found.targets.argmax(1) == found.labels)[found.keep].mean() > 0.95


def test_the_original_labels():
    raw = Votes(np.zeros((7, 10), np.uint8), np.arange(7))
    found = PROTOCOLS["fer2013"](raw)
    assert tuple(found.names[i] for i in found.labels) == FER2013
    assert found.keep.all()
    assert (found.targets.argmax(1) == found.labels).all()


@pytest.mark.parametrize("wrong", [-1, 7])
def test_an_original_label_outside_its_range_is_refused(wrong):
    raw = Votes(np.zeros((2, 10), np.uint8), np.array([3, wrong]))
    with pytest.raises(DataError, match=f"numbers from 0 to 6, found {wrong} in 1 row"):
        PROTOCOLS["fer2013"](raw)


def test_a_typo_is_told_the_nearest_protocol():
    with pytest.raises(DataError, match="Did you mean 'ferplus-strict'"):
        find_protocol("ferplus_strict")


COUNTS = {  # protocol: (train, train to learn from, valid), as the data's own README states
    "ferplus-strict": (25_057, 24_443, 3_199),
    "ferplus-argmax": (28_386, 27_698, 3_553),
    "fer2013": (28_558, 27_793, 3_579),
}


@pytest.mark.parametrize("protocol", COUNTS)
def test_counts_of_the_real_data(shared_data, protocol):
    def count(split, training=False):
        return len(load_dataset(shared_data, protocol=protocol, split=split, training=training))

    train, learned, valid = COUNTS[protocol]
    assert (count("train"), count("train", True), count("valid")) == (train, learned, valid)
    assert count("valid", True) == valid
    assert count("all") == train + valid


def test_classes_of_the_real_strict_data(shared_data):
    assert load_dataset(shared_data, split="train", training=True).counts() == {
        "neutral": 8654, "happiness": 7211, "surprise": 2890, "sadness": 2943,
        "anger": 2026, "disgust": 99, "fear": 507, "contempt": 113,
    }  # fmt: skip


def test_four_classes_are_a_part_of_the_seven():
    raw = Votes(np.zeros((7, 10), np.uint8), np.arange(7))
    four, seven = find_protocol("fer2013-4")(raw), find_protocol("fer2013")(raw)
    assert four.names == LABELS_4 == seven.names[:4]
    kept = {FER2013[i]: four.names[four.labels[i]] for i in np.flatnonzero(four.keep)}
    assert kept == {name: name for name in LABELS_4}
    np.testing.assert_array_equal(four.targets[four.keep], np.eye(4)[four.labels[four.keep]])


@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_vocabulary_of_a_protocol(name):
    count = {"fer2013": 7, "fer2013-4": 4}.get(name, 8)
    assert vocabulary(name) == LABELS[:count]
