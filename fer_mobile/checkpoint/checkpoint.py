"""Float weights with what is known of them: where every export starts.

A shipped model's folder holds ``<name>.keras`` (kernels stored as float16, which halves
the file; Keras reads them as float32) and ``checkpoint.json`` with the other fields below.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_mobile.checkpoint.fold_calibration import fold_calibration
from fer_mobile.checkpoint.run_folder import RunFolder
from fer_mobile.contract import Figures, OutputCalibration, Training
from fer_mobile.errors import MissingPackageError, ModelError
from fer_mobile.files import write_bytes, write_text
from fer_mobile.labels import VOCABULARIES
from fer_mobile.models import CHECKPOINT_JSON, shipped_models, unknown_model
from fer_mobile.quiet import quiet
from fer_mobile.zoo import ARCHITECTURES

if TYPE_CHECKING:
    import keras

LICENCE = (
    "Weights trained on FER2013 images (research use) with FER+ votes (MIT): "
    "for research and evaluation; see models/LICENSE"
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A float32 Keras model with its facts."""

    model: keras.Model
    name: str
    architecture: str
    options: dict[str, Any]
    labels: tuple[str, ...]
    training: Training | None
    figures: tuple[Figures, ...]
    licence: str
    output_calibration: OutputCalibration | None = None
    """What is folded into the model's last layer."""
    preprocessing: tuple[str, ...] = ()
    """Steps that its faces need first (see `data.steps`), which no exported file has."""

    @property
    def parameters(self) -> int:
        """All weights of the network."""
        return int(self.model.count_params())


def import_keras() -> Any:
    """Keras, imported in silence; MissingPackageError when it is not installed."""
    try:
        with quiet():
            import keras
    except ImportError as error:
        raise MissingPackageError(
            "reading float weights", package=error.name or "keras", extra="train"
        ) from error
    return keras


def load_checkpoint(model: str | Path) -> Checkpoint:
    """The float weights that `model` means.

    `model` is a shipped name, an architecture's name (fresh weights, seed 0), a ``.keras``
    file or a run folder.  Raises ModelError where it is none of them or cannot be read.
    """
    shipped = shipped_models(copies=True).get(str(model))
    path = Path(model)
    if shipped and not shipped.source.is_file():
        raise ModelError(
            shipped.name,
            expected="float weights",
            found="an int8 file alone",
            hint=f"Train them: fer-mobile train {shipped.facts()['training']['recipe']}",
        )
    if shipped:
        facts = shipped.facts()
        return _make(
            _load(shipped.source),
            name=shipped.name,
            architecture=facts["architecture"],
            options=facts["options"],
            training=Training(**facts["training"]),
            figures=tuple(Figures(**row) for row in facts["figures"]),
            licence=facts["licence"],
            output_calibration=_output_calibration(facts.get("adjustment")),
        )
    if str(model) in ARCHITECTURES:
        keras = import_keras()
        keras.utils.set_random_seed(0)
        return _make(
            ARCHITECTURES[str(model)].build(), name=str(model), licence="none: not trained"
        )
    if path.is_file() and path.suffix == ".keras":
        return _make(_load(path), name=path.stem, licence="as stated by whoever trained it")
    if RunFolder(path).has_weights:
        return _load_run(RunFolder(path))
    known = dict.fromkeys([*shipped_models(), *ARCHITECTURES])
    raise unknown_model(model, "a shipped or zoo name, a .keras file or a run folder", known)


def _load_run(run: RunFolder) -> Checkpoint:
    recipe, valid, calibration = run.read_recipe(), run.read_valid(), run.read_calibration()
    model = _load(run.best_weights)
    labels = "FER+ votes" if recipe["data"]["protocol"].startswith("ferplus") else "their labels"
    if calibration:
        fold_calibration(model, calibration, tuple(valid["recall"]))
    return _make(
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
    )


def _output_calibration(facts: dict[str, Any] | None) -> OutputCalibration | None:
    return OutputCalibration.model_validate(facts) if facts else None


