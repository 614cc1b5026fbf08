"""Makes a trained run a shipped model: models/<name>/ with float weights, files and figures.

    FER_MOBILE_DATA=... python -m benchmarks.ship_model RUN [--name NAME] [--temperature] [--copy]
        [--trained-on DEVICE]

`--name` is for a model that is not called as the recipe that made it, `--trained-on` says where
it was trained if not here.
RUN may also be the name of a model that is shipped already, which is then exported and
measured anew; `--temperature` fits one to it first, where its recipe did not.

Every precision is exported and measured on valid; float weights, float16 and int8 files are
kept, of a `--copy` for another protocol the int8 file alone.  The
activation ranges for int8 are the run's own, or those of training faces where it has none or
a temperature has changed its last layer.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.result_files import write_row
from fer_mobile.checkpoint import Checkpoint, load_checkpoint, ship
from fer_mobile.checkpoint.fold_calibration import fold_calibration
from fer_mobile.contract import Figures
from fer_mobile.convert import export
from fer_mobile.convert.calibration import training_ranges
from fer_mobile.convert.exporter import QUANTIZATIONS
from fer_mobile.data import load_dataset
from fer_mobile.evaluation import evaluate
from fer_mobile.graph.ranges import RANGES_JSON, make_ranges, model_fingerprint, read_ranges
from fer_mobile.preprocess import normalise, resize
from fer_mobile.resources import models_dir
from fer_mobile.training.output_calibration import fit_output_calibration

KEPT = ("float16", "int8")


def measured(model: str, protocol: str, folder: Path) -> tuple[Figures, ...]:
    rows = []
    for quantize, precision in QUANTIZATIONS.items():
        path = export(model, quantize=quantize, out=folder).path
        found = evaluate(path, protocol=protocol).as_dict()
        fields = {k: found[k] for k in Figures.model_fields if k != "precision"}
        rows.append(Figures(precision=precision, **fields))
        print(precision, found["accuracy"], found["balanced_accuracy"], path.stat().st_size)
    return tuple(rows)


def with_temperature(source: Checkpoint) -> Checkpoint:
    """The source with a temperature, fitted on valid, folded in."""
    valid = load_dataset(split="valid")
    size = int(source.model.input_shape[1])
    pixels = normalise(np.stack([resize(image, size) for image in valid.images]))[..., None]
    probabilities = source.model.predict(pixels, batch_size=256, verbose=0)
    calibration = fit_output_calibration(probabilities, valid)
    fold_calibration(source.model, calibration, source.labels)
    return replace(source, output_calibration=calibration)


def ship_ranges(run: Path, weights: Path, *, as_trained: bool) -> None:
    """Write ranges.json for the shipped weights, which are the run's but for rounding."""
    model = load_checkpoint(weights).model
    if as_trained and (run / RANGES_JSON).is_file():
        own = read_ranges(run / RANGES_JSON, model_fingerprint(load_checkpoint(run).model))
        limits, origin = own.limits, own.origin
    else:
        limits, origin = training_ranges(model, load_dataset(split="train").images)
    make_ranges(weights.parent, model, limits=limits, origin=origin)


def note_training(run: Path, name: str, device: str | None) -> None:
    """Write how long the run's epochs took, for the card, and on what if not on this machine."""
    with (run / "history.csv").open(newline="") as file:
        seconds = sum(float(row["seconds"]) for row in csv.DictReader(file))
    row = {"model": name, "hours": round(seconds / 3600, 2)}
    write_row(f"training_{name}", row | ({"trained_on": device} if device else {}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--name")
    parser.add_argument("--temperature", action="store_true")
    parser.add_argument("--copy", action="store_true")
    parser.add_argument("--trained-on")
    arguments = parser.parse_args()
    source = load_checkpoint(arguments.run)
    if arguments.name:
        source = replace(source, name=arguments.name)
    if arguments.temperature:
        source = with_temperature(source)
    folder = models_dir() / source.name
    ship(source, folder, source.figures)
    weights = folder / f"{source.name}.keras"
    ship_ranges(arguments.run, weights, as_trained=not arguments.temperature)
    with tempfile.TemporaryDirectory() as scratch:
        (figures, *_) = source.figures
        ship(source, folder, measured(source.name, figures.protocol, Path(scratch)))
    if arguments.run.is_dir():
        note_training(arguments.run, source.name, arguments.trained_on)
    for quantize in KEPT[-1:] if arguments.copy else KEPT:
        print(export(source.name, quantize=quantize, out=folder).path)
    if arguments.copy:
        weights.unlink()
        (folder / RANGES_JSON).unlink()


if __name__ == "__main__":
    main()
