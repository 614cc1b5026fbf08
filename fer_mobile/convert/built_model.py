"""From a float checkpoint to the content of an exported file; nothing is written."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from fer_mobile import zoo
from fer_mobile.arrays import Probabilities
from fer_mobile.checkpoint import Checkpoint
from fer_mobile.contract import (
    LEVELLING,
    LabelFacts,
    ModelContract,
    Precision,
    Preprocessing,
    Tensor,
    describe_tensor,
    malformed,
    requirements,
)
from fer_mobile.convert.calibration import Calibration, find_calibration
from fer_mobile.convert.converter import INPUT_NAME, OUTPUT_NAME, import_tensorflow, to_tflite
from fer_mobile.convert.gpu_verdict import known_verdicts
from fer_mobile.convert.input_size import at_size
from fer_mobile.convert.int8 import to_int8
from fer_mobile.convert.metadata import ModelDescription, add_metadata
from fer_mobile.convert.onnx import to_onnx
from fer_mobile.convert.options import ExportOptions
from fer_mobile.convert.quantize import PACKAGE
from fer_mobile.convert.reference import (
    ReferenceOutputs,
    bundled_reference,
    by_label,
    reference_outputs,
)
from fer_mobile.errors import ModelError
from fer_mobile.graph.network import Network, read_network
from fer_mobile.model_file import attach, describe_labels, model_checksum, write_model
from fer_mobile.quiet import without_bytecode
from fer_mobile.runtime.tflite_model import TfliteModel, TfliteTensor


@dataclass(frozen=True, slots=True)
class BuiltModel:
    """An exported file that is not written yet."""

    name: str
    """Of the file."""
    content: bytes
    contract: ModelContract
    reference: ReferenceOutputs | None = None
    """The float checkpoint's outputs for the user's calibration faces, if there are any."""

    def save(self, folder: str | Path) -> Path:
        """Write the file, and the contract as ``.json`` beside it: both, or neither.

        Returns the file's path.  Raises InputError where the folder cannot be written to.
        """
        path = Path(folder) / self.name
        write_model(path, self.content, self.contract.to_json().encode())
        return path


@without_bytecode()
def build(checkpoint: Checkpoint, options: ExportOptions | None = None) -> BuiltModel:
    """The content and the contract of an export of `checkpoint`; equal arguments, equal bytes.

    Raises ModelError for a model that cannot be exported so, InputError for calibration faces
    that cannot be used, MissingPackageError where TensorFlow (or tf2onnx) is not installed.
    """
    options = options or ExportOptions()
    if checkpoint.preprocessing:
        raise ModelError(
            checkpoint.name,
            expected="a run without preprocessing, which the contract of a file does not have",
            found=", ".join(checkpoint.preprocessing),
            hint="Train it without data.preprocessing to export it.",
        )
    checkpoint.named_labels()
    if options.size is not None:
        checkpoint = at_size(checkpoint, options.size)
    zoo.check_cap(checkpoint.model, lifted=not options.parameter_cap)
    import_tensorflow()
    expected = bundled_reference(checkpoint)
    network = read_network(checkpoint.model, color=options.color, rewrite=options.rewrite)
    if options.format == "onnx":
        return _build_onnx(checkpoint, network, expected, options)
    calibration = None
    if options.quantize == "int8":
        calibration = find_calibration(network, checkpoint.folder, options.calibrate)
    bare = _convert(network, options, calibration)
    graph = TfliteModel(bare)
    bare = add_metadata(bare, _description(checkpoint, network, graph))
    contract = _contract(
        checkpoint,
        options,
        bare,
        expected,
        (_tensor(graph.inputs[0], INPUT_NAME), _tensor(graph.outputs[0], OUTPUT_NAME)),
        calibration=calibration.origin if calibration else None,
    )
    reference = None
    if calibration and options.calibrate is not None:
        reference = reference_outputs(checkpoint, calibration.faces, "of the calibration")
    name = f"{checkpoint.name}{options.suffix}.tflite"
    return BuiltModel(name, attach(bare, contract), contract, reference)


def _build_onnx(
    checkpoint: Checkpoint, network: Network, expected: Probabilities, options: ExportOptions
) -> BuiltModel:
    content = to_onnx(network)
    image = (1, network.size, network.size, 1)
    tensors = (
        Tensor(name=INPUT_NAME, shape=image, dtype="float32"),
        Tensor(name=OUTPUT_NAME, shape=(1, len(checkpoint.labels)), dtype="float32"),
    )
    contract = _contract(checkpoint, options, content, expected, tensors)
    return BuiltModel(f"{checkpoint.name}{options.suffix}.onnx", content, contract)


def _convert(network: Network, options: ExportOptions, calibration: Calibration | None) -> bytes:
    """The bare TFLite model."""
    if calibration:
        return to_int8(network, calibration, io=options.io)
    return to_tflite(network, options.precision, winograd=options.precision == "float32")


def _contract(
    checkpoint: Checkpoint,
    options: ExportOptions,
    bare: bytes,
    expected: Probabilities,
    tensors: tuple[Tensor, Tensor],
    *,
    calibration: str | None = None,
) -> ModelContract:
    image, probabilities = tensors
    try:
        return ModelContract(
            requires=requirements(levelling=True),
            name=checkpoint.name,
            architecture=checkpoint.architecture,
            parameters=checkpoint.parameters,
            trainable_parameters=zoo.trainable_parameters(checkpoint.model),
            parameter_cap=zoo.PARAMETER_CAP if options.parameter_cap else None,
            precision=options.precision,
            input=image,
            output=probabilities,
            preprocessing=Preprocessing(
                gray="in-graph" if options.color == "rgb" else "bt601-integer-16",
                levelling=LEVELLING,
            ),
            labels=checkpoint.labels,
            label_facts=LabelFacts.of(checkpoint.labels),
            provenance=checkpoint.provenance,
            output_calibration=checkpoint.output_calibration,
            ranges=calibration,
            figures=checkpoint.figures,
            accelerators=known_verdicts(bare) if options.format == "tflite" else (),
            reference=by_label(checkpoint.labels, expected),
            licence=checkpoint.licence,
            tools=_versions(options.precision),
            model_sha256=model_checksum(bare),
        )
    except ValidationError as error:  # a name with control characters, say
        raise malformed(error, checkpoint.name) from error


def _tensor(tensor: TfliteTensor, name: str) -> Tensor:
    return describe_tensor(name, tensor.shape, tensor.dtype, tensor.scale, tensor.zero_point)


def _description(checkpoint: Checkpoint, network: Network, graph: TfliteModel) -> ModelDescription:
    """What the standard metadata says of a converted checkpoint."""
    return ModelDescription(
        name=f"{checkpoint.name} facial expression classifier",
        description=describe_labels(checkpoint.labels),
        version=_version("fer-mobile") or "",
        author="fer-mobile",
        licence=checkpoint.licence,
        size=network.size,
        channels=3 if network.color == "rgb" else 1,
        raw_input=graph.inputs[0].dtype == "uint8",
    )


def _versions(precision: Precision) -> dict[str, str]:
    """Of the packages that wrote a file."""
    packages = ["fer-mobile", "keras", "tensorflow-cpu", "tensorflow"]
    if precision == "int8":
        packages.append(PACKAGE)
    return {name: version for name in packages if (version := _version(name))}


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
