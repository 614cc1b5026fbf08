"""A graph's tensors in the contract's terms, and the contract held against them."""

from __future__ import annotations

from collections.abc import Sequence

from fer_mobile.contract.model import Tensor
from fer_mobile.errors import ModelError


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
