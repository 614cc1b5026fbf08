"""How much of a full-integer graph's results lie at the ends of their 8-bit range.

A range that was taken from unlike data is too narrow: values pile up at its ends.
"""

from __future__ import annotations

from typing import Any, Final

from numpy.typing import NDArray

from fer_mobile.errors import ModelError
from fer_mobile.runtime.interpreter import first_line, load_interpreter
from fer_mobile.runtime.tflite_model import TfliteModel

_COMPUTING: Final = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD")
"""Operations with a range of their own.  Others hand their input's range on."""


def saturation(model: bytes, graph: TfliteModel, inputs: NDArray[Any]) -> tuple[float, str]:
    """The largest share of a tensor's values at the ends of its range, and the tensor's name.

    `graph` is that of `model`; `inputs` [N, S, S, C] are as the model takes them.  The level that
    stands for zero does not count: a ReLU puts values there.  Nor does the lower end of a sum:
    where a constant is added to a ReLU's map, its zeros lie there.  Nor does one value at each
    end, which may be what the range was made of: of two labels' logits for 16 faces, two values
    are 6%.  (0.0, "") for a model without 8-bit results.
    """
    interpreter = load_interpreter(model, delegates=False, preserve_all_tensors=True)
    image = graph.inputs[0].index
    try:
        interpreter.resize_tensor_input(image, inputs.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(image, inputs)
        interpreter.invoke()
    except (RuntimeError, ValueError) as error:
        raise ModelError(
            "the model", expected="a graph that runs without delegates", found=first_line(error)
        ) from error
    worst = (0.0, "")
    for operation in graph.operations:
        tensor = graph.tensors[operation.outputs[0]]
        if operation.name not in _COMPUTING or tensor.dtype != "int8":
            continue
        values = interpreter.get_tensor(tensor.index)
        levels = (127,) if operation.name == "ADD" else (-128, 127)
        ends = [int((values == end).sum()) for end in levels if end != tensor.zero_point]
        saturated = sum(max(count - 1, 0) for count in ends)
        worst = max(worst, (saturated / values.size, tensor.name.rpartition(";")[2]))
    return worst
