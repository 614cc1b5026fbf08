"""The contract: all that a consumer needs to use a model file properly.

It travels inside the ``.tflite`` (a zip archive appended to the model holds
``labels.txt`` and ``contract.json``; TFLite readers ignore what follows the model) and
as the same text in a ``.json`` beside it.  A consumer that meets a newer format, no
contract or a contradiction says which and stops.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fer_mobile import preprocess, zoo
from fer_mobile.errors import ModelError

FORMAT: Final = "fer-mobile/contract"
FORMAT_VERSION: Final = 2
"""Readers refuse files of a higher version.

2 added the trainable parameters and their cap, the output calibration (under the key
``adjustment``) and the calibration of int8 ranges.
"""

CONTRACT_NAME: Final = "contract.json"
LABELS_NAME: Final = "labels.txt"
_LARGEST_CONTRACT: Final = 1_000_000
"""Bytes; a longer one is not ours and is not read."""

Precision = Literal["float32", "float16", "dynamic", "int8"]
PRECISIONS: Final[tuple[Precision, ...]] = ("float32", "float16", "dynamic", "int8")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Tensor(_Part):
    """The model's input or output."""

    name: str
    shape: tuple[int, ...]
    """For a batch of one."""
    dtype: Literal["float32", "int8", "uint8"]
    scale: float | None = Field(None, gt=0, allow_inf_nan=False)
    """real = (quantized - zero_point) * scale; None for float."""
    zero_point: int | None = None


class Crop(_Part):
    """See `preprocess.CropRule`."""

    scale: float = preprocess.CropRule().scale
    shift_y: float = preprocess.CropRule().shift_y

    @property
    def rule(self) -> preprocess.CropRule:
        """The rule that `preprocess` applies."""
        return preprocess.CropRule(self.scale, self.shift_y)


class Preprocessing(_Part):
    """Which preprocessing the model was trained with; `preprocess` defines each step."""

    version: int = preprocess.VERSION
    crop: Crop = Crop()
    gray: Literal["bt601-integer-16", "in-graph"] = "bt601-integer-16"
    """"in-graph": the model takes RGB and does it itself."""
    resize: Literal["triangle-antialiased-22"] = "triangle-antialiased-22"
    normalisation: Literal["pixel/255"] = "pixel/255"


class Figures(_Part):
    """What was measured of the model."""

    precision: Precision
    """Of the file or weights that were measured."""
    protocol: str
    split: str
    n: int
    accuracy: float
    balanced_accuracy: float
    recall: dict[str, float | None]


class Training(_Part):
    """What the weights were learned from."""

    data: str
    protocol: str
    epochs: int
    seed: int
    recipe: str


class OutputCalibration(_Part):
    """What was folded into the last layer: logits / temperature + offsets.

    The temperature makes the confidence as large as the accuracy (Guo et al., 2017), the
    offsets move the border between common and rare labels (Menon et al., 2021).  A consumer
    has nothing to do: the file gives final probabilities.
    """

    temperature: float = Field(1.0, gt=0, allow_inf_nan=False)
    offsets: dict[str, float] = Field(default_factory=dict)
    """By label; none where nothing was added."""
    origin: str = Field(description="What the values were taken from.")


class ModelContract(_Part):
    """What a model file needs to be used properly."""

    model_config = ConfigDict(populate_by_name=True)

    format: Literal["fer-mobile/contract"] = FORMAT
    format_version: int = FORMAT_VERSION
    name: str
    architecture: str
    parameters: int = Field(description="All weights of the network as trained.")
    trainable_parameters: int | None = None
    parameter_cap: int | None = Field(
        zoo.PARAMETER_CAP, description="On the trainable ones; null where it was lifted."
    )
    precision: Precision
    input: Tensor
    output: Tensor
    preprocessing: Preprocessing = Preprocessing()
    labels: tuple[str, ...]
    training: Training | None = None
    output_calibration: OutputCalibration | None = Field(
        None, alias="adjustment", description="The key keeps its old name until format 3."
    )
    calibration: str | None = Field(
        None, description="What the ranges of an int8 file were taken from, in words."
    )
    figures: tuple[Figures, ...] = ()
    reference: tuple[tuple[float, ...], ...] = Field(
        (),
        description="Reference outputs: what the float32 checkpoint gives for the golden faces.",
    )
    licence: str
    tools: dict[str, str] = Field(default_factory=dict, description="Versions that wrote it.")
    model_sha256: str = Field(description="Of the bytes before the appended archive, hex.")

    def to_json(self) -> str:
        """The contract as the text that is embedded and written beside the model."""
        return self.model_dump_json(indent=1, by_alias=True) + "\n"


def attach(model: bytes, contract: ModelContract) -> bytes:
    """Append the archive with the contract and the labels to a bare TFLite model.

    The archive is stored uncompressed and has fixed dates, so equal inputs give equal files.
    """
    out = io.BytesIO(model)
    out.seek(0, io.SEEK_END)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_STORED) as archive:
        for name, text in (
            (LABELS_NAME, "\n".join(contract.labels) + "\n"),
            (CONTRACT_NAME, contract.to_json()),
        ):
            archive.writestr(zipfile.ZipInfo(name), text)
    return out.getvalue()


