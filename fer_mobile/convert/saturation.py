"""How much of a full-integer graph's results lie at the ends of their 8-bit range.

A range that was taken from unlike data is too narrow: values pile up at its ends.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from fer_mobile.quiet import quiet
from fer_mobile.runtime.interpreter import interpreter_module

_COMPUTING: Final = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD")
"""Operations with a range of their own.  Others hand their input's range on."""


def saturation(model: bytes, inputs: np.ndarray) -> tuple[float, str]:
    """The largest share of a tensor's values at the ends of its range, and the tensor's name.

    `inputs` [N, S, S, C] are as the model takes them.  The level that stands for zero does
    not count: a ReLU puts values there.  Nor does the lower end of a sum: where a constant
    is added to a ReLU's map, its zeros lie there.  (0.0, "") for a model without 8-bit
    results.
    """
    module = interpreter_module()
    with quiet(2):
        interpreter: Any = module.Interpreter(
            model_content=model,
            experimental_op_resolver_type=module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            experimental_preserve_all_tensors=True,
        )
        image = interpreter.get_input_details()[0]["index"]
        interpreter.resize_tensor_input(image, inputs.shape)
        interpreter.allocate_tensors()
    interpreter.set_tensor(image, inputs)
    interpreter.invoke()
    tensors = {tensor["index"]: tensor for tensor in interpreter.get_tensor_details()}
    worst = (0.0, "")
    for operation in interpreter._get_ops_details():
        tensor = tensors[int(operation["outputs"][0])]
        if operation["op_name"] not in _COMPUTING or tensor["dtype"] != np.int8:
            continue
        values, zero = interpreter.get_tensor(tensor["index"]), tensor["quantization"][1]
        levels = (127,) if operation["op_name"] == "ADD" else (-128, 127)
        ends = sum(np.count_nonzero(values == end) for end in levels if end != zero)
        worst = max(worst, (float(ends / values.size), str(tensor["name"]).rpartition(";")[2]))
    return worst
