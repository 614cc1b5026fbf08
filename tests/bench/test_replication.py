"""Verdicts on the studies' claims: the rule on made rows, and the committed page and picture."""

import numpy as np
import pytest

from benchmarks import replication
from benchmarks.claims import CLAIMS, RUNS, Level, Log, Ordering, Untrained
from benchmarks.study_results import merge
from fer_mobile.studies.measure import pack_bits, unpack_bits
from tests.test_readme import words

RGB, GRAY = "emotion-simple-cnn-rgb", "emotion-simple-cnn-grayscale"
ORDERING = Ordering("RGB is better", RGB, GRAY)
FACES = 3000


def row(name, right, *, train=20_000, recorded=True, **changes):
    """A row of a run, trained as its study did, that was right about the first `right` faces."""
    recipe = RUNS[name].recipe.model_dump(mode="json")
    recipe["training"] |= changes.pop("training", {})
    made = {
        "faces": {"train": train, "valid": FACES},
        "split": "valid",
        "size": RUNS[name].recipe.model.options.get("size", 48),
        "parameters": 1_000_000,
        "accuracy": right / FACES,
        "recipe": recipe,
    }
    if recorded:
        made |= {"correct": pack_bits(np.arange(FACES) < right), "labels_sha256": "same"}
    return made | changes


@pytest.mark.parametrize(
    ("rgb", "gray", "verdict"),
    [(1600, 1500, "reproduced"), (1500, 1600, "contradicted"), (1500, 1500, "tie")],
)
def test_an_ordering(rgb, gray, verdict):
    finding = ORDERING.judge({RGB: row(RGB, rgb), GRAY: row(GRAY, gray)})
    assert finding.verdict == verdict
    assert finding.points[0] == pytest.approx(100 * (rgb - gray) / FACES)
    assert "face by face" in finding.ours


def test_pairs_tell_more_than_two_accuracies():
    rows = {RGB: row(RGB, 1540, recorded=False), GRAY: row(GRAY, 1500)}
    alone = ORDERING.judge(rows)
    assert (alone.verdict, "each alone" in alone.ours) == ("tie", True)
    assert ORDERING.judge(rows | {RGB: row(RGB, 1540)}).verdict == "reproduced"
    other_faces = row(RGB, 1540) | {"labels_sha256": "other"}
    assert ORDERING.judge(rows | {RGB: other_faces}).verdict == "tie"


def test_an_ordering_that_turns_round_with_a_seed_is_a_tie():
    one, other = row(RGB, 1600), row(GRAY, 1500)
    one["seeds"] = [{"seed": 1, "accuracy": 0.54}, {"seed": 2, "accuracy": 0.54}]
    other["seeds"] = [{"seed": 1, "accuracy": 0.53}]
    finding = ORDERING.judge({RGB: one, GRAY: other})
    assert finding.verdict == "reproduced"
    assert finding.ours.endswith("; seeds +3.3, +1.0")
    other["seeds"] = [{"seed": 1, "accuracy": 0.55}]
    assert ORDERING.judge({RGB: one, GRAY: other}).verdict == "tie"


def test_rows_that_say_more_stay_and_seeds_are_gathered():
    def seeded(seed, right):
        return row(RGB, right, training={"seed": seed}) | {"run": RGB}

    small = row(RGB, 100, train=147) | {"run": RGB}
    missing = {"run": RGB, "error": "not run yet"}
    full = {"run": GRAY} | row(GRAY, 1500)
    gathered = merge([small, full], [seeded(0, 1600), {"run": GRAY, "error": "stopped"}])
    assert gathered == [seeded(0, 1600), full]
    gathered = merge(gathered, [missing], [seeded(2, 1500)], [seeded(1, 1650)], [seeded(1, 1620)])
    assert gathered[0] == seeded(0, 1600) | {
        "seeds": [{"seed": 1, "accuracy": 0.54}, {"seed": 2, "accuracy": 0.5}]
    }
    (again,) = merge([gathered[0]], [seeded(0, 1601)])
    assert again == seeded(0, 1601) | {"seeds": gathered[0]["seeds"]}
    assert merge([small], [missing]) == [small]


