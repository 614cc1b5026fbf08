"""The single checks of `verification`: each looks at one property of a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from fer_mobile.arrays import Pixels, Probabilities
from fer_mobile.contract import ModelContract, Precision
from fer_mobile.convert.reference import ReferenceOutputs
from fer_mobile.convert.saturation import saturation
from fer_mobile.golden import golden_faces, reference_faces
from fer_mobile.metrics import mean_divergence
from fer_mobile.model_file import model_checksum
from fer_mobile.runtime.classifier import Classifier
from fer_mobile.runtime.gpu import classify_on_gpu
from fer_mobile.runtime.tflite_model import TfliteModel

TOLERANCES: Final[dict[Precision, tuple[float, float, float]]] = {
    "float32": (1e-4, 1e-5, 1.0),
    "float16": (0.02, 2e-3, 0.99),
    "dynamic": (0.20, 0.02, 0.96),
    "int8": (0.35, 0.03, 0.94),
}
"""On the reference faces, against the float32 checkpoint: the largest and the mean difference of a
probability that is allowed, and the least share of faces with the same label."""

DIVERGENCES: Final[dict[Precision, float]] = {
    "float32": 1e-5,
    "float16": 1e-3,
    "dynamic": 0.05,
    "int8": 0.05,
}
"""The largest mean divergence from the checkpoint's probabilities that is allowed, in nats."""

MOST_SATURATED: Final = 0.05
"""The largest share of an int8 tensor's values that may lie at the ends of its range."""

_BYTES: Final[dict[Precision, int]] = {"float32": 4, "float16": 2, "dynamic": 1, "int8": 1}
"""Of a weight."""

_OVERHEAD: Final = 250_000
"""Bytes that the graph, the contract and the metadata may take besides the weights."""

_BATCH: Final = 64
_ALONE: Final = 16
"""So many faces are also given to the file one at a time."""

GPU_FACES: Final = 32
"""So many of the golden faces are given to a GPU, one at a time; a software driver is slow."""

OWN_PARITY: Final = "parity, own faces"
"""The check that `ReferenceOutputs` are for."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the verdict."""

    name: str
    passed: bool
    detail: str


def check_checksum(bare: bytes, contract: ModelContract) -> Check:
    """Whether the model is the one that the contract was written for."""
    actual, expected = model_checksum(bare), contract.model_sha256
    same = actual == expected
    return Check("checksum", same, actual if same else f"{actual}, expected {expected}")


def check_contract_file(name: str, content: bytes | None, embedded: str) -> Check:
    """Whether the contract's own file, `name`, if there is one, equals the embedded contract."""
    if content is None:
        return Check("contract beside", True, "no .json beside the model")
    same = content == embedded.encode()
    says = "equals" if same else "differs from"
    return Check("contract beside", same, f"{name} {says} the embedded one")


def check_cap(contract: ModelContract) -> Check:
    """Whether the model keeps to the cap on trainable parameters that it was exported with."""
    count, cap = contract.trainable_parameters or contract.parameters, contract.parameter_cap
    limit = "lifted at the export" if cap is None else f"at most {cap:,}"
    return Check("parameters", cap is None or count <= cap, f"{count:,} ({limit})")


def check_size(size: int, contract: ModelContract) -> Check:
    """Whether the weights are all there, and no more than they need."""
    weights = contract.parameters * _BYTES[contract.precision]
    # Normalisations are folded away; Winograd's kernels are a third larger.
    return Check(
        "size",
        0.9 * weights <= size <= 4 / 3 * weights + _OVERHEAD,
        f"{size:,} bytes for {contract.parameters:,} parameters in {contract.precision}",
    )


def check_integer_only(float_operations: Mapping[str, int]) -> Check:
    """Whether no operation computes in floating point."""
    names = ", ".join(f"{count}× {name}" for name, count in float_operations.items())
    return Check("integer only", not float_operations, names or "no float operation")


def check_saturation(bare: bytes, graph: TfliteModel, classifier: Classifier) -> Check:
    """Whether the ranges of an int8 file hold the values that faces give."""
    faces = golden_faces(classifier.size)[:_ALONE]
    share, tensor = saturation(bare, graph, classifier.prepare(faces))
    passed = share <= MOST_SATURATED
    return Check(
        "saturation",
        passed,
        f"at most {share:.2%} of a tensor at the ends of its range"
        f" (≤ {MOST_SATURATED:.0%}){'' if passed else f', {tensor}'}",
    )


