"""Contracts for files that are there already: an older one brought up to date, one for a file
of somebody else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final, get_args

import numpy as np
from pydantic import ValidationError

from fer_mobile.contract import (
    UNKNOWN,
    LabelFacts,
    ModelContract,
    OutputValues,
    Precision,
    Tensor,
    describe_tensor,
    malformed,
    requirements,
)
from fer_mobile.convert.gpu_verdict import known_verdicts
from fer_mobile.errors import InputError, ModelError, check_choice
from fer_mobile.golden import golden_faces
from fer_mobile.labels import RESERVED
from fer_mobile.model_file import (
    attach,
    has_contract,
    model_checksum,
    read_model,
    split,
    write_model,
)
from fer_mobile.preprocess import CropRule, Normalisation
from fer_mobile.runtime.classifier import Classifier
from fer_mobile.runtime.interpreter import load_interpreter
from fer_mobile.runtime.tflite_model import TfliteModel, TfliteTensor
from fer_mobile.types import VALUE_RANGES, ValueRange

_INTEGERS: Final = ("int32", "int64", "bool")

NORMALISATIONS: Final[dict[ValueRange, Normalisation]] = {
    "0..1": "pixel/255",
    "-1..1": "pixel/127.5-1",
    "0..255": "pixel",
}
"""The normalisation that gives an input its range of values."""


def upgrade_contract(file: str | Path) -> ModelContract:
    """Write the contract of a ``.tflite`` file again, in the present format; the graph stays.

    What its older contract did not say is unknown.  The ``.json`` beside it is written, too.
    Raises ModelError where the file has no contract that can be read.
    """
    path = Path(file)
    bare, contract = split(read_model(path), path)
    _write(path, bare, contract)
    return contract


def attach_contract(
    file: str | Path,
    *,
    labels: Sequence[str],
    value_range: ValueRange,
    output_values: OutputValues = "probabilities",
    crop: CropRule | None = None,
    min_tilt: float | None = None,
    licence: str = UNKNOWN,
    name: str | None = None,
    out: str | Path | None = None,
) -> ModelContract:
    """Give somebody else's classifier a contract, with which this toolkit and its app run it.

    Args:
        file: a ``.tflite`` classifier with one square input, gray or RGB, and one output.
        labels: a name for each output, in their order.
        value_range: what the values of its input stand for, "0..1", "-1..1" or "0..255".
        output_values: "probabilities", or "logits" that become some by a softmax.
        crop: from a detector's box to the square that it was trained on; by default the rule
            of FER2013's framing.
        min_tilt: least tilt in degrees, 0 to 180, of faces that are turned until their eyes are
            level; by default none is turned.
        licence: of the weights; "unknown" if you do not know.
        name: of the model; by default the file's.
        out: the file to write; by default `file` itself.

    What is not given is called unknown.  Raises ModelError where the file is no such
    classifier or has a contract already, InputError for other values.
    """
    path = Path(file)
    content = read_model(path)
    if has_contract(content):
        raise ModelError(path, expected="a file without a contract", found="one with")
    check_choice("value_range", value_range, VALUE_RANGES)
    check_choice("output_values", output_values, get_args(OutputValues))
    load_interpreter(content, name=path)  # which refuses what is no model
    model = TfliteModel(content, path)
    image, probabilities = _input_and_output(path, model)
    names = tuple(label.strip() for label in labels)
    if len(names) != probabilities.shape[-1] or len({name.casefold() for name in names}) != len(
        names
    ):
        raise InputError(
            "labels",
            expected=f"{probabilities.shape[-1]} different names, one for each output",
            found=f"{len(names)}: {', '.join(names)}",
        )
    reserved = [label for label in names if label.casefold() in RESERVED]
    if reserved:
        raise InputError(
            "labels", expected=f"none of {', '.join(RESERVED)}", found=", ".join(reserved)
        )
    rule = crop or CropRule()
    contract = _contract(
        path,
        requires=requirements(
            NORMALISATIONS[value_range], output_values, levelling=min_tilt is not None
        ),
        name=name or path.stem,
        parameters=sum(math.prod(tensor.shape) for tensor in _weights(model)),
        parameter_cap=None,
        precision=_precision(model),
        input=image,
        output=probabilities,
        output_values=output_values,
        preprocessing={
            "crop": {"scale": rule.scale, "shift_y": rule.shift_y},
            "levelling": None if min_tilt is None else {"landmarks": "eyes", "min_tilt": min_tilt},
            "gray": "in-graph" if image.shape[3] == 3 else "bt601-integer-16",
            "normalisation": NORMALISATIONS[value_range],
        },
        labels=names,
        label_facts=LabelFacts.of(names),
        accelerators=known_verdicts(content),
        licence=licence,
        model_sha256=model_checksum(content),
    )
    _check_outputs(path, content, contract)
    _write(Path(out) if out else path, content, contract)
    return contract


def _input_and_output(path: Path, model: TfliteModel) -> tuple[Tensor, Tensor]:
    """The one square image that a classifier takes and its one output; ModelError for others."""
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ModelError(
            path,
            expected="one input and one output",
            found=f"{len(model.inputs)} and {len(model.outputs)}",
        )
    image, probabilities = _tensor(path, model.inputs[0]), _tensor(path, model.outputs[0])
    if len(image.shape) != 4 or image.shape[1] != image.shape[2] or image.shape[3] not in (1, 3):
        raise ModelError(
            path, expected="an input [1, S, S, 1] or [1, S, S, 3]", found=str(list(image.shape))
        )
    return image, probabilities


def _contract(path: Path, **fields: object) -> ModelContract:
    """A contract of these fields; ModelError, in a line, for values out of its limits."""
    try:
        return ModelContract.model_validate(fields)
    except ValidationError as error:
        raise malformed(error, path) from error


def _check_outputs(path: Path, content: bytes, contract: ModelContract) -> None:
    """ModelError where what the model gives for a few faces is not what was stated."""
    classifier = Classifier(path, content=attach(content, contract))
    outputs = classifier.classify(golden_faces(classifier.size)[:8])
    sums = outputs.sum(1)
    if not (np.isfinite(outputs).all() and np.abs(sums - 1).max() < 0.03 and outputs.min() >= 0):
        raise ModelError(
            path,
            expected="probabilities that sum to 1",
            found=f"sums from {sums.min():.3g} to {sums.max():.3g}",
            hint="Where it gives logits, say `output_values=logits`.",
        )


def _tensor(path: Path, tensor: TfliteTensor) -> Tensor:
    try:
        return describe_tensor(
            tensor.name, tensor.shape, tensor.dtype, tensor.scale, tensor.zero_point
        )
    except ValueError as error:
        raise ModelError(
            path, expected="float32, int8 or uint8 tensors", found=f"{tensor.dtype} {tensor.shape}"
        ) from error


def _weights(model: TfliteModel) -> list[TfliteTensor]:
    """The constants that are weights: no shapes, axes or paddings, which are plain integers."""
    return [
        tensor
        for tensor in model.tensors
        if tensor.constant_bytes and (tensor.scale is not None or tensor.dtype not in _INTEGERS)
    ]


def _precision(model: TfliteModel) -> Precision:
    """By what the largest weight is stored as, and whether anything computes in float."""
    largest = max(_weights(model), key=lambda tensor: tensor.constant_bytes, default=None)
    if largest is not None and largest.dtype == "float16":
        return "float16"
    if largest is None or largest.dtype not in ("int8", "uint8"):
        return "float32"
    return "dynamic" if model.count_float_operations() else "int8"


def _write(path: Path, bare: bytes, contract: ModelContract) -> None:
    content = attach(bare, contract)
    split(content, path)  # what was written must be readable
    write_model(path, content, contract.to_json().encode())
