"""Where the weights of a run come from, as data; what is not known is called unknown."""

from __future__ import annotations

import hashlib
from importlib import metadata
from pathlib import Path
from typing import Any

import keras

from fer_mobile.checkpoint import RunFolder
from fer_mobile.contract import UNKNOWN, DatasetFacts, InitialWeights, Provenance, Teacher
from fer_mobile.data import Dataset
from fer_mobile.environment import describe_hardware
from fer_mobile.models import shipped_models
from fer_mobile.training.recipe import Recipe
from fer_mobile.training.unlabelled import Unlabelled
from fer_mobile.wording import counted


def describe_dataset(learn: Dataset, valid: Dataset) -> DatasetFacts:
    """The facts of the rows that are learned and of those that validate."""
    validating = valid.counts()
    return DatasetFacts(
        name=learn.source,
        kind=learn.kind,
        digest=learn.digest(),
        counts={
            name: {"train": count, "valid": validating[name]}
            for name, count in learn.counts().items()
        },
    )


def describe_provenance(
    recipe: Recipe,
    dataset: DatasetFacts,
    protocol: str,
    backend: str,
    unlabelled: Unlabelled | None = None,
) -> Provenance:
    """The provenance of a run that begins; how many epochs it has is in its state."""
    section = recipe.distillation
    share = section.weight / len(section.teachers) if section.teachers else 0.0
    return Provenance(
        dataset=dataset,
        unlabelled=_unlabelled(section.unlabelled, unlabelled),
        protocol=protocol,
        recipe=recipe.name,
        recipe_sha256=hashlib.sha256(recipe.model_dump_json().encode()).hexdigest(),
        seeds=(recipe.training.seed,),
        backend=f"{backend}: {_versions()}",
        device=_device(),
        initial_weights=_initial_weights(recipe),
        teachers=(
            *(_teacher(name, share) for name in section.teachers),
            *(
                Teacher(name=f"targets in {Path(file).name}")
                for file in _files_of_targets(recipe, unlabelled)
            ),
        ),
    )


def _files_of_targets(recipe: Recipe, unlabelled: Unlabelled | None) -> list[str]:
    """The files whose soft targets are learned without asking anybody."""
    section = recipe.distillation
    files = [] if section.teachers else list(section.cache)
    if unlabelled is not None and unlabelled.targets is not None and section.unlabelled_weight:
        files.append(section.unlabelled)
    return files


def _unlabelled(file: str, faces: Unlabelled | None) -> tuple[DatasetFacts, ...]:
    """The faces without labels of a recipe's file, if it has one."""
    if faces is None:
        return ()
    return (
        DatasetFacts(
            name=Path(file).name,
            kind="faces without labels (npz)",
            digest=hashlib.sha256(
                faces.images.tobytes() + (b"" if faces.targets is None else faces.targets.tobytes())
            ).hexdigest(),
            counts={UNKNOWN: {"train": len(faces)}},
        ),
    )


def _initial_weights(recipe: Recipe) -> tuple[InitialWeights, ...]:
    """What the recipe begins with: another model, weights of a package, or nothing."""
    weights = []
    if recipe.model.start is not None:
        weights += _weights(recipe.model.start)
    package = recipe.model.options.get("weights")
    if package is not None:
        weights.append(InitialWeights(name=str(package)))
    return tuple(weights)


def _weights(name: str) -> list[InitialWeights]:
    """The weights that a recipe names, then those that they began with, as far as is known."""
    shipped = shipped_models().get(name)
    if shipped:
        return [
            InitialWeights(
                name=name,
                origin="shipped with fer-mobile",
                licence=shipped.facts()["licence"],
                trained_on=shipped.facts()["provenance"]["dataset"]["name"],
            )
        ]
    path = Path(name)
    file = RunFolder(path).best_weights if path.is_dir() else path
    if not file.is_file():
        return [InitialWeights(name=path.name)]
    weights = InitialWeights(
        name=path.name,
        origin=f"{file.name}, sha256 {hashlib.sha256(file.read_bytes()).hexdigest()}",
    )
    run = RunFolder(file.parent)
    if file != run.best_weights or not run.provenance_json.is_file():
        return [weights]
    earlier = run.read_provenance().initial_weights
    return [weights] if earlier == UNKNOWN else [weights, *earlier]


def _teacher(name: str, share: float) -> Teacher:
    run = RunFolder(Path(name))
    known: dict[str, Any] = {}
    shipped = shipped_models().get(name)
    if shipped:
        facts = Provenance.model_validate(shipped.facts()["provenance"])
        known = {
            "parameters": shipped.facts()["parameters"],
            "initial_weights": facts.initial_weights,
            "licence": shipped.facts()["licence"],
        }
    elif run.provenance_json.is_file():
        known = {"initial_weights": run.read_provenance().initial_weights}
    return Teacher(name=Path(name).name, weight=round(share, 6), **known)


def _versions() -> str:
    """The packages that train, with their versions."""
    framework = keras.backend.backend()
    names = ("keras", framework, f"{framework}-cpu")
    return ", ".join(f"{name} {version}" for name in names if (version := _version(name)))


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _device() -> str:
    """What the training really runs on: the accelerators that Keras's backend has, or the CPU."""
    framework = keras.backend.backend()
    names: list[str] = []
    if framework == "jax":
        import jax

        names = [device.device_kind for device in jax.devices() if device.platform != "cpu"]
    elif framework == "tensorflow":
        import tensorflow as tf

        for device in tf.config.list_physical_devices("GPU"):
            details = tf.config.experimental.get_device_details(device)
            names.append(str(details.get("device_name", "GPU")))
    if names:
        return ", ".join(names)
    hardware = describe_hardware()
    cores = hardware["cores_usable"] or hardware["cores"]
    return (hardware["cpu"] or "CPU") + (f", {counted(cores, 'core')}" if cores else "")
