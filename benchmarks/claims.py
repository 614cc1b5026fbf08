"""What the studies claim, and a verdict on each from the committed rows, by one rule.

An ordering is reproduced if the 95% interval of our difference lies on the printed side of 0,
contradicted if it lies on the other side, and a tie if it holds 0.  The difference is taken face by
face where both rows say which faces were predicted right.  A level is reproduced if our interval
lies on the same side of it as the printed figure.  No verdict is given from rows that are too small
(`too_small`).  Where both rows were trained with several seeds, an ordering that turns round with
one of them is a tie.  Whether a printed figure is one of a network that learned anything is judged
from the figure alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.intervals import paired, wilson
from fer_mobile.studies.measure import unpack_bits
from fer_mobile.studies.suite import Run
from fer_mobile.studies.suites import SUITES

Verdict = Literal["reproduced", "tie", "contradicted", "cannot have trained", "not run yet"]
Rows = Mapping[str, dict[str, Any]]
"""The row of each run, by its name."""

RUNS: Final = {run.name: run for suite in SUITES.values() for run in suite.runs}

FEWEST_FACES: Final = 10_000
"""With fewer training faces no ordering is claimed."""
LEAST_SIZE: Final = 112
"""The input, in pixels, at which networks of 224 px may be compared on a processor."""
PATIENCE: Final = 5
"""Epochs without a better one after which a run has been long enough, however many it had."""


class NoVerdictError(Exception):
    """Rows that a claim needs are missing or too small; the message says how."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict on a claim, and what it rests on."""

    verdict: Verdict
    printed: str
    ours: str
    points: tuple[float, float] | None = None
    """Of an ordering: our difference and half of its 95% interval, in points."""


def too_small(row: Mapping[str, Any], run: Run) -> str | None:
    """Why a row says nothing of the study's run; None if it is of its size."""
    faces = row["faces"]["train"]
    if faces < FEWEST_FACES:
        return f"{faces:,} faces"
    if "recipe" not in row:
        return "recipe unknown"
    training = row["recipe"]["training"]
    if training["fraction"] < 1 or training["valid_fraction"] < 1:
        return "a share of the faces"
    wanted = run.recipe.training.epochs
    if training["epochs"] < wanted and (training["patience"] or 0) < PATIENCE:
        return f"{training['epochs']} of {wanted} epochs"
    if row["size"] < min(run.recipe.model.options.get("size", 48), LEAST_SIZE):
        return f"{row['size']} px"
    return None


def find(rows: Rows, name: str) -> dict[str, Any]:
    """The row of a run at its size; NoVerdictError if there is none."""
    row = rows.get(name, {"error": "not run yet"})
    if "imagenet" in row.get("error", ""):
        raise NoVerdictError("ImageNet's weights are not to be had")
    if "error" in row:
        raise NoVerdictError("–")
    reason = too_small(row, RUNS[name])
    if reason:
        raise NoVerdictError(reason)
    return row


@dataclass(frozen=True, slots=True)
class Ordering:
    """One run is better than another."""

    text: str
    better: str
    worse: str
    per_parameter: bool = False
    """By accuracy for each million parameters."""

    def judge(self, rows: Rows) -> Finding:
        """The verdict."""
        names = (self.better, self.worse)
        unit = " a million" if self.per_parameter else ""
        printed = " / ".join(_printed(RUNS[name], self.per_parameter) for name in names) + unit
        try:
            one, other = (find(rows, name) for name in names)
        except NoVerdictError as reason:
            return Finding("not run yet", printed, str(reason))
        scales = [row["parameters"] / 1e6 if self.per_parameter else 1.0 for row in (one, other)]
        mean, half, how = _difference(one, other, *scales)
        shares = " / ".join(
            f"{row['accuracy'] / scale:.1%}"
            for row, scale in zip((one, other), scales, strict=True)
        )
        faces = one["faces"][one["split"]]
        ours = f"{shares}, {100 * mean:+.1f} ± {100 * half:.1f} points{unit}, n={faces:,}, {how}"
        by_seed = [
            100 * (accuracies[0] / scales[0] - accuracies[1] / scales[1])
            for accuracies in _of_common_seeds(one, other)
        ]
        if len(by_seed) > 1:
            ours += "; seeds " + ", ".join(f"{points:+.1f}" for points in by_seed)
        verdict: Verdict = "tie"
        if abs(mean) > half and all(points * mean > 0 for points in by_seed):
            verdict = "reproduced" if mean > 0 else "contradicted"
        return Finding(verdict, printed, ours, (100 * mean, 100 * half))


