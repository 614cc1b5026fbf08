"""`fer-mobile export`: float weights to a verified file with its contract inside and beside it."""

from __future__ import annotations

import importlib.metadata
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from fer_mobile import contract as contracts
from fer_mobile import zoo
from fer_mobile.checkpoint import Checkpoint, load_checkpoint
from fer_mobile.contract import ModelContract, Precision, contract_beside
from fer_mobile.convert.calibration import find_calibration, read_faces, to_int8
from fer_mobile.convert.input_size import at_size
from fer_mobile.convert.integer import PACKAGE
from fer_mobile.convert.metadata import ModelDescription, add_metadata
from fer_mobile.convert.tflite import (
    INPUT_NAME,
    INPUT_OUTPUT,
    OUTPUT_NAME,
    InputOutput,
    import_tensorflow,
    to_tflite,
)
from fer_mobile.convert.verification import Answers, Verification, verify
from fer_mobile.errors import FerMobileError, InputError, ModelError, nearest
from fer_mobile.files import write_bytes, write_text
from fer_mobile.golden import golden_faces
from fer_mobile.graph.passes import COLORS, Color
from fer_mobile.models import DEFAULT, tflite_file
from fer_mobile.preprocess import normalise
from fer_mobile.runtime.interpreter import Interpreter, load_interpreter

QUANTIZATIONS: Final[dict[str, Precision]] = {
    "none": "float32",
    "float16": "float16",
    "dynamic": "dynamic",
    "int8": "int8",
}
"""Values of --quantize and the precision that files are named after."""

Format = Literal["tflite", "onnx"]
FORMATS: Final[tuple[Format, ...]] = ("tflite", "onnx")


_COMPARED: Final = 256
"""At most so many of a user's faces are given to the file and to its float checkpoint."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A written file and what is known of it."""

    path: Path
    contract: ModelContract
    seconds: float
    verification: Verification | None
    """None for ONNX, which the TFLite runtime cannot run; see `parity`."""
    parity: float | None = None
    """ONNX: largest difference of a probability from the float checkpoint, on the golden faces."""
    calibration: str | None = None
    """int8: what the activation ranges were taken from, in words."""

    def as_dict(self) -> dict[str, Any]:
        """The outcome as `fer-mobile export --json` prints it."""
        return {
            "path": str(self.path),
            "contract": str(contract_beside(self.path)),
            "bytes": self.path.stat().st_size,
            "parameters": self.contract.parameters,
            "precision": self.contract.precision,
            "seconds": round(self.seconds, 2),
            "parity": self.parity,
            "calibration": self.calibration,
            "verification": self.verification.as_dict() if self.verification else None,
        }


