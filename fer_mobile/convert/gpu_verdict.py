"""What a file's operations say of a GPU before it was run on one.

int8 convolutions of 1×1 with stride 2 give other values on LiteRT's GPU accelerator than on the
CPU: docs/lab-notebook.md, "int8 on a GPU".
"""

from __future__ import annotations

from typing import Any, Final

from ai_edge_litert import schema_py_generated as schema

from fer_mobile.contract import Accelerator
from fer_mobile.runtime.flatbuffer import unpack_model

_INTEGERS: Final = (schema.TensorType.INT8, schema.TensorType.UINT8)

DIFFERS: Final = Accelerator(
    name="gpu",
    verdict="differs",
    evidence="not run, by its operations: 1x1 convolutions of stride 2 in int8 give other values "
    "on the GPU accelerator of ai-edge-litert 2.3.0",
)


def known_verdicts(bare: bytes) -> tuple[Accelerator, ...]:
    """The verdicts on accelerators that a bare model's operations allow; none is "unknown"."""
    model = unpack_model(bare)
    graph = model.subgraphs[0]
    operations = (op for op in graph.operators if _is_convolution(model, op))
    return (DIFFERS,) if any(_gives_other_values(graph, op) for op in operations) else ()


def _is_convolution(model: Any, operation: Any) -> bool:
    code = model.operatorCodes[operation.opcodeIndex]
    return bool(code.builtinCode == schema.BuiltinOperator.CONV_2D)


def _gives_other_values(graph: Any, convolution: Any) -> bool:
    image, kernel = (graph.tensors[index] for index in convolution.inputs[:2])
    options = convolution.builtinOptions
    return (
        image.type in _INTEGERS
        and tuple(kernel.shape[1:3]) == (1, 1)
        and isinstance(options, schema.Conv2DOptionsT)
        and (options.strideH, options.strideW) == (2, 2)
    )
