"""Proof that an exported file is right: checksum, contract, graph, parity with its checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_mobile.contract import ModelContract
from fer_mobile.convert.checks import (
    Check,
    check_cap,
    check_checksum,
    check_contract_file,
    check_gpu,
    check_integer_only,
    check_outputs,
    check_own_parity,
    check_saturation,
    check_size,
)
from fer_mobile.convert.reference import ReferenceOutputs
from fer_mobile.errors import ModelError
from fer_mobile.model_file import contract_file, open_archive, read_model, split
from fer_mobile.models import tflite_file
from fer_mobile.runtime.classifier import Classifier
from fer_mobile.runtime.tflite_model import TfliteModel


@dataclass(frozen=True, slots=True)
class Verification:
    """Everything that was checked of one file."""

    path: Path
    bytes: int
    """Size of the file."""
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
            "bytes": self.bytes,
            "parameters": self.contract.parameters,
            "verdict": "pass" if self.passed else "fail",
            "checks": {c.name: {"passed": c.passed, "detail": c.detail} for c in self.checks},
            "operations": self.operations,
            "float_operations": self.float_operations,
        }


def verify(
    model: str | Path, reference: ReferenceOutputs | None = None, *, gpu: bool = False
) -> Verification:
    """Check a shipped model's int8 file or any exported ``.tflite``.

    The file is also compared with `reference`, where it is given (see
    `reference.reference_for_file`), and with `gpu` it is run on a GPU, too.  Raises ModelError
    when the file cannot be read, has no contract, or is of a newer format, InputError where there
    is no GPU and no driver in software; everything else that is wrong is a failed check.
    """
    path = tflite_file(model)
    separate = contract_file(path)
    return verify_content(
        read_model(path),
        path,
        contract_json=separate.read_bytes() if separate.is_file() else None,
        reference=reference,
        gpu=gpu,
    )


def verify_content(
    content: bytes,
    path: Path,
    *,
    contract_json: bytes | None = None,
    reference: ReferenceOutputs | None = None,
    gpu: bool = False,
) -> Verification:
    """`verify` of a file that may not be written yet.

    Args:
        content: of the file.
        path: where it lies, or will.
        contract_json: content of the contract's own file, if there is one.
        reference: the float checkpoint's outputs for further faces.
        gpu: whether it is run on a GPU, too.
    """
    bare, contract = split(content, path, check=False)
    embedded = open_archive(content, path).contract
    checks = [
        check_checksum(bare, contract),
        check_contract_file(contract_file(path).name, contract_json, embedded),
        check_cap(contract),
    ]
    operations: dict[str, int] = {}
    in_float: dict[str, int] = {}
    if checks[0].passed:  # the interpreter is native code: a damaged graph is not given to it
        try:
            classifier = Classifier(path, content=content)
            graph = TfliteModel(bare, path)
            operations, in_float = graph.count_operations(), graph.count_float_operations()
            agree = "shapes, dtypes and quantization agree"
            checks.append(Check("contract and graph", True, agree))
            checks.append(check_size(len(content), contract))
            if contract.precision == "int8":
                checks.append(check_integer_only(in_float))
            checks += check_outputs(classifier, contract)
            if reference:
                checks.append(check_own_parity(classifier, reference, contract.precision))
            if contract.precision == "int8":
                checks.append(check_saturation(bare, graph, classifier))
            if gpu:
                checks += check_gpu(classifier, contract)
        except ModelError as error:
            checks.append(Check("contract and graph", False, str(error)))
    return Verification(path, len(content), contract, tuple(checks), operations, in_float)
