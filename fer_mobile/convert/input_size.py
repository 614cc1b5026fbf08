"""The same weights at another input size."""

from __future__ import annotations

from dataclasses import replace

from fer_mobile.checkpoint import Checkpoint
from fer_mobile.errors import ModelError
from fer_mobile.quiet import quiet
from fer_mobile.zoo import ARCHITECTURES


def at_size(checkpoint: Checkpoint, size: int) -> Checkpoint:
    """The checkpoint with its architecture built for `size` px and the weights carried over.

    The X.Cao networks pool more often on a larger input, so that their weights fit every
    size; poolings chosen for the old size give way to the default ones.  What was measured
    of the checkpoint does not hold for the result, which is named ``<name>_<size>``.  Raises
    ModelError for a model that is none of the zoo's, or that cannot be built at that size.
    """
    old = checkpoint.size
    if size == old:
        return checkpoint
    if checkpoint.architecture not in ARCHITECTURES:
        raise ModelError(
            "size",
            expected="a model of the zoo, which can be built at another size",
            found=f"{checkpoint.name!r}, a network of its own",
            hint=f"Leave `size` out: its input is {old} px.",
        )
    options = {k: v for k, v in checkpoint.options.items() if k != "pools"} | {"size": size}
    classes = int(checkpoint.model.output_shape[-1])  # which a run's options do not say
    with quiet(2):
        model = ARCHITECTURES[checkpoint.architecture].build(**options | {"classes": classes})
    weights = checkpoint.model.get_weights()
    if [w.shape for w in weights] != [w.shape for w in model.get_weights()]:
        raise ModelError(
            "size",
            expected=f"an architecture whose weights fit {old} and {size} px alike",
            found=f"{checkpoint.architecture}, whose weights do not",
        )
    model.set_weights(weights)
    return replace(
        checkpoint,
        model=model,
        name=f"{checkpoint.name}_{size}",
        options=options,
        figures=(),
        folder=None,
    )