def check_outputs(classifier: Classifier, contract: ModelContract) -> list[Check]:
    """What the reference faces give: probabilities, and those of the float checkpoint."""
    faces = reference_faces(classifier.size)
    outputs = classifier.classify(faces)
    return [
        _check_finite(outputs),
        _check_not_constant(outputs, contract),
        _check_batch_invariance(classifier, faces, outputs),
        *_check_bundled_parity(outputs, contract),
    ]


def _check_finite(outputs: Probabilities) -> Check:
    sums = np.abs(outputs.sum(1) - 1).max()
    finite = bool(np.isfinite(outputs).all() and sums <= 0.03)
    return Check("finite", finite, f"sums within {sums:.4f} of 1")


def _check_not_constant(outputs: Probabilities, contract: ModelContract) -> Check:
    labels = set(outputs.argmax(1).tolist())
    # A model that says the same of every face, after too little training, is no fault of its file.
    single = len(set(contract.reference_outputs.argmax(1).tolist())) == 1
    return Check(
        "not constant",
        len(labels) > 1 or single or not contract.provenance.trained,
        f"labels {sorted(labels)}{', the float model has but one' if single else ''}",
    )


def _check_batch_invariance(classifier: Classifier, faces: Pixels, outputs: Probabilities) -> Check:
    alone = np.concatenate([classifier.classify(face[None]) for face in faces[:_ALONE]])
    same = bool(np.abs(alone - outputs[:_ALONE]).max() <= 0.005)
    return Check("batch invariance", same, "one face at a time as in a batch")


def _check_bundled_parity(outputs: Probabilities, contract: ModelContract) -> list[Check]:
    if not contract.reference:
        return []
    reference = contract.reference_outputs
    # Files from before the expressive faces, compact_fer2013 among them, have the golden ones.
    bundled = outputs[: len(reference)]
    if len(reference) not in (len(outputs), len(golden_faces(1))) or not len(reference):
        detail = (
            f"reference of {len(reference)} faces, this version bundles {len(outputs)}: "
            "export again"
        )
        return [Check("parity", False, detail)]
    faces = f"{len(bundled)} reference faces"
    return [_check_parity("parity", faces, bundled, reference, contract.precision)]


def check_own_parity(
    classifier: Classifier, reference: ReferenceOutputs, precision: Precision
) -> Check:
    """Whether the file gives the reference outputs for faces of the user."""
    faces = reference.faces
    parts = [classifier.classify(faces[i : i + _BATCH]) for i in range(0, len(faces), _BATCH)]
    outputs = np.concatenate(parts)
    return _check_parity(OWN_PARITY, reference.origin, outputs, reference.probabilities, precision)


def check_gpu(classifier: Classifier, contract: ModelContract) -> list[Check]:
    """Whether a GPU runs the whole graph, and gives the reference outputs.

    Raises InputError where the GPU or its driver is missing (see `gpu`).
    """
    faces = golden_faces(classifier.size)[:GPU_FACES]
    found = classify_on_gpu(classifier, faces)
    where = "every operation" if found.resident else "not every operation"
    checks = [Check("GPU, residency", found.resident, f"{where} on the GPU, by {found.driver}")]
    reference = contract.reference_outputs[:GPU_FACES] if contract.reference else None
    if reference is None or reference.shape != found.probabilities.shape:
        detail = f"no reference outputs for {len(faces)} golden faces in the contract"
        return [*checks, Check("GPU, parity", False, detail)]
    origin, precision = f"{len(faces)} golden faces", contract.precision
    parity = _check_parity("GPU, parity", origin, found.probabilities, reference, precision)
    return [*checks, parity]


def _check_parity(
    name: str,
    faces: str,
    outputs: Probabilities,
    reference: Probabilities,
    precision: Precision,
) -> Check:
    largest, mean, least = TOLERANCES[precision]
    difference = np.abs(outputs - reference)
    same = float((outputs.argmax(1) == reference.argmax(1)).mean())
    divergence = mean_divergence(reference, outputs)
    passed = (
        difference.max() <= largest
        and difference.mean() <= mean
        and same >= least
        and divergence <= DIVERGENCES[precision]
    )
    return Check(
        name,
        bool(passed),
        f"{faces}: same label {same:.1%} (≥ {least:.0%}), largest difference "
        f"{difference.max():.2g} (≤ {largest:g}), mean {difference.mean():.2g} (≤ {mean:g}), "
        f"divergence {divergence:.2g} (≤ {DIVERGENCES[precision]:g})",
    )
