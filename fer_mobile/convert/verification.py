"""Proof that an exported file is right: checksum, contract, graph, parity with its source."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from fer_mobile.contract import (
    ModelContract,
    Precision,
    contract_beside,
    model_checksum,
    open_archive,
    split,
)
from fer_mobile.convert.saturation import saturation
from fer_mobile.errors import ModelError
from fer_mobile.golden import golden_faces
from fer_mobile.metrics import mean_divergence
from fer_mobile.models import tflite_file
from fer_mobile.runtime.classifier import Classifier
from fer_mobile.runtime.tflite_model import TfliteModel

TOLERANCES: Final[dict[Precision, tuple[float, float, float]]] = {
    "float32": (1e-4, 1e-5, 1.0),
    "float16": (0.02, 2e-3, 0.99),
    "dynamic": (0.20, 0.02, 0.96),
    "int8": (0.35, 0.03, 0.94),
}
"""On the golden faces, against the float32 source: the largest and the mean difference of a
probability that is allowed, and the least share of faces with the same label."""

DIVERGENCES: Final[dict[Precision, float]] = {
    "float32": 1e-5,
    "float16": 1e-3,
    "dynamic": 0.05,
    "int8": 0.05,
}
"""The largest mean divergence of the probabilities from the source's that is allowed, in nats."""

MOST_SATURATED: Final = 0.05
"""The largest share of an int8 tensor's values that may lie at the ends of its range."""

_BYTES: Final[dict[Precision, int]] = {"float32": 4, "float16": 2, "dynamic": 1, "int8": 1}
"""Of a weight."""

_OVERHEAD: Final = 250_000
"""Bytes that the graph, the contract and the metadata may take beside the weights."""


_BATCH: Final = 64

OWN_PARITY: Final = "parity, own faces"
"""The check that `Answers` are for."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What the float32 source says of faces beyond the bundled ones."""

    origin: str
    """The faces, in words."""
    faces: np.ndarray
    """uint8 [N, S, S]"""
    probabilities: np.ndarray


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the verdict."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Verification:
    """Everything that was checked of one file."""

    path: Path
    contract: ModelContract
    checks: tuple[Check, ...]
    operations: dict[str, int]
    """How often each operation occurs in the graph."""
    float_operations: dict[str, int]
    """Those of them that compute in floating point."""

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    def as_dict(self) -> dict[str, Any]:
        """The verdict as `fer-mobile verify --json` prints it."""
        return {
            "model": str(self.path),
            "name": self.contract.name,
            "precision": self.contract.precision,
            "bytes": self.path.stat().st_size,
            "parameters": self.contract.parameters,
            "verdict": "pass" if self.passed else "fail",
            "checks": {c.name: {"passed": c.passed, "detail": c.detail} for c in self.checks},
            "operations": self.operations,
            "float_operations": self.float_operations,
        }


def verify(model: str | Path, answers: Answers | None = None) -> Verification:
    """Check a shipped model's int8 file or any exported ``.tflite``.

    The file is held against `answers`, too, where they are given.  Raises ModelError when
    the file cannot be read, has no contract, or is of a newer format; everything else that
    is wrong is a failed check.
    """
    path = tflite_file(model)
    content = path.read_bytes()
    bare, contract = split(content, path, check=False)
    checks = [_checksum(bare, contract), _beside(path, content), _cap(contract)]
    operations: dict[str, int] = {}
    in_float: dict[str, int] = {}
    if checks[0].passed:  # the interpreter is native code: a damaged graph is not given to it
        try:
            classifier = Classifier(path)
            graph = TfliteModel(bare, path)
            operations, in_float = graph.count_operations(), graph.count_float_operations()
            agree = "shapes, dtypes and quantization agree"
            checks.append(Check("contract and graph", True, agree))
            checks.append(_size(len(content), contract))
            if contract.precision == "int8":
                found = ", ".join(f"{n}× {op}" for op, n in in_float.items())
                checks.append(Check("integer only", not in_float, found or "no float operation"))
            checks += _outputs(classifier, contract)
            if answers:
                checks.append(_own_parity(classifier, answers, contract.precision))
            if contract.precision == "int8":
                checks.append(_saturation(bare, classifier))
        except ModelError as error:
            checks.append(Check("contract and graph", False, str(error)))
    return Verification(path, contract, tuple(checks), operations, in_float)


