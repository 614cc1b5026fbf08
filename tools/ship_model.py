"""Makes a trained run a shipped model: models/<name>/ with float weights, files and figures.

    FER_MOBILE_DATA=... python -m tools.ship_model RUN [--name NAME] [--temperature]
        [--copy] [--trained-on DEVICE]

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
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from benchmarks.result_files import write_row
from fer_mobile.checkpoint import Checkpoint, RunFolder, load_checkpoint
from fer_mobile.checkpoint.fold_calibration import fold_calibration
from fer_mobile.contract import Figures
from fer_mobile.convert import export
from fer_mobile.convert.options import PRECISIONS
from fer_mobile.convert.training_ranges import training_ranges
from fer_mobile.data import as_protocol, load_dataset
from fer_mobile.evaluation import evaluate
from fer_mobile.files import write_bytes, write_text
from fer_mobile.graph.ranges import RANGES_JSON, make_ranges, model_fingerprint, read_ranges
from fer_mobile.model_file import read_contract
from fer_mobile.models import CHECKPOINT_JSON, shipped_models
from fer_mobile.predictor import predict_faces
from fer_mobile.quiet import quiet
from fer_mobile.resources import models_dir
from fer_mobile.training.output_calibration import fit_output_calibration
from fer_mobile.types import Quantization
from tools.half_weights import halve_kernels

KEPT: Final[tuple[Quantization, ...]] = ("float16", "int8")
"""The files of a model that are shipped."""


def ship(checkpoint: Checkpoint, folder: Path, figures: tuple[Figures, ...]) -> None:
    """Write a checkpoint as a shipped model's folder: halved weights and checkpoint.json."""
    weights = folder / f"{checkpoint.name}.keras"
    with tempfile.TemporaryDirectory() as scratch, quiet():
        whole = Path(scratch) / weights.name
        checkpoint.model.save(whole)
        write_bytes(weights, halve_kernels(whole.read_bytes()))
    calibration = checkpoint.output_calibration
    facts = {
        "name": checkpoint.name,
        "architecture": checkpoint.architecture,
        "options": checkpoint.options,
        "parameters": checkpoint.parameters,
        "labels": checkpoint.labels,
        "provenance": checkpoint.provenance.model_dump(mode="json"),
        "output_calibration": calibration.model_dump() if calibration else None,
        "figures": [row.model_dump() for row in figures],
        "licence": checkpoint.licence,
    }
    write_text(folder / CHECKPOINT_JSON, json.dumps(facts, indent=1) + "\n")
    shipped_models.cache_clear()


def measure(model: str, protocol: str, folder: Path) -> tuple[Figures, ...]:
    """Export a shipped model in every precision into a folder; the figures on valid."""
    rows = []
    for quantize, precision in PRECISIONS.items():
        path = export(model, quantize=quantize, out=folder).path
        figures = evaluate(path, protocol=as_protocol(protocol)).as_dict()
        fields = {k: figures[k] for k in Figures.model_fields if k != "precision"}
        rows.append(Figures(precision=precision, **fields))
        print(precision, figures["accuracy"], figures["balanced_accuracy"], path.stat().st_size)
    return tuple(rows)


def with_temperature(checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint with a temperature, fitted on valid, folded into its last layer."""
    valid = load_dataset(split="valid")
    probabilities = predict_faces(checkpoint.model, valid.images)
    calibration = fit_output_calibration(probabilities, valid)
    fold_calibration(checkpoint.model, calibration, checkpoint.labels)
    return replace(checkpoint, output_calibration=calibration)


def ship_ranges(run: Path, weights: Path, *, as_trained: bool) -> None:
    """Write ranges.json for the shipped weights, which are the run's but for rounding."""
    model = load_checkpoint(weights).model
    if as_trained and (run / RANGES_JSON).is_file():
        own = read_ranges(run / RANGES_JSON, model_fingerprint(load_checkpoint(run).model))
        limits, origin = own.limits, own.origin
    else:
        limits, origin = training_ranges(model, load_dataset(split="train").images)
    make_ranges(weights.parent, model, limits=limits, origin=origin)


def record_training(run: RunFolder, name: str, device: str | None) -> None:
    """Write how long the run's epochs took, for the card, and on what if not on this machine."""
    seconds = sum(epoch["seconds"] for epoch in run.read_history())
    graph = read_contract(shipped_models(copies=True)[name].files["int8"]).model_sha256
    row: dict[str, Any] = {
        "model": name,
        "model_sha256": graph,
        "hours": round(seconds / 3600, 2),
    }
    write_row(f"training_{name}", row | ({"trained_on": device} if device else {}))


def main() -> None:
    """Ship the run or model that the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--name")
    parser.add_argument("--temperature", action="store_true")
    parser.add_argument("--copy", action="store_true")
    parser.add_argument("--trained-on")
    arguments = parser.parse_args()
    checkpoint = load_checkpoint(arguments.run)
    if arguments.name:
        checkpoint = replace(checkpoint, name=arguments.name)
    if arguments.temperature:
        checkpoint = with_temperature(checkpoint)
    folder = models_dir() / checkpoint.name
    ship(checkpoint, folder, checkpoint.figures)
    weights = folder / f"{checkpoint.name}.keras"
    ship_ranges(arguments.run, weights, as_trained=not arguments.temperature)
    with tempfile.TemporaryDirectory() as scratch:
        (figures, *_) = checkpoint.figures
        ship(checkpoint, folder, measure(checkpoint.name, figures.protocol, Path(scratch)))
    for quantize in KEPT[-1:] if arguments.copy else KEPT:
        print(export(checkpoint.name, quantize=quantize, out=folder).path)
    if arguments.run.is_dir():
        record_training(RunFolder(arguments.run), checkpoint.name, arguments.trained_on)
    if arguments.copy:
        weights.unlink()
        (folder / RANGES_JSON).unlink()


if __name__ == "__main__":
    main()
