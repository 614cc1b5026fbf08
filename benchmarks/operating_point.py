"""How strongly to favour the rare labels: by cross-validation on the training rows.

    FER_MOBILE_DATA=... python -m benchmarks.operating_point RECIPE --runs DIR [--folds 5]
        [--set key=value ...]

Result: benchmarks/results/operating_point_RECIPE.json.

Trains the recipe once for every fold of the training rows (run folders in DIR; run it again
to go on), so that every row is predicted by a network that was not trained on it, and prints what
each strength of logit adjustment (`[calibration] prior`) would give, with the rare labels' recall
and its 95% interval (Wilson's).  Valid has no part in it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.intervals import wilson
from benchmarks.result_files import write_row
from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.contract import OutputCalibration
from fer_mobile.data import Dataset, as_protocol, load_dataset
from fer_mobile.metrics import score
from fer_mobile.preprocess import normalise, resize
from fer_mobile.training import find_recipe, load_recipe, train
from fer_mobile.training.output_calibration import calibrated, prior_offsets
from fer_mobile.training.recipe import Recipe
from fer_mobile.training.split import held_out

STRENGTHS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
MOST_LOST = 0.003
"""Accuracy that may be given for balance: the strength chosen is the best balanced one within."""


def out_of_fold(recipe: Recipe, folder: Path, folds: int) -> tuple[Dataset, np.ndarray]:
    """Every training row, and its probabilities by the network of its fold."""
    parts, predictions = [], []
    for fold in range(folds):
        data = recipe.data.model_copy(update={"folds": folds, "fold": fold})
        part = recipe.model_copy(update={"data": data})
        run = folder / f"{recipe.name}_fold{fold}"
        train(part, run, resume=True, finish=False)
        rows = held_out(part)
        model = load_checkpoint(run).model
        size = int(model.input_shape[1])
        pixels = normalise(np.stack([resize(image, size) for image in rows.images]))[..., None]
        predictions.append(model.predict(pixels, batch_size=256, verbose=0))
        parts.append(rows)
    whole = Dataset(
        images=np.concatenate([part.images for part in parts]),
        labels=np.concatenate([part.labels for part in parts]),
        targets=np.concatenate([part.targets for part in parts]),
        names=parts[0].names,
        protocol=parts[0].protocol,
        split="train, out of fold",
    )
    return whole, np.concatenate(predictions)


def measure(rows: Dataset, probabilities: np.ndarray, shares: np.ndarray) -> list[dict[str, Any]]:
    table = []
    for strength in STRENGTHS:
        offsets = prior_offsets(shares, strength, rows.names)
        chosen = OutputCalibration(offsets=offsets, origin="cross-validation")
        scores = score(calibrated(probabilities, chosen, rows.names), rows.labels, rows.names)
        recall = {
            name: {"n": n, "recall": round(r, 4), "interval": wilson(r * n, n)}
            for name, n in scores.counts.items()
            if (r := scores.recall[name]) is not None
        }
        table.append(
            {
                "prior": strength,
                "accuracy": round(scores.accuracy, 5),
                "balanced_accuracy": round(scores.balanced_accuracy, 5),
                "recall": recall,
            }
        )
    return table


def choose(table: list[dict[str, Any]]) -> float:
    """The most balanced strength that costs at most `MOST_LOST` of the best accuracy."""
    best = max(row["accuracy"] for row in table)
    near = [row for row in table if row["accuracy"] >= best - MOST_LOST]
    return float(max(near, key=lambda row: row["balanced_accuracy"])["prior"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe")
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    options = parser.parse_args()
    recipe = load_recipe(find_recipe(options.recipe), options.overrides)
    rows, probabilities = out_of_fold(recipe, options.runs, options.folds)
    protocol = as_protocol(recipe.data.train_protocol or recipe.data.protocol)
    learned = load_dataset(protocol=protocol, split="train", training=True)
    table = measure(rows, probabilities, learned.targets.mean(0))
    write_row(
        f"operating_point_{recipe.name}",
        {
            "recipe": recipe.model_dump(),
            "folds": options.folds,
            "protocol": rows.protocol,
            "n": len(rows),
            "chosen_prior": choose(table),
            "strengths": table,
        },
    )


if __name__ == "__main__":
    main()
