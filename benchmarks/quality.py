"""Whether the quality of a face says when its label is wrong.

    FER_MOBILE_DATA=... python -m benchmarks.quality MODEL

Result: benchmarks/results/quality_MODEL.jsonl, a row for each set of faces, and quality_MODEL.png.

*valid*: faces of ferplus-strict valid, enlarged to 60 to 220 px and laid into a photo
without a face (as in `benchmarks.framing`), where the pipeline has to find it.
*valid, changed*: the same under one or two changes of a random strength
(`photo_changes.random_change`).
Both are of the faces of odd rows.  The limits of `fer_mobile.quality` were chosen on the even
ones, those of shape and light in sight of the photos.
*photos, changed*: the faces of the bundled and the shared photos (as in `benchmarks.robustness`)
under three such changes each; wrong is a label that the photo itself does not get.

Coverage is the share of the faces found that keep their label, risk the share of wrong ones
among those; the area under the risk over all coverages (AURC) is the mean risk, and less is better.
Surely wrong is a wrong label with a confidence of 0.8 or more.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import cv2
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from benchmarks.framing import lay
from benchmarks.intervals import wilson
from benchmarks.photo_changes import Change, random_change, unchanged
from benchmarks.result_files import RESULTS, write_rows
from benchmarks.robustness import SURE, find_again, photo_sets, references
from fer_mobile.arrays import Pixels
from fer_mobile.data import Dataset, load_dataset
from fer_mobile.files import replace_file
from fer_mobile.pipeline import Pipeline, load_pipeline
from fer_mobile.preprocess import face_pixels
from fer_mobile.quality import SIDE, shares
from fer_mobile.types import FLAWS, Box, Detection, Face, Flaw
from tools.made_photos import background

PHOTO: Final = (384, 288)
"""Width and height of a made photo."""
SIDES: Final = (60, 220)
EMPTY: Final = 40
CHANGES_OF_A_PHOTO: Final = 3
THRESHOLDS: Final = tuple(round(0.1 * step, 1) for step in range(10))
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Trial:
    """A face that was found in a changed photo."""

    kind: str
    """Of the change."""
    face: Face
    left: dict[Flaw, float]
    """`quality.shares`."""
    is_wrong: bool


@cache
def empty_photos() -> list[Pixels]:
    """Gray photos without a face."""
    rng = np.random.default_rng(0)
    return [np.asarray(background(PHOTO, rng).convert("L")) for _ in range(EMPTY)]


def made_photo(image: Pixels, rng: np.random.Generator) -> tuple[Pixels, Box]:
    """A photo (RGB) with a training face in it, and where its frame lies."""
    side = int(rng.integers(*SIDES))
    empty = empty_photos()
    photo = empty[rng.integers(len(empty))].copy()
    left, top = (int(rng.integers(limit - side + 1)) for limit in PHOTO)
    lay(photo, cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC), left, top)
    return np.repeat(photo[..., None], 3, 2), Box(left, top, side, side)


def valid_trials(pipeline: Pipeline, valid: Dataset, *, changed: bool) -> list[Trial | None]:
    """What becomes of each face; None for one that is not found."""
    rng = np.random.default_rng(1)
    names, trials = valid.names, []
    for image, label in zip(valid.images, valid.labels, strict=True):
        rgb, frame = made_photo(image, rng)
        kind, change = random_change(rng) if changed else ("none", unchanged)
        trials.append(_trial(pipeline, rgb, frame, kind, change, names[int(label)]))
    return trials


def photo_trials(pipeline: Pipeline) -> Iterator[Trial | None]:
    """What becomes of the faces of the photos."""
    rng = np.random.default_rng(2)
    for paths in photo_sets().values():
        for photo in references(pipeline, paths):
            for _ in range(CHANGES_OF_A_PHOTO):
                kind, change = random_change(rng)
                for face in photo.faces:
                    yield _trial(pipeline, photo.rgb, face.box, kind, change, face.label)


def _trial(
    pipeline: Pipeline, rgb: Pixels, box: Box, kind: str, change: Change, label: str | None
) -> Trial | None:
    changed = change(rgb, [box])
    face = find_again(box, changed, pipeline(changed.rgb).faces)
    if face is None:
        return None
    preprocessing = pipeline.classifier.contract.preprocessing
    found = Detection(face.box, face.score, face.landmarks)
    levelling = preprocessing.levelling
    direction = levelling.rule.direction(found) if levelling else None
    square = face_pixels(changed.rgb, face.box, SIDE, preprocessing.crop.rule, direction)
    left = shares(square, found, levelled=face.levelled)
    return Trial(kind, face, left, face.label != label)


def scores(trials: Sequence[Trial]) -> dict[str, Floats]:
    """Everything that could say which labels to keep, by its name."""
    quality = np.array([trial.face.quality for trial in trials])
    confidence = np.array([trial.face.confidence for trial in trials])
    alone = {flaw: np.array([trial.left.get(flaw, 1.0) for trial in trials]) for flaw in FLAWS}
    return {
        "quality": quality,
        "product": np.prod([*alone.values()], axis=0),
        "confidence": confidence,
        "confidence × quality": confidence * quality,
        **{f"only {flaw}": value for flaw, value in alone.items()},
    }


def risk_by_coverage(score: Floats, wrong: Floats) -> Floats:
    """Risk of the 1, 2, … N faces of the highest scores; equal scores count alike."""
    order = np.argsort(-score, kind="stable")
    _, group = np.unique(-score[order], return_inverse=True)
    even = (np.bincount(group, wrong[order]) / np.bincount(group))[group]
    return np.cumsum(even) / np.arange(1, len(even) + 1)


def figures(trials: Sequence[Trial]) -> dict[str, Any]:
    """Risk, AURC of every score, and what each least quality leaves."""
    wrong = np.array([trial.is_wrong for trial in trials], float)
    by_score = scores(trials)
    sure = by_score["confidence"] >= SURE
    table = []
    for least in THRESHOLDS:
        kept = by_score["quality"] >= least
        n, sure_wrong = int(kept.sum()), int((wrong[kept & sure]).sum())
        table.append(
            {
                "min_quality": least,
                "coverage": round(n / len(trials), 4),
                "risk": round(float(wrong[kept].mean()), 4),
                "surely_wrong": sure_wrong,
                "surely_wrong_share": round(sure_wrong / n, 4),
                "interval": wilson(sure_wrong, n),
                "risk_of_the_unsure": round(float(wrong[~kept].mean()), 4)
                if n < len(kept)
                else None,
            }
        )
    return {
        "faces": len(trials),
        "risk": round(float(wrong.mean()), 4),
        "aurc": {
            name: round(float(risk_by_coverage(score, wrong).mean()), 4)
            for name, score in by_score.items()
        },
        "aurc_of_the_sure": {
            name: round(float(risk_by_coverage(by_score[name][sure], wrong[sure]).mean()), 4)
            for name in ("quality", "product", "confidence", "confidence × quality")
        },
        "by_min_quality": table,
    }


def draw(sets: dict[str, list[Trial]], model: str) -> None:
    """Risk over coverage, a panel for each set."""
    figure = Figure(figsize=(9, 3), layout="constrained")
    for axis, (name, trials) in zip(figure.subplots(1, len(sets)), sets.items(), strict=True):
        wrong = np.array([trial.is_wrong for trial in trials], float)
        coverage = np.arange(1, len(wrong) + 1) / len(wrong)
        by_score = scores(trials)
        for score in ("quality", "confidence", "confidence × quality"):
            risk = risk_by_coverage(by_score[score], wrong)
            shown = coverage >= 0.3
            axis.plot(100 * coverage[shown], 100 * risk[shown], label=score)
        axis.set_title(f"{name} ({len(wrong):,} faces)", fontsize=10)
        axis.set_xlabel("labels kept, %")
        axis.set_ylim(0)
    figure.axes[0].set_ylabel("wrong among them, %")
    figure.axes[0].legend(fontsize=8)
    replace_file(RESULTS / f"quality_{model}.png", lambda part: figure.savefig(part, dpi=110))


def trials_of(pipeline: Pipeline, valid: Dataset) -> tuple[dict[str, list[Trial]], dict[str, int]]:
    """The faces found of each set, and how many were not."""
    odd = valid.take(np.arange(1, len(valid), 2))
    sets = {
        "valid": valid_trials(pipeline, odd, changed=False),
        "valid, changed": valid_trials(pipeline, odd, changed=True),
        "photos, changed": list(photo_trials(pipeline)),
    }
    found = {name: [trial for trial in each if trial] for name, each in sets.items()}
    return found, {name: each.count(None) for name, each in sets.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model")
    model = parser.parse_args().model
    cv2.setNumThreads(1)
    valid = load_dataset(split="valid")
    pipeline = load_pipeline(model)
    found, lost = trials_of(pipeline, valid)
    draw(found, model)
    rows = [
        {
            "command": f"python -m benchmarks.quality {model}",
            "protocol": valid.protocol,
            "pipeline": pipeline.identity,
            "graph": pipeline.classifier.contract.model_sha256,
            "model": model,
            "set": name,
            "not_found": lost[name],
            **figures(trials),
        }
        for name, trials in found.items()
    ]
    write_rows("quality", rows, of=model)


if __name__ == "__main__":
    main()