def contract_file(model: Path) -> Path:
    """Where the contract of a model file lies as text: x.tflite → x.json, x.onnx → x.onnx.json."""
    return model.with_suffix(".json") if model.suffix == ".tflite" else Path(f"{model}.json")


def model_checksum(model: bytes) -> str:
    """SHA-256 of a bare model, hex, as the contract records it."""
    return hashlib.sha256(model).hexdigest()


def split(
    content: bytes, name: object = "the model", *, check: bool = True
) -> tuple[bytes, ModelContract]:
    """The bare model and the contract of a ``.tflite`` file's content.

    Raises ModelError when there is no contract, it is of a newer format, malformed, or
    (unless `check` is off) its checksum is not that of the model.
    """
    bare, text = open_archive(content, name)
    contract = _parse(text, name)
    checksum = model_checksum(bare)
    if check and checksum != contract.model_sha256:
        raise ModelError(
            name,
            expected=f"a model with the checksum {contract.model_sha256[:12]}… of its contract",
            found=f"{checksum[:12]}…",
            hint="The file was changed or damaged: export it again.",
        )
    return bare, contract


def read_model(path: Path) -> bytes:
    """The content of a ``.tflite`` file; ModelError where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(path, expected="a .tflite file", found=error.strerror or "none") from error


def read_contract(path: Path) -> ModelContract:
    """The contract embedded in a ``.tflite`` file; ModelError as for `split`."""
    return split(read_model(path), path)[1]


def open_archive(content: bytes, name: object = "the model") -> tuple[bytes, str]:
    """The bare model and the unchecked text of the contract; ModelError where there is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entry = archive.getinfo(CONTRACT_NAME)
            if entry.file_size > _LARGEST_CONTRACT:
                raise KeyError(CONTRACT_NAME)
            if entry.compress_type != zipfile.ZIP_STORED:
                raise zipfile.BadZipFile("compressed")
            text = archive.read(entry).decode("utf-8")
            end = min(info.header_offset for info in archive.infolist())
    # What zipfile raises for damage: RuntimeError for encryption, the rest for wrong offsets.
    except (zipfile.BadZipFile, KeyError, ValueError, RuntimeError, EOFError, OSError) as error:
        raise ModelError(
            name,
            expected="a model with an embedded contract",
            found="none in it",
            hint="Use a file that `fer-mobile export` wrote.",
        ) from error
    return content[:end], text


def _parse(text: str, name: object) -> ModelContract:
    try:
        header = _Header.model_validate_json(text)
        if header.format_version > FORMAT_VERSION:
            raise ModelError(
                name,
                expected=f"contract format {FORMAT_VERSION} or older",
                found=f"format {header.format_version}",
                hint="Update fer-mobile.",
            )
        contract = ModelContract.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        raise ModelError(
            name,
            expected="a well-formed contract",
            found=f"{'.'.join(map(str, first['loc']))}: {first['msg'].lower()}",
        ) from error
    if contract.preprocessing.version != preprocess.VERSION:
        raise ModelError(
            name,
            expected=f"preprocessing version {preprocess.VERSION}",
            found=f"version {contract.preprocessing.version}",
            hint="Export the model again with this version of fer-mobile.",
        )
    image, labels = contract.input.shape, contract.labels
    channels = 3 if contract.preprocessing.gray == "in-graph" else 1
    if len(image) != 4 or image[1] < 1 or image != (1, image[1], image[1], channels):
        raise ModelError(name, expected=f"an input [1, S, S, {channels}]", found=str(list(image)))
    if contract.output.shape != (1, len(set(labels))) or len(set(labels)) != len(labels):
        raise ModelError(
            name,
            expected=f"a different label for each output of {list(contract.output.shape)}",
            found=f"{len(labels)} labels: {', '.join(labels)}",
        )
    return contract


class _Header(BaseModel):
    """The two fields that every version of the format has."""

    format: Literal["fer-mobile/contract"]
    format_version: int


def describe_tensor(
    name: str, shape: Sequence[int], dtype: str, scale: float | None, zero_point: int | None
) -> Tensor:
    """A tensor of a graph in the contract's terms, for a batch of one.

    Raises ValueError for a type that no contract has.
    """
    quantized = dtype != "float32" and scale is not None and scale > 0
    return Tensor.model_validate(
        {
            "name": name,
            "shape": (1, *(int(n) for n in shape[1:])),
            "dtype": dtype,
            "scale": scale if quantized else None,
            "zero_point": zero_point if quantized else None,
        }
    )


def check_tensor(role: str, stated: Tensor, actual: Tensor, name: object) -> None:
    """Raise ModelError where the contract's input or output (`role`) is not the graph's."""
    if (actual.shape, actual.dtype) != (stated.shape, stated.dtype):
        raise ModelError(
            name,
            expected=f"the contract's {role} {stated.dtype} {list(stated.shape)}",
            found=f"{actual.dtype} {list(actual.shape)} in the graph",
        )
    if (actual.scale, actual.zero_point) != (stated.scale, stated.zero_point):
        raise ModelError(
            name,
            expected=f"the contract's {role} quantization {stated.scale}, {stated.zero_point}",
            found=f"{actual.scale}, {actual.zero_point} in the graph",
        )