def _checksum(bare: bytes, contract: ModelContract) -> Check:
    found = model_checksum(bare)
    same = found == contract.model_sha256
    return Check("checksum", same, found if same else f"{found}, expected {contract.model_sha256}")


def _beside(path: Path, content: bytes) -> Check:
    beside = contract_beside(path)
    if not beside.is_file():
        return Check("contract beside", True, "no .json beside the model")
    same = beside.read_bytes() == open_archive(content)[1].encode()
    return Check(
        "contract beside",
        same,
        f"{beside.name} {'equals' if same else 'differs from'} the embedded one",
    )


def _cap(contract: ModelContract) -> Check:
    found, cap = contract.trainable_parameters or contract.parameters, contract.parameter_cap
    said = "lifted at the export" if cap is None else f"at most {cap:,}"
    return Check("parameters", cap is None or found <= cap, f"{found:,} ({said})")


def _size(size: int, contract: ModelContract) -> Check:
    weights = contract.parameters * _BYTES[contract.precision]
    # Normalisations are folded away; Winograd's kernels are a third larger.
    return Check(
        "size",
        0.9 * weights <= size <= 4 / 3 * weights + _OVERHEAD,
        f"{size:,} bytes for {contract.parameters:,} parameters in {contract.precision}",
    )


def _saturation(bare: bytes, classifier: Classifier) -> Check:
    faces = golden_faces(classifier.size)[:16]
    share, tensor = saturation(bare, classifier.prepare(faces))
    return Check(
        "saturation",
        share <= MOST_SATURATED,
        f"at most {share:.2%} of a tensor at the ends of its range"
        f" (≤ {MOST_SATURATED:.0%}){f', {tensor}' if share > MOST_SATURATED else ''}",
    )


def _outputs(classifier: Classifier, contract: ModelContract) -> list[Check]:
    faces = golden_faces(classifier.size)
    found = classifier.classify(faces)
    again = np.concatenate([classifier.classify(face[None]) for face in faces[:16]])
    sums = np.abs(found.sum(1) - 1).max()
    labels = set(found.argmax(1).tolist())
    # A source that says the same of every face, after too little training, is no fault of its file.
    single = len({int(np.argmax(row)) for row in contract.reference}) == 1
    checks = [
        Check(
            "finite",
            bool(np.isfinite(found).all() and sums <= 0.03),
            f"sums within {sums:.4f} of 1",
        ),
        Check(
            "not constant",
            len(labels) > 1 or single or not contract.training,
            f"labels {sorted(labels)}{', the float model has but one' if single else ''}",
        ),
        Check(
            "batch invariance",
            bool(np.abs(again - found[:16]).max() <= 0.005),
            "the same for one face at a time and in a batch, within 0.005",
        ),
    ]
    if contract.reference:
        reference = np.array(contract.reference)
        if found.shape == reference.shape:
            said = f"{len(found)} golden faces"
            checks.append(_parity("parity", said, found, reference, contract.precision))
        else:
            said = f"reference of {len(reference)} faces, this version bundles {len(found)}"
            checks.append(Check("parity", False, f"{said}: export again"))
    return checks


def _own_parity(classifier: Classifier, answers: Answers, precision: Precision) -> Check:
    faces = answers.faces
    parts = [classifier.classify(faces[i : i + _BATCH]) for i in range(0, len(faces), _BATCH)]
    found = np.concatenate(parts)
    return _parity(OWN_PARITY, answers.origin, found, answers.probabilities, precision)


def _parity(
    name: str, faces: str, found: np.ndarray, reference: np.ndarray, precision: Precision
) -> Check:
    largest, mean, least = TOLERANCES[precision]
    difference = np.abs(found - reference)
    same = float((found.argmax(1) == reference.argmax(1)).mean())
    divergence = mean_divergence(reference, found)
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
