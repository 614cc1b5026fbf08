"""Finds the float weights that a name or a path means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fer_mobile.checkpoint.checkpoint import Checkpoint, label_each, make_checkpoint
from fer_mobile.checkpoint.fold_calibration import fold_calibration
from fer_mobile.checkpoint.keras_file import import_keras, load_keras
from fer_mobile.checkpoint.run_folder import RunFolder
from fer_mobile.checkpoint.value_range import read_value_range, take_unit_values
from fer_mobile.contract import UNTRAINED, Figures, OutputCalibration, Provenance
from fer_mobile.errors import ModelError, check_choice
from fer_mobile.labels import VOCABULARIES
from fer_mobile.models import CHECKPOINT_JSON, ShippedModel, shipped_models, unknown_model
from fer_mobile.types import VALUE_RANGES, ValueRange
from fer_mobile.zoo import ARCHITECTURES


def load_checkpoint(
    model: str | Path,
    labels: Sequence[str] | None = None,
    value_range: ValueRange | None = None,
) -> Checkpoint:
    """The float weights that `model` means, as a network that takes values of 0 to 1.

    Args:
        model: a shipped name, an architecture's name (fresh weights, seed 0), a ``.keras`` file
            or a run folder.
        labels: of a ``.keras`` file: a name for each output, in their order; without, it has
            none.
        value_range: of a ``.keras`` file whose first layer does not say it (a `Rescaling`
            does): what its input's values stand for.

    Shipped models, architectures and runs have labels and a range of their own, and so may a
    ``.keras`` file have a range; what is given may not contradict them.

    Raises ModelError where `model` is none of them or cannot be read, where nothing says its
    range, and for labels that are wrong in number or others than its own.
    """
    if value_range is not None:
        check_choice("value_range", value_range, VALUE_RANGES)
    path = Path(model)
    if _is_bare(path):
        return _load_bare(path, labels, value_range)
    checkpoint = _load(model)
    _check_own(checkpoint.name, "labels", labels, checkpoint.labels)
    _check_own(checkpoint.name, "value_range", value_range and [value_range], ["0..1"])
    return checkpoint


def _is_bare(path: Path) -> bool:
    """Whether a file is a ``.keras`` file with nothing beside it that tells what it is."""
    return (
        path.suffix == ".keras" and path.is_file() and not (path.parent / CHECKPOINT_JSON).exists()
    )


def _check_own(name: str, parameter: str, given: Sequence[str] | None, own: Sequence[str]) -> None:
    """Raise ModelError where something is given that contradicts what the model `name` says."""
    if given is not None and list(given) != list(own):
        raise ModelError(
            f"`{parameter}` of {name}",
            expected=f"its own, {', '.join(own)}",
            found=", ".join(given),
        )


def _load_bare(
    path: Path, labels: Sequence[str] | None, value_range: ValueRange | None
) -> Checkpoint:
    model = load_keras(path)
    checkpoint = make_checkpoint(model, name=path.stem, labels=labels)
    own = read_value_range(model)
    if own is not None:
        _check_own(path.stem, "value_range", value_range and [value_range], [own])
        value_range = own
    if value_range is None:
        also = f"Its labels are unknown, too: {label_each(model)}." if labels is None else ""
        raise ModelError(
            path.stem,
            expected=f"`value_range`, what its input's values are: {' or '.join(VALUE_RANGES)}",
            found="a network whose first layer does not say it",
            hint=also,
        )
    return replace(checkpoint, model=take_unit_values(model, value_range))


def _load(name: str | Path) -> Checkpoint:
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
        return _load_shipped(ShippedModel(path.stem, path.parent))
    run = RunFolder(path)
    if run.has_weights or (run.exists and run.read_state().epochs_done):
        return _load_run(run)
    if run.exists:
        raise ModelError(
            path,
            expected="a run that has finished an epoch",
            found="a run without a finished epoch",
            hint="Go on with `train(resume=True)`.",
        )
    known = dict.fromkeys([*shipped_models(), *ARCHITECTURES])
    raise unknown_model(name, "a shipped or zoo name, a .keras file or a run folder", known)


def _load_shipped(shipped: ShippedModel) -> Checkpoint:
    facts = _read_facts(shipped)
    if not shipped.checkpoint.is_file():
        raise ModelError(
            shipped.name,
            expected="float weights",
            found="an int8 file alone",
            hint=f"Train the recipe {facts['provenance'].recipe!r}.",
        )
    return make_checkpoint(
        load_keras(shipped.checkpoint), name=shipped.name, folder=shipped.folder, **facts
    )


def _read_facts(shipped: ShippedModel) -> dict[str, Any]:
    """What checkpoint.json says of float weights; ModelError where it says something else."""
    try:
        facts = shipped.facts()
        calibration = facts.get("output_calibration")
        return {
            "architecture": str(facts["architecture"]),
            "options": dict(facts["options"]),
            "labels": tuple(map(str, facts["labels"])),
            "provenance": Provenance.model_validate(facts["provenance"]),
            "figures": tuple(Figures(**row) for row in facts["figures"]),
            "licence": str(facts["licence"]),
            "output_calibration": OutputCalibration(**calibration) if calibration else None,
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ModelError(
            shipped.folder / CHECKPOINT_JSON,
            expected=f"the facts of {shipped.name}.keras, as in a shipped model's folder",
            found="something else",
            hint="Restore it; or remove it, and give `labels` and `value_range`.",
        ) from error


def _load_run(run: RunFolder) -> Checkpoint:
    recipe, figures, calibration = run.read_recipe(), run.read_figures(), run.read_calibration()
    labels, provenance = tuple(figures.recall), run.read_provenance()
    model = load_keras(run.best_weights)
    if calibration:
        fold_calibration(model, calibration, labels)
    return make_checkpoint(
        model,
        name=recipe.name,
        architecture=recipe.model.architecture,
        options=recipe.model.options,
        labels=labels,
        provenance=provenance,
        figures=(figures,),
        output_calibration=calibration,
        preprocessing=recipe.data.preprocessing,
        folder=run.path,
    )
