"""Exports a model: built, verified once, then written with its contract beside it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.contract import ModelContract
from fer_mobile.convert.built_model import BuiltModel, build
from fer_mobile.convert.onnx import run_onnx
from fer_mobile.convert.options import ExportOptions
from fer_mobile.convert.verification import Verification, verify_content
from fer_mobile.errors import FerMobileError, InputError
from fer_mobile.golden import reference_faces
from fer_mobile.model_file import contract_file
from fer_mobile.models import DEFAULT
from fer_mobile.preprocess import normalise
from fer_mobile.types import Color, FileFormat, Quantization, TensorType, ValueRange

_ONNX_TOLERANCE = 1e-4
"""Largest difference of a probability in ONNX Runtime from the float checkpoint's."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A written file and what is known of it."""

    path: Path
    contract: ModelContract
    seconds: float
    verification: Verification | None
    """None for ONNX, which the TFLite runtime cannot run; see `parity`."""
    parity: float | None = None
    """ONNX: largest difference of a probability from the checkpoint, on the reference faces."""
    shipped: bool = False
    """Whether it is a copy of the shipped file (see `shipped.copy_shipped`)."""

    @property
    def calibration(self) -> str | None:
        """int8: what the activation ranges were taken from, in words."""
        return self.contract.ranges

    def as_dict(self) -> dict[str, Any]:
        """The outcome as `fer-mobile export --json` prints it."""
        return {
            "path": str(self.path),
            "contract": str(contract_file(self.path)),
            "bytes": self.path.stat().st_size,
            "parameters": self.contract.parameters,
            "precision": self.contract.precision,
            "seconds": round(self.seconds, 2),
            "shipped": self.shipped,
            "parity": self.parity,
            "calibration": self.calibration,
            "verification": self.verification.as_dict() if self.verification else None,
        }


def export(
    model: str | Path = DEFAULT,
    *,
    out: str | Path = ".",
    options: ExportOptions | None = None,
    quantize: Quantization = "int8",
    format: FileFormat = "tflite",
    io: TensorType = "int8",
    color: Color = "gray",
    rewrite: bool = True,
    size: int | None = None,
    calibrate: str | Path | None = None,
    parameter_cap: bool = True,
    labels: Sequence[str] | None = None,
    value_range: ValueRange | None = None,
) -> Exported:
    """Export a model and prove the file before it appears in the folder `out`.

    Writes ``<name>_<precision>.tflite`` (``<name>_rgb_…`` for RGB, ``…_uint8_io.tflite`` for
    another `io`, .onnx for ONNX) and the contract as ``.json`` beside it.

    Args:
        model: a shipped or zoo name, a ``.keras`` file or a run folder.
        out: the folder.
        options: how it is exported; or by the parameters that follow, which `ExportOptions`
            describes.
        quantize: see `ExportOptions`, as for all that follow.
        format: the file's.
        io: type of an int8 file's input and output.
        color: what the input holds.
        rewrite: whether the graph is made faster first.
        size: height and width of the input in pixels.
        calibrate: faces that set an int8 file's ranges.
        parameter_cap: whether large models are refused.
        labels: of a ``.keras`` file, which has none: a name for each output, in their order.
        value_range: of a ``.keras`` file that does not say it: what its input's values stand
            for.

    Raises InputError for a wrong argument or model, MissingPackageError where TensorFlow
    (or tf2onnx) is not installed, FerMobileError when the converted file fails `verify`.
    """
    started = time.monotonic()
    single = ExportOptions(
        quantize=quantize,
        format=format,
        io=io,
        color=color,
        rewrite=rewrite,
        size=size,
        calibrate=calibrate,
        parameter_cap=parameter_cap,
    )
    if options is not None and single != ExportOptions():
        raise InputError("options", expected="no other parameter of an export", found="some")
    check_folder(out)
    built = build(load_checkpoint(model, labels, value_range), options or single)
    verification = parity = None
    if built.name.endswith(".onnx"):
        parity = _check_onnx(built)
    else:
        verification = _check(built, Path(out))
    path = built.save(out)
    return Exported(path, built.contract, time.monotonic() - started, verification, parity)


def check_folder(out: str | Path) -> None:
    """Raise InputError where `out` is a file."""
    if Path(out).exists() and not Path(out).is_dir():
        raise InputError("out", expected="a folder", found=f"the file {out}")


def _check(built: BuiltModel, folder: Path) -> Verification:
    """The verdict on a file to be written into a folder; FerMobileError unless it passes."""
    verification = verify_content(
        built.content,
        folder / built.name,
        contract_json=built.contract.to_json().encode(),
        reference=built.reference,
    )
    require_passed(verification, "the converted model")
    return verification


def require_passed(verification: Verification, subject: str) -> None:
    """Raise FerMobileError where a check of what is to be written has failed."""
    failed = [check for check in verification.checks if not check.passed]
    if failed:
        raise FerMobileError(
            f"{subject} is wrong and was not written: {failed[0].name}: {failed[0].detail}"
        )


def _check_onnx(built: BuiltModel) -> float:
    """The largest difference of a probability from the float checkpoint, on the reference faces."""
    faces = reference_faces(built.contract.input.shape[1])
    outputs = run_onnx(built.content, normalise(faces)[..., None])
    parity = float(np.abs(outputs - built.contract.reference_outputs).max())
    if not parity <= _ONNX_TOLERANCE:
        raise FerMobileError(f"the ONNX model differs from its float checkpoint by {parity:.3g}")
    return parity
