"""The contract: all that a consumer needs to use a model file properly.

`model_file` says where it lies.  A consumer that meets a newer format, no contract or a
contradiction says which and stops.  Every text and number has limits, because a contract may
come from anywhere.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from fer_mobile import preprocess, zoo
from fer_mobile.errors import ModelError

FORMAT: Final = "fer-mobile/contract"
FORMAT_VERSION: Final = 2
"""Readers refuse files of a higher version.

2 added the trainable parameters and their cap, the output calibration (under the key
``adjustment``) and the calibration of int8 ranges.
"""

LARGEST_SIDE: Final = 1024
"""Height and width in pixels that an input may have."""

_BIDI: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that let what follows be shown in another order."""


def _check_text(text: str) -> str:
    """Refuse text that does more than stand there when it is printed."""
    if any(unicodedata.category(c) in ("Cc", "Cs") or c in _BIDI for c in text):
        raise ValueError("holds control characters")
    return text


def _check_name(name: str) -> str:
    if name != Path(name).name or "\\" in name:
        raise ValueError("is no plain name")
    return name


Text = Annotated[str, StringConstraints(max_length=10_000), AfterValidator(_check_text)]
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    AfterValidator(_check_text),
    AfterValidator(_check_name),
]
Label = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_check_text)]
Count = Annotated[int, Field(ge=0, le=10**12)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
"""Of 1: an accuracy, a probability."""

Precision = Literal["float32", "float16", "dynamic", "int8"]
PRECISIONS: Final[tuple[Precision, ...]] = ("float32", "float16", "dynamic", "int8")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Tensor(_Part):
    """The model's input or output."""

    name: Text
    shape: tuple[int, ...]
    """For a batch of one."""
    dtype: Literal["float32", "int8", "uint8"]
    scale: float | None = Field(None, gt=0, le=1e6, allow_inf_nan=False)
    """real = (quantized - zero_point) * scale; None for float."""
    zero_point: int | None = Field(None, ge=-128, le=255)


class Crop(_Part):
    """See `preprocess.CropRule`."""

    scale: float = Field(preprocess.CropRule().scale, ge=0.1, le=4, allow_inf_nan=False)
    shift_y: float = Field(preprocess.CropRule().shift_y, ge=-2, le=2, allow_inf_nan=False)

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
    protocol: Text
    split: Text
    n: Count
    accuracy: Share
    balanced_accuracy: Share
    recall: dict[Label, Share | None]


class Training(_Part):
    """What the weights were learned from."""

    data: Text
    protocol: Text
    epochs: Count
    seed: int = Field(ge=-(2**63), lt=2**64)
    recipe: Text


class OutputCalibration(_Part):
    """What was folded into the last layer: logits / temperature + offsets.

    The temperature makes the confidence as large as the accuracy (Guo et al., 2017), the
    offsets move the border between common and rare labels (Menon et al., 2021).  A consumer
    has nothing to do: the file gives final probabilities.
    """

    temperature: float = Field(1.0, gt=0, le=1000, allow_inf_nan=False)
    offsets: dict[Label, Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False)]] = Field(
        default_factory=dict
    )
    """By label; none where nothing was added."""
    origin: Text = Field(description="What the values were taken from.")


class ModelContract(_Part):
    """What a model file needs to be used properly."""

    model_config = ConfigDict(populate_by_name=True)

    format: Literal["fer-mobile/contract"] = FORMAT
    format_version: int = FORMAT_VERSION
    name: Name
    architecture: Text
    parameters: Count = Field(description="All weights of the network as trained.")
    trainable_parameters: Count | None = None
    parameter_cap: Count | None = Field(
        zoo.PARAMETER_CAP, description="On the trainable ones; null where it was lifted."
    )
    precision: Precision
    input: Tensor
    output: Tensor
    preprocessing: Preprocessing = Preprocessing()
    labels: tuple[Label, ...] = Field(min_length=1, max_length=1000)
    training: Training | None = None
    output_calibration: OutputCalibration | None = Field(
        None, alias="adjustment", description="The key keeps its old name until format 3."
    )
    calibration: Text | None = Field(
        None, description="What the ranges of an int8 file were taken from, in words."
    )
    figures: tuple[Figures, ...] = Field((), max_length=100)
    reference: tuple[tuple[Share, ...], ...] = Field(
        (),
        max_length=10_000,
        description="Reference outputs: what the float32 checkpoint gives for the golden faces.",
    )
    licence: Text
    tools: dict[Text, Text] = Field(default_factory=dict, description="Versions that wrote it.")
    model_sha256: str = Field(pattern="^[0-9a-f]{64}$", description="Of the bare model, hex.")

    def to_json(self) -> str:
        """The contract as the text that is embedded and written beside the model."""
        return self.model_dump_json(indent=1, by_alias=True) + "\n"


def printable(text: str) -> str:
    """A text from a file for an error message."""
    return "".join(c if c.isprintable() else "?" for c in text)[:200]


def parse_contract(text: str, name: object) -> ModelContract:
    """The contract that a text holds; `name` is what errors call the file.

    Raises ModelError when it is of a newer format, breaks the format or contradicts itself.
    """
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
        raise malformed(error, name) from error
    if contract.preprocessing.version != preprocess.VERSION:
        raise ModelError(
            name,
            expected=f"preprocessing version {preprocess.VERSION}",
            found=f"version {contract.preprocessing.version}",
            hint="Export the model again with this version of fer-mobile.",
        )
    image, labels = contract.input.shape, contract.labels
    channels = 3 if contract.preprocessing.gray == "in-graph" else 1
    if len(image) != 4 or image != (1, image[1], image[1], channels):
        raise ModelError(name, expected=f"an input [1, S, S, {channels}]", found=str(list(image)))
    if not 1 <= image[1] <= LARGEST_SIDE:
        raise ModelError(
            name, expected=f"an input of 1 to {LARGEST_SIDE} px", found=f"{image[1]} px"
        )
    if contract.output.shape != (1, len(set(labels))) or len(set(labels)) != len(labels):
        raise ModelError(
            name,
            expected=f"a different label for each output of {list(contract.output.shape)}",
            found=f"{len(labels)} labels: {', '.join(labels)}",
        )
    if any(len(row) != len(labels) for row in contract.reference):
        raise ModelError(
            name,
            expected=f"reference outputs of {len(labels)} probabilities",
            found="some of another length",
        )
    return contract


def malformed(error: ValidationError, name: object) -> ModelError:
    """The error for a contract that breaks the format."""
    first = error.errors()[0]
    place = printable(".".join(map(str, first["loc"])))
    return ModelError(
        name, expected="a well-formed contract", found=f"{place}: {printable(first['msg']).lower()}"
    )


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