@dataclass(frozen=True, slots=True)
class Level:
    """A run reaches a figure, or does not."""

    text: str
    run: str
    column: Literal["accuracy", "least_recall"]
    level: float
    reached: bool
    """As printed."""

    def judge(self, rows: Rows) -> Finding:
        """The verdict."""
        printed = _printed(RUNS[self.run])
        if self.column == "least_recall":
            printed = f"{min(RUNS[self.run].printed_recall.values()):.1%}"
        try:
            row = find(rows, self.run)
        except NoVerdictError as reason:
            return Finding("not run yet", printed, str(reason))
        share, faces = row["accuracy"], row["faces"][row["split"]]
        if self.column == "least_recall":
            label, share = min(row["label_recall"].items(), key=lambda item: item[1])
            faces = row["label_faces"][label]
        low, high = wilson(share * faces, faces)
        verdict: Verdict = "tie"
        if not low <= self.level <= high:
            verdict = "reproduced" if (share > self.level) == self.reached else "contradicted"
        return Finding(verdict, printed, f"{share:.1%} ({low:.1%} to {high:.1%}), n={faces:,}")


@dataclass(frozen=True, slots=True)
class Log:
    """The first epochs of a training go as printed: loss and accuracy on the training batches."""

    text: str
    run: str
    epochs: tuple[tuple[float, float], ...]
    """Loss in nats and accuracy of each epoch."""
    loss: float = 0.05
    accuracy: float = 0.02
    """How far ours may be from them."""

    def judge(self, rows: Rows) -> Finding:
        """The verdict."""
        printed = _log(self.epochs)
        try:
            history = find(rows, self.run)["history"][: len(self.epochs)]
        except NoVerdictError as reason:
            return Finding("not run yet", printed, str(reason))
        ours = tuple((epoch["loss"], epoch["train_accuracy"]) for epoch in history)
        near = len(ours) == len(self.epochs) and all(
            abs(a[0] - b[0]) <= self.loss and abs(a[1] - b[1]) <= self.accuracy
            for a, b in zip(ours, self.epochs, strict=True)
        )
        return Finding("reproduced" if near else "contradicted", printed, _log(ours))


@dataclass(frozen=True, slots=True)
class Untrained:
    """A printed figure that a network gives which always says the commonest label."""

    text: str
    run: str
    chance: float
    """The share of the commonest label among the faces that the study tested on."""
    labels: int

    def judge(self, rows: Rows) -> Finding:
        """The verdict, from the printed figures alone."""
        figures = RUNS[self.run].printed
        printed = f"{figures['accuracy']:.1%}, chance {self.chance:.1%}"
        limit = math.log(self.labels)
        if "loss" in figures:
            printed += f"; loss {figures['loss']:.3f}, chance {limit:.3f}"
        learned = figures["accuracy"] > self.chance or figures.get("loss", limit) < limit
        return Finding("reproduced" if learned else "cannot have trained", printed, "–")


Claim = Ordering | Level | Log | Untrained


def _printed(run: Run, per_parameter: bool = False) -> str:
    accuracy = run.printed.get("accuracy")
    if accuracy is None:
        return "–"
    return f"{accuracy / (run.printed['parameters'] / 1e6 if per_parameter else 1):.1%}"


def _log(epochs: tuple[tuple[float, float], ...]) -> str:
    return "; ".join(f"{loss:.3f}, {accuracy:.1%}" for loss, accuracy in epochs)


def _difference(
    one: Mapping[str, Any], other: Mapping[str, Any], scale: float, other_scale: float
) -> tuple[float, float, str]:
    """Difference of two rows' accuracies, half of its 95% interval, and how it was taken."""
    if "correct" in one and one.get("labels_sha256") == other.get("labels_sha256"):
        return *paired(_correct(one) / scale, _correct(other) / other_scale), "face by face"
    mean = one["accuracy"] / scale - other["accuracy"] / other_scale
    variance = sum(
        row["accuracy"] * (1 - row["accuracy"]) / row["faces"][row["split"]] / by**2
        for row, by in ((one, scale), (other, other_scale))
    )
    return mean, 1.96 * math.sqrt(variance), "each alone"


def seeds(row: Mapping[str, Any]) -> dict[int, float]:
    """The accuracy that each seed of a run gave; the row's other figures are of the first."""
    own = row["recipe"]["training"]["seed"] if "recipe" in row else 0
    return {own: row["accuracy"]} | {
        each["seed"]: each["accuracy"] for each in row.get("seeds", ())
    }


