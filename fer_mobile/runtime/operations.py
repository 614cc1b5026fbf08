"""What a TFLite graph consists of."""

from __future__ import annotations

from collections import Counter
from typing import Final

import numpy as np

from fer_mobile.quiet import quiet
from fer_mobile.runtime.interpreter import interpreter_module

_CONVERSIONS: Final = ("QUANTIZE", "DEQUANTIZE")
"""Operations whose business is to have a float side."""


def list_operations(model: bytes) -> tuple[dict[str, int], dict[str, int]]:
    """How often each operation occurs, and which of them compute in floating point.

    `model` is a TFLite model that an interpreter was able to load.
    """
    module = interpreter_module()
    with quiet(2):
        # Without delegates the interpreter keeps every node as the file has it.
        interpreter = module.Interpreter(
            model_content=model,
            experimental_op_resolver_type=module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        interpreter.allocate_tensors()
    dtypes = {t["index"]: t["dtype"] for t in interpreter.get_tensor_details()}
    counts: Counter[str] = Counter()
    in_float: Counter[str] = Counter()
    for operation in interpreter._get_ops_details():
        name = operation["op_name"]
        counts[name] += 1
        tensors = (*operation["inputs"], *operation["outputs"])
        floats = any(dtypes.get(int(t)) in (np.float32, np.float16) for t in tensors)
        if floats and name not in _CONVERSIONS:
            in_float[name] += 1
    return dict(counts), dict(in_float)
