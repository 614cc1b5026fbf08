"""Finds the float weights that a name or a path means."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fer_mobile.checkpoint.checkpoint import Checkpoint, make_checkpoint
from fer_mobile.checkpoint.fold_calibration import fold_calibration
from fer_mobile.checkpoint.keras_file import import_keras, load_keras
from fer_mobile.checkpoint.run_folder import RunFolder
from fer_mobile.checkpoint.value_range import take_unit_values
from fer_mobile.contract import UNTRAINED, Figures, OutputCalibration, Provenance
from fer_mobile.errors import ModelError
from fer_mobile.labels import VOCABULARIES
from fer_mobile.models import CHECKPOINT_JSON, ShippedModel, shipped_models, unknown_model
from fer_mobile.zoo import ARCHITECTURES

_MEASURED: Final = ("protocol", "split", "n", "accuracy", "balanced_accuracy", "recall")
"""Of valid.json, what a contract states."""


def load_checkpoint(model: str | Path, labels: Sequence[str] | None = None) -> Checkpoint:
    """The float weights that `model` means.

    `model` is a shipped name, an architecture's name (fresh weights, seed 0), a ``.keras``
    file or a run folder.  A ``.keras`` file has no labels unless `labels` gives them, a name for
    each output in their order.  The others have their own, which `labels` may not contradict.
    Models are given values of 0 to 1; one of a ``.keras`` file that begins with a `Rescaling` of
    0 to 255 is made to take them.

    Raises ModelError where `model` is none of them or cannot be read, and for labels that are
    wrong in number or others than its own.
    """
    checkpoint = _load(model, labels)
    if labels is not None and tuple(labels) != checkpoint.labels:
        raise ModelError(
            f"labels of {checkpoint.name}",
            expected=f"its own, {', '.join(checkpoint.labels)}",
            found=", ".join(labels),
        )
    return checkpoint


def _load(name: str | Path, labels: Sequence[str] | None) -> Checkpoint:
    shipped = shipped_models(copies=True).get(str(name))
    path = Path(name)
    if shipped:
        return _load_shipped(shipped)
    if str(name) in ARCHITECTURES:
        import_keras().utils.set_random_seed(0)
        network = ARCHITECTURES[str(name)].build()
        return make_checkpoint(
            network,
            name=str(name),
            labels=VOCABULARIES.get(network.output_shape[-1]),
            provenance=UNTRAINED,
            licence="none: not trained",
        )
    if path.is_file() and path.suffix == ".keras":
        if labels is None and (path.parent / CHECKPOINT_JSON).is_file():
            return _load_shipped(ShippedModel(path.stem, path.parent))
        model = load_keras(path)
        take_unit_values(model)
        return make_checkpoint(model, name=path.stem, labels=labels)
    if RunFolder(path).has_weights:
        return _load_run(RunFolder(path))
    known = dict.fromkeys([*shipped_models(), *ARCHITECTURES])
    raise unknown_model(name, "a shipped or zoo name, a .keras file or a run folder", known)


def _load_shipped(shipped: ShippedModel) -> Checkpoint:
    facts = shipped.facts()
    if not shipped.checkpoint.is_file():
        raise ModelError(
            shipped.name,
            expected="float weights",
            found="an int8 file alone",
            hint=f"Train the recipe {facts['provenance']['recipe']!r}.",
        )
    calibration = facts.get("output_calibration")
    return make_checkpoint(
        load_keras(shipped.checkpoint),
        name=shipped.name,
        architecture=facts["architecture"],
        options=facts["options"],
        labels=tuple(facts["labels"]),
        provenance=Provenance.model_validate(facts["provenance"]),
        figures=tuple(Figures(**row) for row in facts["figures"]),
        licence=facts["licence"],
        output_calibration=OutputCalibration(**calibration) if calibration else None,
        folder=shipped.folder,
    )


def _load_run(run: RunFolder) -> Checkpoint:
    recipe, valid, calibration = run.read_recipe(), run.read_valid(), run.read_calibration()
    model = load_keras(run.best_weights)
    if calibration:
        fold_calibration(model, calibration, tuple(valid["recall"]))
    return make_checkpoint(
        model,
        name=recipe["name"],
        architecture=recipe["model"]["architecture"],
        options=recipe["model"]["options"],
        labels=tuple(valid["recall"]),
        provenance=run.read_provenance(),
        figures=(Figures(precision="float32", **{k: valid[k] for k in _MEASURED}),),
        output_calibration=calibration,
        preprocessing=tuple(recipe["data"].get("preprocessing", ())),
        folder=run.path,
    )