def _of_common_seeds(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[tuple[float, float]]:
    first, second = seeds(one), seeds(other)
    return [(first[seed], second[seed]) for seed in sorted(first.keys() & second.keys())]


def _correct(row: Mapping[str, Any]) -> NDArray[np.bool_]:
    return unpack_bits(row["correct"], row["faces"][row["split"]])


CLAIMS: Final[Mapping[str, tuple[Claim, ...]]] = {
    "The thesis: networks (table 5, figure 26)": (
        Ordering("two streams are better than one", "thesis-xcao-two-stream", "thesis-xcao"),
        Ordering(
            "X.Cao with 2 streams is better than GoogleNet",
            "thesis-xcao-two-stream",
            "thesis-googlenet",
        ),
        Ordering("X.Cao is better than MobileNet", "thesis-xcao", "thesis-mobilenet"),
        Ordering(
            "X.Cao has more accuracy for its parameters than GoogleNet",
            "thesis-xcao",
            "thesis-googlenet",
            per_parameter=True,
        ),
        Ordering(
            "MobileNet has more accuracy for its parameters than X.Cao",
            "thesis-mobilenet",
            "thesis-xcao",
            per_parameter=True,
        ),
        Ordering(
            "normalisation and dropout improve the baseline",
            "thesis-baseline-enhanced",
            "thesis-baseline",
        ),
        Ordering(
            "the fractal network is better than GoogleNet", "thesis-fractal", "thesis-googlenet"
        ),
    ),
    "The thesis: preprocessing (table 4)": (
        *(
            Ordering(
                f"no preprocessing is better than {name}",
                "thesis-preprocessing-none",
                f"thesis-preprocessing-{run}",
            )
            for name, run in (
                ("equalization", "equalize"),
                ("gamma 0.75", "gamma"),
                ("98 px", "resize"),
            )
        ),
        # 8,989 of FER2013's 35,887 faces are happy.
        Untrained(
            "difference of Gaussians: the network learned", "thesis-preprocessing-dog", 0.2505, 7
        ),
    ),
    "The thesis: its objectives (tables 6 and 7)": (
        Level("an accuracy of 70% is reached", "thesis-xcao-two-stream-all", "accuracy", 0.7, True),
        Level(
            "a recall of 50% is not reached by every label",
            "thesis-xcao-two-stream-all",
            "least_recall",
            0.5,
            False,
        ),
    ),
    "Study 000": (
        Ordering("gray faces are better than RGB", "four-five-block", "four-five-block-rgb"),
        Level("the chosen CNN reaches 83%", "four-five-block", "accuracy", 0.83, True),
    ),
    "Study 001": (
        Log(
            "loss and accuracy of epochs 1 to 3",
            "two-conv",
            ((1.8560, 0.2367), (1.8100, 0.2484), (1.8022, 0.2475)),
        ),
        Level("51.8% are reached", "two-conv", "accuracy", 0.518, True),
    ),
    "Study 002": (
        Ordering(
            "RGB is better than gray", "emotion-simple-cnn-rgb", "emotion-simple-cnn-grayscale"
        ),
        Ordering(
            "kernels of 2×2 are better than 3×3",
            "emotion-simple-cnn-rgb-2x2",
            "emotion-simple-cnn-rgb",
        ),
        Ordering(
            "oversampling is better than undersampling",
            "emotion-simple-cnn-rgb-2x2-over",
            "emotion-simple-cnn-rgb-2x2-under",
        ),
        Ordering(
            "shortcuts are better than none",
            "emotion-resnet-like",
            "emotion-simple-cnn-rgb-2x2-over",
        ),
        *(
            Untrained(f"{name}: the network learned", f"emotion-{run}", 0.25, 4)
            for name, run in (
                ("EfficientNet", "efficientnet-tl"),
                ("ResNetV2, trained whole", "resnetV2-tl-trainable"),
            )
        ),
    ),
    "Study 004": (
        Ordering("RGB is better than gray", "four-final-rgb", "four-final-gray"),
        *(
            Ordering(
                f"the final network is better than model {number}",
                "four-final-rgb",
                f"four-model-{number}",
            )
            for number in (1, 2)
        ),
        Level("the final network reaches 93.3%", "four-final-rgb", "accuracy", 0.9331, True),
        Untrained("EfficientNet B2: the network learned", "four-efficientnet-b2-last", 0.25, 4),
    ),
}
"""Every claim that is judged, by its source."""