def test_accuracy_for_the_parameters():
    rows = {RGB: row(RGB, 1600, parameters=4_000_000), GRAY: row(GRAY, 1500)}
    per_parameter = Ordering("", "thesis-xcao", "thesis-googlenet", per_parameter=True)
    rows = {
        "thesis-xcao": row("thesis-xcao", 1500, parameters=7_000_000),
        "thesis-googlenet": row("thesis-googlenet", 1600, parameters=22_000_000),
    }
    finding = per_parameter.judge(rows)
    assert finding.verdict == "reproduced"
    assert finding.points[0] == pytest.approx(100 * (1500 / 7 - 1600 / 22) / FACES)


@pytest.mark.parametrize(
    ("small", "reason"),
    [
        ({}, "–"),
        ({"error": "weights 'imagenet' of VGG16: no network"}, "ImageNet's weights"),
        (row(RGB, 1600, train=147), "147 faces"),
        (row(RGB, 1600, training={"fraction": 0.5}), "a share of the faces"),
        (row(RGB, 1600, training={"epochs": 3, "patience": None}), "3 of 30 epochs"),
        (row(RGB, 1600, size=16), "16 px"),
        ({k: v for k, v in row(RGB, 1600).items() if k != "recipe"}, "recipe unknown"),
    ],
)
def test_nothing_is_claimed_from_a_row_that_is_too_small(small, reason):
    finding = ORDERING.judge({RGB: small, GRAY: row(GRAY, 1000)} if small else {})
    assert finding.verdict == "not run yet"
    assert finding.ours.startswith(reason)
    assert finding.points is None


def test_early_stopping_is_long_enough():
    rows = {name: row(name, 1500, training={"epochs": 12, "patience": 5}) for name in (RGB, GRAY)}
    assert ORDERING.judge(rows).verdict == "tie"


@pytest.mark.parametrize(
    ("right", "reached", "verdict"),
    [
        (2300, True, "reproduced"),
        (2000, True, "contradicted"),
        (2000, False, "reproduced"),
        (2100, True, "tie"),
    ],
)
def test_a_level(right, reached, verdict):
    level = Level("70%", RGB, "accuracy", 0.7, reached)
    assert level.judge({RGB: row(RGB, right)}).verdict == verdict


def test_the_least_recall_counts_its_own_faces():
    name = "thesis-xcao-two-stream-all"
    level = Level("every label", name, "least_recall", 0.5, reached=False)
    recall = {"label_recall": {"happiness": 0.9, "contempt": 0.1}}
    many = row(name, 2000, **recall, label_faces={"happiness": 2000, "contempt": 300})
    assert level.judge({name: many}).verdict == "reproduced"
    few = row(name, 2000, **recall, label_faces={"happiness": 2000, "contempt": 2})
    assert level.judge({name: few}).verdict == "tie"


@pytest.mark.parametrize(("loss", "verdict"), [(1.84, "reproduced"), (1.7, "contradicted")])
def test_a_log_of_epochs(loss, verdict):
    log = Log("epoch 1", "two-conv", ((1.856, 0.2367),))
    history = [{"loss": loss, "train_accuracy": 0.24}, {"loss": 1.0, "train_accuracy": 0.6}]
    assert log.judge({"two-conv": row("two-conv", 1500, history=history)}).verdict == verdict


def test_a_network_that_learned_nothing_is_known_by_its_printed_figures():
    dog = Untrained("", "thesis-preprocessing-dog", 0.2505, 7)
    assert dog.judge({}).verdict == "cannot have trained"
    none = Untrained("", "thesis-preprocessing-none", 0.2505, 7)
    assert none.judge({}).verdict == "reproduced"


def test_bits_come_back():
    values = np.arange(21) % 3 == 0
    assert unpack_bits(pack_bits(values), 21).tolist() == values.tolist()


def test_every_claim_is_of_runs_that_there_are():
    for claim in (claim for claims in CLAIMS.values() for claim in claims):
        names = [claim.better, claim.worse] if isinstance(claim, Ordering) else [claim.run]
        assert set(names) <= set(RUNS), claim


def test_the_page_and_the_picture_are_those_of_the_committed_rows(tmp_path):
    rows = replication.load_rows()
    assert replication.PAGE.read_text("utf-8") == replication.replication_page(rows)
    replication.draw(rows, tmp_path / "drawn.svg")
    assert words(tmp_path / "drawn.svg") == words(replication.PICTURE)
