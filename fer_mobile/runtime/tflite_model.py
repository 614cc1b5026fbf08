"""The graph of a TFLite file: its operations and tensors, read once from the flatbuffer."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from ai_edge_litert import schema_py_generated as schema

from fer_mobile.errors import ModelError

_MOST: Final = 100_000
"""Tensors, operations or sizes of one list; more are no file of a classifier."""

_CONVERSIONS: Final = ("QUANTIZE", "DEQUANTIZE")
"""Operations that have a float side by their nature."""


def _names(enumeration: type) -> dict[int, str]:
    return {code: name for name, code in vars(enumeration).items() if isinstance(code, int)}


_OPERATIONS: Final = _names(schema.BuiltinOperator)
_DTYPES: Final = _names(schema.TensorType)


@dataclass(frozen=True, slots=True)
class TfliteTensor:
    """One tensor of the main graph."""

    index: int
    """By which operations and the interpreter know it."""
    name: str
    shape: tuple[int, ...]
    """As the file opens."""
    dtype: str
    """NumPy's name: "float32", "int8"."""
    scale: float | None
    """Of a tensor with one scale: real = (quantized - zero_point) * scale; None otherwise."""
    zero_point: int | None
    constant_bytes: int
    """Bytes that the file stores for it; 0 for a tensor that is computed."""


@dataclass(frozen=True, slots=True)
class TfliteOperation:
    """One operation of the main graph."""

    name: str
    """As the schema spells it: "CONV_2D"; a custom operation's own name."""
    inputs: tuple[int, ...]
    """Indices of its tensors, without optional ones that are absent."""
    outputs: tuple[int, ...]


class TfliteModel:
    """The main graph of a bare TFLite model (without an appended archive).

    Args:
        model: the file's bytes.
        name: what error messages call it.

    Raises ModelError where the bytes are no TFLite model that can be read.
    """

    tensors: tuple[TfliteTensor, ...]
    operations: tuple[TfliteOperation, ...]
    """In the order in which they run."""
    inputs: tuple[TfliteTensor, ...]
    outputs: tuple[TfliteTensor, ...]

    def __init__(self, model: bytes, name: object = "the model") -> None:
        try:
            self._read(model)
        # What flatbuffers raises for offsets that lead nowhere, depends on where they lead.
        except (ValueError, TypeError, IndexError, KeyError, AttributeError, struct.error) as error:
            raise ModelError(
                name, expected="a readable TensorFlow Lite graph", found=f"damage ({error})"
            ) from error

    def _read(self, content: bytes) -> None:
        model = schema.Model.GetRootAs(content, 0)
        graph = model.Subgraphs(0)
        self.tensors = tuple(
            _read_tensor(model, graph.Tensors(i), i) for i in _counted(graph.TensorsLength())
        )
        codes = [
            _operation_name(model.OperatorCodes(i)) for i in _counted(model.OperatorCodesLength())
        ]
        self.operations = tuple(
            _read_operation(codes, graph.Operators(i)) for i in _counted(graph.OperatorsLength())
        )
        for operation in self.operations:
            if max((*operation.inputs, *operation.outputs), default=0) >= len(self.tensors):
                raise IndexError(f"an operation {operation.name} on a tensor that is not there")
        self.inputs = tuple(self.tensors[i] for i in _integers(graph.InputsAsNumpy()))
        self.outputs = tuple(self.tensors[i] for i in _integers(graph.OutputsAsNumpy()))

    def computed(self) -> tuple[TfliteTensor, ...]:
        """The tensors that an operation writes."""
        return tuple(self.tensors[i] for operation in self.operations for i in operation.outputs)

    def count_operations(self) -> dict[str, int]:
        """How often each operation occurs."""
        return dict(Counter(operation.name for operation in self.operations))

    def count_float_operations(self) -> dict[str, int]:
        """How often each operation occurs that computes in floating point."""
        return dict(
            Counter(
                operation.name
                for operation in self.operations
                if operation.name not in _CONVERSIONS
                and any(
                    self.tensors[i].dtype.startswith("float")
                    for i in (*operation.inputs, *operation.outputs)
                )
            )
        )


def _read_tensor(model: Any, tensor: Any, index: int) -> TfliteTensor:
    quantization = tensor.Quantization()
    scales: Any = () if quantization is None else quantization.ScaleAsNumpy()
    one_scale = not isinstance(scales, int) and len(scales) == 1
    buffer = model.Buffers(tensor.Buffer())
    return TfliteTensor(
        index=index,
        name=(tensor.Name() or b"").decode("utf-8"),
        shape=_integers(tensor.ShapeAsNumpy()),
        dtype=_DTYPES[tensor.Type()].lower(),
        scale=float(scales[0]) if one_scale else None,
        zero_point=int(quantization.ZeroPoint(0)) if one_scale else None,
        # Large files keep their constants behind the flatbuffer.
        constant_bytes=int(buffer.DataLength() or buffer.Size()),
    )


def _read_operation(codes: list[str], operation: Any) -> TfliteOperation:
    return TfliteOperation(
        codes[operation.OpcodeIndex()],
        tuple(i for i in _integers(operation.InputsAsNumpy()) if i >= 0),
        _integers(operation.OutputsAsNumpy()),
    )


def _operation_name(code: Any) -> str:
    builtin = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    if builtin == schema.BuiltinOperator.CUSTOM:
        return str((code.CustomCode() or b"CUSTOM").decode("utf-8"))
    return _OPERATIONS[builtin]


def _counted(length: int) -> range:
    if length > _MOST:
        raise ValueError(f"a list of {length:,}")
    return range(length)


def _integers(values: Iterable[int] | int) -> tuple[int, ...]:
    """A vector of the flatbuffer, which is the number 0 where it is absent."""
    if isinstance(values, int):
        return ()
    values = list(values)
    _counted(len(values))
    return tuple(int(value) for value in values)
