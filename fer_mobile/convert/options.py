"""How a model is exported: `ExportOptions`, checked as soon as they are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fer_mobile.contract import Precision
from fer_mobile.errors import InputError, nearest
from fer_mobile.types import (
    COLORS,
    FILE_FORMATS,
    QUANTIZATIONS,
    TENSOR_TYPES,
    Color,
    FileFormat,
    Quantization,
    TensorType,
)

PRECISIONS: Final[dict[Quantization, Precision]] = {
    "none": "float32",
    "float16": "float16",
    "dynamic": "dynamic",
    "int8": "int8",
}
"""The precision, which files are named after, of each value of `quantize`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """How a model is exported.

    Raises InputError, which names the parameter, for unknown values and for those that do not
    go together.
    """

    quantize: Quantization = "int8"
    """"none" keeps float32, "float16" halves the weights, "dynamic" stores them in 8 bits and
    computes in float32, "int8" computes in 8 bits from end to end."""
    format: FileFormat = "tflite"
    """"onnx" takes float32 and gray alone."""
    io: TensorType = "int8"
    """Type of an int8 file's input and output."""
    color: Color = "gray"
    """"rgb" gives a uint8 RGB input, with the conversion to gray in the graph."""
    rewrite: bool = True
    """Whether the graph is made faster first (see `graph.passes`), or stays as it was trained."""
    size: int | None = None
    """Height and width of the input in pixels, if not as trained (see `input_size`)."""
    calibrate: str | Path | None = None
    """Faces that set an int8 file's ranges (see `calibration_faces`), in place of the ranges that
    come with the model or of the bundled faces."""
    parameter_cap: bool = True
    """Whether a model of more than ten million trainable parameters is refused."""

    def __post_init__(self) -> None:
        """Refuse what cannot be exported."""
        _check("quantize", self.quantize, QUANTIZATIONS)
        _check("format", self.format, FILE_FORMATS)
        _check("io", self.io, TENSOR_TYPES)
        _check("color", self.color, COLORS)
        if self.format == "onnx":
            self._check_onnx()
        if self.calibrate is not None and self.quantize != "int8":
            raise InputError(
                "calibrate",
                expected="`quantize='int8'`, which alone has ranges",
                found=f"`quantize={self.quantize!r}`",
            )
        if self.io != "int8" and self.quantize != "int8":
            raise InputError(
                "io",
                expected="`quantize='int8'`, which alone has the choice",
                found=f"`quantize={self.quantize!r}`",
            )
        if (self.color, self.io) == ("rgb", "float32"):
            raise InputError(
                "io", expected="`io='uint8'` with `color='rgb'`", found=f"`io={self.io!r}`"
            )

    def _check_onnx(self) -> None:
        if self.quantize != "none":
            raise InputError(
                "format",
                expected="`quantize='none'` with `format='onnx'`: tf2onnx converts float32 graphs",
                found=f"`quantize={self.quantize!r}`",
                hint="Use `quantize='none'`, or `format='tflite'`.",
            )
        if self.color != "gray":
            raise InputError(
                "format",
                expected="`color='gray'` with `format='onnx'`",
                found=f"`color={self.color!r}`",
            )

    @property
    def precision(self) -> Precision:
        """The precision, which files are named after."""
        return PRECISIONS[self.quantize]

    @property
    def suffix(self) -> str:
        """What follows a model's name in the name of a file: ``_int8``, ``_rgb_int8``."""
        color = "" if self.color == "gray" else f"_{self.color}"
        io = "" if self.io == "int8" else f"_{self.io}_io"
        return f"{color}_{self.precision}{io}"


def _check(parameter: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise InputError(
            parameter,
            expected=f"one of {', '.join(known)}",
            found=repr(value),
            hint=nearest(str(value), known),
        )