_MEASURED = ("protocol", "split", "n", "accuracy", "balanced_accuracy", "recall")


def _make(
    model: Any,
    *,
    name: str,
    architecture: str | None = None,
    options: dict[str, Any] | None = None,
    training: Training | None = None,
    figures: tuple[Figures, ...] = (),
    licence: str = LICENCE,
    output_calibration: OutputCalibration | None = None,
    preprocessing: tuple[str, ...] = (),
) -> Checkpoint:
    try:
        shape, classes = tuple(model.input_shape), model.output_shape[-1]
    except AttributeError:  # a model that was never built, or one with several inputs
        shape, classes = (), None
    if len(shape) != 4 or not shape[1] or shape[1] != shape[2] or shape[3] != 1:
        raise ModelError(name, expected="a gray square input [N, S, S, 1]", found=str(list(shape)))
    if classes not in VOCABULARIES:
        raise ModelError(name, expected="8 (or 7, or 4) classes", found=str(classes))
    return Checkpoint(
        model=model,
        name=name,
        architecture=architecture or model.name,
        options=options or {"size": int(shape[1])},
        labels=VOCABULARIES[classes],
        training=training,
        figures=figures,
        licence=licence,
        output_calibration=output_calibration,
        preprocessing=preprocessing,
    )


def _load(path: Path) -> Any:
    keras = import_keras()
    if not zipfile.is_zipfile(path):  # Keras would say that there is no such file
        raise ModelError(path, expected="a Keras 3 model file", found="no zip archive")
    for architecture in ARCHITECTURES.values():  # Keras must know their own layers
        architecture.load_module()
    try:
        with quiet():
            return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises nearly anything for a file that is not its own
        reason = str(error).strip().splitlines()
        raise ModelError(
            path, expected="a Keras 3 model file", found=reason[0] if reason else "something else"
        ) from error


def ship(checkpoint: Checkpoint, folder: Path, figures: tuple[Figures, ...]) -> None:
    """Write a checkpoint as a shipped model's folder: halved weights and checkpoint.json."""
    buffer = folder / f"{checkpoint.name}.keras"
    folder.mkdir(parents=True, exist_ok=True)
    with quiet():
        checkpoint.model.save(buffer)
    write_bytes(buffer, _halved(buffer.read_bytes()))
    calibration = checkpoint.output_calibration
    facts = {
        "name": checkpoint.name,
        "architecture": checkpoint.architecture,
        "options": checkpoint.options,
        "parameters": checkpoint.parameters,
        "training": checkpoint.training.model_dump() if checkpoint.training else None,
        "adjustment": calibration.model_dump() if calibration else None,
        "figures": [row.model_dump() for row in figures],
        "licence": checkpoint.licence,
    }
    write_text(folder / CHECKPOINT_JSON, json.dumps(facts, indent=1) + "\n")
    shipped_models.cache_clear()


def _halved(content: bytes) -> bytes:
    """A .keras file with its kernels as float16; one-dimensional weights keep float32."""
    import h5py
    import numpy as np

    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename.endswith(".h5"):
                copy = io.BytesIO()
                with h5py.File(io.BytesIO(data)) as weights, h5py.File(copy, "w") as halved:

                    def visit(name: str, item: Any, halved: Any = halved) -> None:
                        if isinstance(item, h5py.Dataset):
                            values = item[()]
                            kernel = values.ndim > 1 and values.dtype == np.float32
                            # Bytes of like weight beside each other: 7 % smaller.
                            packed = {"shuffle": True, "compression": 9, "chunks": values.shape}
                            target = halved.create_dataset(
                                name,
                                data=values.astype(np.float16) if kernel else values,
                                **(packed if kernel else {}),
                            )
                        else:
                            target = halved.require_group(name)
                        for key, value in item.attrs.items():
                            target.attrs[key] = value

                    for key, value in weights.attrs.items():
                        halved.attrs[key] = value
                    weights.visititems(visit)
                data = copy.getvalue()
            new.writestr(zipfile.ZipInfo(entry.filename), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()
