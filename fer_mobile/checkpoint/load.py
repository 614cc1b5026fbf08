"""Finds the float weights that a name or a path means."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fer_mobile.checkpoint.checkpoint import Checkpoint, make_checkpoint
from fer_mobile.checkpoint.fold_calibration import fold_calibration
from fer_mobile.checkpoint.keras_file import import_keras, load_keras
from fer_mobile.checkpoint.run_folder import RunFolder
from fer_mobile.contract import Figures, OutputCalibration, Training
from fer_mobile.errors import ModelError
from fer_mobile.models import ShippedModel, shipped_models, unknown_model
from fer_mobile.zoo import ARCHITECTURES

_MEASURED: Final = ("protocol", "split", "n", "accuracy", "balanced_accuracy", "recall")
"""Of valid.json, what a contract states."""


def load_checkpoint(model: str | Path) -> Checkpoint:
    """The float weights that `model` means.

    `model` is a shipped name, an architecture's name (fresh weights, seed 0), a ``.keras``
    file or a run folder.  Raises ModelError where it is none of them or cannot be read.
    """
    shipped = shipped_models(copies=True).get(str(model))
    path = Path(model)
    if shipped:
        return _load_shipped(shipped)
    if str(model) in ARCHITECTURES:
        import_keras().utils.set_random_seed(0)
        network = ARCHITECTURES[str(model)].build()
        return make_checkpoint(network, name=str(model), licence="none: not trained")
    if path.is_file() and path.suffix == ".keras":
        licence = "as stated by whoever trained it"
        return make_checkpoint(load_keras(path), name=path.stem, licence=licence)
    if RunFolder(path).has_weights:
        return _load_run(RunFolder(path))
    known = dict.fromkeys([*shipped_models(), *ARCHITECTURES])
    raise unknown_model(model, "a shipped or zoo name, a .keras file or a run folder", known)


def _load_shipped(shipped: ShippedModel) -> Checkpoint:
    facts = shipped.facts()
    if not shipped.checkpoint.is_file():
        raise ModelError(
            shipped.name,
            expected="float weights",
            found="an int8 file alone",
            hint=f"Train them: fer-mobile train {facts['training']['recipe']}",
        )
    calibration = facts.get("adjustment")
    return make_checkpoint(
        load_keras(shipped.checkpoint),
        name=shipped.name,
        architecture=facts["architecture"],
        options=facts["options"],
        training=Training(**facts["training"]),
        figures=tuple(Figures(**row) for row in facts["figures"]),
        licence=facts["licence"],
        output_calibration=OutputCalibration(**calibration) if calibration else None,
        folder=shipped.folder,
    )


def _load_run(run: RunFolder) -> Checkpoint:
    recipe, valid, calibration = run.read_recipe(), run.read_valid(), run.read_calibration()
    model = load_keras(run.best_weights)
    labels = "FER+ votes" if recipe["data"]["protocol"].startswith("ferplus") else "their labels"
    if calibration:
        fold_calibration(model, calibration, tuple(valid["recall"]))
    return make_checkpoint(
        model,
        name=recipe["name"],
        architecture=recipe["model"]["architecture"],
        options=recipe["model"]["options"],
        training=Training(
            data=f"FER2013 images with {labels}",
            protocol=recipe["data"]["train_protocol"] or recipe["data"]["protocol"],
            # It may have stopped before its recipe's last one.
            epochs=run.read_state().epochs_done or recipe["training"]["epochs"],
            seed=recipe["training"]["seed"],
            recipe=recipe["name"],
        ),
        figures=(Figures(precision="float32", **{k: valid[k] for k in _MEASURED}),),
        output_calibration=calibration,
        preprocessing=tuple(recipe["data"].get("preprocessing", ())),
        folder=run.path,
    )
