"""The operations of a TFLite graph: what each has to compute, and graphs cut behind one of them."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, Final

import flatbuffers
from ai_edge_litert import schema_py_generated as tflite

_NAMES: Final[dict[int, str]] = {
    code: name for name, code in vars(tflite.BuiltinOperator).items() if isinstance(code, int)
}
_IDENTIFIER: Final = b"TFL3"


@dataclass(frozen=True, slots=True)
class GraphOperation:
    """One operation, for a batch of one."""

    name: str
    output: tuple[int, ...]
    """Shape of its first output."""
    macs: int
    """Multiply-accumulates; 0 for what does not multiply."""
    integer: bool
    """Its input is int8."""
    weight_bytes: int
    """Constants that it reads, unpacked."""


class Graph:
    """The main graph of a bare TFLite model (without an appended archive)."""

    def __init__(self, model: bytes) -> None:
        self._model = model
        self._flat = self._read()
        self._main = self._flat.subgraphs[0]
        self._unpacked = {
            int(op.outputs[0]): 2 * self._constant_bytes(int(op.inputs[0]))
            for op in self._main.operators
            if self._unpacks(op)
        }

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of the first input, as the file opens."""
        return tuple(int(n) for n in self._main.tensors[int(self._main.inputs[0])].shape)

    def _read(self) -> Any:
        return tflite.ModelT.InitFromObj(tflite.Model.GetRootAs(self._model, 0))

    def operations(self) -> list[GraphOperation]:
        """What is computed, in the order it runs; unpacking float16 weights is left out."""
        return [self._describe(op) for op in self._main.operators if not self._unpacks(op)]

    def cut(self, count: int) -> bytes:
        """The model with its first `count` operations alone (of those that `operations` gives).

        Its outputs are whatever those compute and none of them reads.
        """
        flat = self._read()
        main = flat.subgraphs[0]
        kept: list[Any] = []
        constant: list[Any] = []
        for op in main.operators:
            if self._unpacks(op):
                constant.append(op)
            elif len(kept) < count:
                kept.append(op)
        read = {int(tensor) for op in kept for tensor in op.inputs}
        constant = [op for op in constant if int(op.outputs[0]) in read]
        main.outputs = [int(t) for op in kept for t in op.outputs if int(t) not in read]
        main.operators = [*constant, *kept]
        flat.signatureDefs = None
        builder = flatbuffers.Builder(len(self._model))
        builder.Finish(flat.Pack(builder), _IDENTIFIER)
        return bytes(builder.Output())

    def _name(self, op: Any) -> str:
        code = self._flat.operatorCodes[op.opcodeIndex]
        return _NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)]

    def _weight_bytes(self, tensor: int) -> int:
        return self._unpacked.get(tensor) or self._constant_bytes(tensor)

    def _constant_bytes(self, tensor: int) -> int:
        data = self._flat.buffers[self._main.tensors[tensor].buffer].data
        return 0 if data is None else len(data)

    def _unpacks(self, op: Any) -> bool:
        """Whether it turns float16 constants into float32, which is done while loading."""
        return self._name(op) == "DEQUANTIZE" and self._constant_bytes(int(op.inputs[0])) > 0

    def _describe(self, op: Any) -> GraphOperation:
        name = self._name(op)
        tensors = self._main.tensors
        inputs = [int(t) for t in op.inputs if t >= 0]
        output = tuple(int(n) for n in tensors[int(op.outputs[0])].shape)
        macs = 0
        if name in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            kernel = [int(n) for n in tensors[inputs[1]].shape]
            # Kernels are [out, height, width, in], [1, height, width, out] and [out, in].
            each = prod(kernel[1:3]) if name == "DEPTHWISE_CONV_2D" else prod(kernel[1:])
            macs = prod(output) * each
        return GraphOperation(
            name=name,
            output=output,
            macs=macs,
            integer=bool(inputs) and tensors[inputs[0]].type == tflite.TensorType.INT8,
            weight_bytes=sum(map(self._weight_bytes, inputs)),
        )
