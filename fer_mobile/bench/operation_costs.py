"""What the operations of a TFLite graph have to compute, and graphs cut behind one of them."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from fer_mobile.runtime.flatbuffer import pack_model, unpack_model
from fer_mobile.runtime.tflite_model import TfliteModel, TfliteOperation


@dataclass(frozen=True, slots=True)
class OperationCost:
    """What one operation computes and reads, for a batch of one."""

    name: str
    output: tuple[int, ...]
    """Shape of its first output."""
    macs: int
    """Multiply-accumulates; 0 for what does not multiply."""
    integer: bool
    """Its input is int8."""
    weight_bytes: int
    """Constants that it reads, unpacked."""


def operation_costs(model: TfliteModel) -> list[OperationCost]:
    """The cost of every operation in the order they run; unpacking float16 weights is left out."""
    unpacked = {
        op.outputs[0]: 2 * model.tensors[op.inputs[0]].constant_bytes
        for op in model.operations
        if _unpacks(model, op)
    }
    return [_cost(model, op, unpacked) for op in model.operations if not _unpacks(model, op)]


def _unpacks(model: TfliteModel, op: TfliteOperation) -> bool:
    """Whether it turns float16 constants into float32, which is done while loading."""
    return op.name == "DEQUANTIZE" and model.tensors[op.inputs[0]].constant_bytes > 0


def _cost(model: TfliteModel, op: TfliteOperation, unpacked: dict[int, int]) -> OperationCost:
    tensors = model.tensors
    output = tensors[op.outputs[0]].shape
    macs = 0
    if op.name in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
        kernel = tensors[op.inputs[1]].shape
        # Kernels are [out, height, width, in], [1, height, width, out] and [out, in].
        each = prod(kernel[1:3]) if op.name == "DEPTHWISE_CONV_2D" else prod(kernel[1:])
        macs = prod(output) * each
    return OperationCost(
        name=op.name,
        output=output,
        macs=macs,
        integer=bool(op.inputs) and tensors[op.inputs[0]].dtype == "int8",
        weight_bytes=sum(unpacked.get(i, tensors[i].constant_bytes) for i in op.inputs),
    )


def cut_graph(content: bytes, count: int) -> bytes:
    """A bare TFLite model with the first `count` of the operations in `operation_costs` alone.

    Its outputs are whatever those compute and none of them reads.
    """
    model = TfliteModel(content)
    flat = unpack_model(content)
    main = flat.subgraphs[0]
    kept: list[Any] = []
    unpacking: list[Any] = []
    for op, stored in zip(model.operations, main.operators, strict=True):
        if _unpacks(model, op):
            unpacking.append(stored)
        elif len(kept) < count:
            kept.append(stored)
    read = {int(tensor) for op in kept for tensor in op.inputs}
    unpacking = [op for op in unpacking if int(op.outputs[0]) in read]
    main.outputs = [int(t) for op in kept for t in op.outputs if int(t) not in read]
    main.operators = [*unpacking, *kept]
    flat.signatureDefs = None
    return pack_model(flat)