def export(
    model: str | Path = DEFAULT,
    *,
    quantize: str = "int8",
    format: str = "tflite",
    out: str | Path = ".",
    io: str = "int8",
    color: str = "gray",
    rewrite: bool = True,
    size: int | None = None,
    calibrate: str | Path | None = None,
    parameter_cap: bool = True,
) -> Exported:
    """Export a model and prove the file before it appears in the folder `out`.

    `model` is a shipped or zoo name, a ``.keras`` file or a run folder; `quantize` one of
    none, float16, dynamic and int8; `io` the type of an int8 model's input and output.
    `color` "rgb" gives a uint8 RGB input with the conversion to gray in the graph; without
    `rewrite` the graph stays as it was trained.  `size` is the input's in px, if not as it was
    trained (see `at_size`).  `calibrate` names faces that set an int8
    model's ranges (see `calibration.read_faces`), in place of those shipped with the model or
    of the bundled ones.
    Writes ``<name>_<precision>.tflite`` (``<name>_rgb_…`` for RGB, .onnx for ONNX) and the
    contract as ``.json`` beside it.

    Raises InputError for a wrong argument or model, MissingPackageError where TensorFlow
    (or tf2onnx) is not installed, FerMobileError when the converted file fails `verify`.
    """
    started = time.monotonic()
    precision = _checked(quantize, QUANTIZATIONS, "--quantize")
    _checked(format, {name: name for name in FORMATS}, "--format")
    tensors: InputOutput = _checked(io, {name: name for name in INPUT_OUTPUT}, "--io")
    channels: Color = _checked(color, {name: name for name in COLORS}, "--input")
    if calibrate is not None and precision != "int8":
        raise InputError(
            "--calibrate", expected="--quantize int8, which alone has ranges", found=quantize
        )
    if tensors != "int8" and (precision != "int8" or (channels, tensors) == ("rgb", "float32")):
        raise InputError(
            "--io",
            expected="--quantize int8, which alone has the choice (with --input rgb only uint8)",
            found=f"--io {tensors} with --quantize {quantize} and --input {channels}",
        )
    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        raise InputError("--out", expected="a folder", found=f"the file {folder}")
    checkpoint = trained = load_checkpoint(model)
    if checkpoint.preprocessing:
        raise ModelError(
            checkpoint.name,
            expected="a run without preprocessing, which the contract of a file does not have",
            found=", ".join(checkpoint.preprocessing),
            hint="Train it without data.preprocessing to export it.",
        )
    if size is not None:
        checkpoint = at_size(checkpoint, size)
    zoo.check_cap(checkpoint.model, lifted=not parameter_cap)
    if format == "onnx":
        if channels != "gray":
            raise InputError("--input with --format onnx", expected="gray", found=repr(color))
        return _export_onnx(checkpoint, quantize, folder, started, parameter_cap)
    expected = reference(checkpoint)
    calibration = answers = None
    if precision == "int8":
        known = model if checkpoint is trained else None
        calibration = find_calibration(known, checkpoint.model, calibrate, rewrite=rewrite)
        if calibrate is not None:
            own = calibration.faces[:: -(-len(calibration.faces) // _COMPARED)]
            answers = Answers(f"{len(own)} of the calibration", own, reference(checkpoint, own))
        bare = to_int8(checkpoint.model, calibration, io=tensors, rewrite=rewrite, color=channels)
    else:
        bare = to_tflite(
            checkpoint.model,
            precision,
            rewrite=rewrite,
            winograd=precision == "float32",
            color=channels,
        )
    bare = add_metadata(bare, _description(checkpoint, channels, load_interpreter(bare)))
    interpreter = load_interpreter(bare)
    contract = _contract(
        checkpoint,
        precision,
        contracts.describe(interpreter.get_input_details()[0], INPUT_NAME),
        contracts.describe(interpreter.get_output_details()[0], OUTPUT_NAME),
        expected,
        bare,
        calibration=calibration.origin if calibration else None,
        capped=parameter_cap,
    )
    content = contracts.attach(bare, contract)
    name = checkpoint.name if channels == "gray" else f"{checkpoint.name}_{channels}"
    path = folder / f"{name}_{precision}.tflite"
    with tempfile.TemporaryDirectory() as draft:
        trial = Path(draft) / path.name
        trial.write_bytes(content)
        failed = [check for check in verify(trial, answers).checks if not check.passed]
    if failed:
        raise FerMobileError(
            "the converted model is wrong and was not written: "
            f"{failed[0].name}: {failed[0].detail}"
        )
    _write(path, content, contract)
    return Exported(
        path,
        contract,
        time.monotonic() - started,
        verify(path, answers),
        calibration=contract.calibration,
    )


def _checked(value: str, known: dict[str, Any], option: str) -> Any:
    if value not in known:
        raise InputError(
            option,
            expected=f"one of {', '.join(known)}",
            found=repr(value),
            hint=nearest(value, known),
        )
    return known[value]


def reference(checkpoint: Checkpoint, faces: np.ndarray | None = None) -> np.ndarray:
    """Probabilities float32 [N, labels] of the float weights for faces uint8 [N, S, S].

    Without `faces`, for the bundled golden ones.

    Raises ModelError when that is not probabilities.
    """
    if faces is None:
        faces = golden_faces(int(checkpoint.model.input_shape[1]))
    probabilities: np.ndarray = checkpoint.model.predict(
        normalise(faces)[..., None], batch_size=64, verbose=0
    )
    sums = probabilities.sum(1)
    if not (np.isfinite(probabilities).all() and np.abs(sums - 1).max() < 1e-3):
        raise ModelError(
            f"model {checkpoint.name!r}",
            expected="an output of probabilities that sum to 1",
            found=f"sums from {sums.min():.3g} to {sums.max():.3g}",
            hint="End the model in a softmax, and train it until it is finite.",
        )
    return probabilities


def float_answers(file: str | Path, faces: str | Path, checkpoint: str | Path | None) -> Answers:
    """What the float weights of an exported file say of faces (see `calibration.read_faces`).

    `checkpoint` is what `load_checkpoint` takes; without it, the model named in the file.
    Raises ModelError where there are no such weights.
    """
    contract = contracts.read_contract(tflite_file(file))
    weights = load_checkpoint(checkpoint or contract.name)
    size = int(weights.model.input_shape[1])
    if (size, weights.labels) != (contract.input.shape[1], contract.labels):
        raise ModelError(
            f"model {weights.name!r} as --source",
            expected=f"{contract.input.shape[1]} px and {len(contract.labels)} labels",
            found=f"{size} px and {len(weights.labels)}",
        )
    own = read_faces(faces, size, option="--faces")
    own = own[:: -(-len(own) // _COMPARED)]
    return Answers(f"{len(own)} faces of {Path(faces).name}", own, reference(weights, own))


def _contract(
    checkpoint: Checkpoint,
    precision: Precision,
    image: contracts.Tensor,
    probabilities: contracts.Tensor,
    expected: np.ndarray,
    bare: bytes,
    *,
    calibration: str | None = None,
    capped: bool = True,
) -> ModelContract:
    packages = ["fer-mobile", "keras", "tensorflow-cpu", "tensorflow"]
    if precision == "int8":
        packages.append(PACKAGE)
    return ModelContract(
        name=checkpoint.name,
        architecture=checkpoint.architecture,
        parameters=checkpoint.parameters,
        trainable_parameters=zoo.trainable_parameters(checkpoint.model),
        parameter_cap=zoo.PARAMETER_CAP if capped else None,
        precision=precision,
        input=image,
        output=probabilities,
        preprocessing=contracts.Preprocessing(
            gray="in-graph" if image.shape[-1] == 3 else "bt601-integer-16"
        ),
        labels=checkpoint.labels,
        training=checkpoint.training,
        output_calibration=checkpoint.output_calibration,
        calibration=calibration,
        figures=checkpoint.figures,
        reference=tuple(tuple(round(float(p), 6) for p in row) for row in expected),
        licence=checkpoint.licence,
        tools={name: v for name in packages if (v := _version(name))},
        model_sha256=contracts.model_checksum(bare),
    )


def _description(
    checkpoint: Checkpoint, color: Color, interpreter: Interpreter
) -> ModelDescription:
    """What the standard metadata says of a converted checkpoint."""
    return ModelDescription(
        name=f"{checkpoint.name} facial expression classifier",
        description=f"Probabilities of {', '.join(checkpoint.labels)} for one face",
        version=_version("fer-mobile") or "",
        author="fer-mobile",
        licence=checkpoint.licence,
        size=int(checkpoint.model.input_shape[1]),
        channels=3 if color == "rgb" else 1,
        raw_input=contracts.describe(interpreter.get_input_details()[0]).dtype == "uint8",
    )


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _write(path: Path, content: bytes, contract: ModelContract) -> None:
    write_bytes(path, content)
    try:
        write_text(contract_beside(path), contract.to_json())
    except InputError:
        path.unlink(missing_ok=True)
        raise


def _export_onnx(
    checkpoint: Checkpoint, quantize: str, folder: Path, started: float, capped: bool
) -> Exported:
    from fer_mobile.convert.onnx import run_onnx, to_onnx

    if quantize != "none":
        raise InputError(
            "--quantize with --format onnx",
            expected="none: tf2onnx converts float32 graphs",
            found=repr(quantize),
            hint="Use --quantize none, or --format tflite.",
        )
    import_tensorflow()
    expected = reference(checkpoint)
    bare = to_onnx(checkpoint.model)
    size, classes = int(checkpoint.model.input_shape[1]), len(checkpoint.labels)
    contract = _contract(
        checkpoint,
        "float32",
        contracts.Tensor(name=INPUT_NAME, shape=(1, size, size, 1), dtype="float32"),
        contracts.Tensor(name=OUTPUT_NAME, shape=(1, classes), dtype="float32"),
        expected,
        bare,
        capped=capped,
    )
    found = run_onnx(bare, normalise(golden_faces(size))[..., None])
    parity = float(np.abs(found - expected).max())
    if not parity <= 1e-4:
        raise FerMobileError(f"the ONNX model differs from its float checkpoint by {parity:.3g}")
    path = folder / f"{checkpoint.name}_float32.onnx"
    _write(path, bare, contract)
    return Exported(path, contract, time.monotonic() - started, None, parity)
