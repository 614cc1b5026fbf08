"""The architectures, one file per family, and the registry that finds them by name.

Nothing here imports Keras until a model is built.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fer_mobile.errors import ModelError, choose

if TYPE_CHECKING:
    import keras

PARAMETER_CAP: Final = 10_000_000
"""The thesis's limit on trainable parameters of a model meant for phones (section 1)."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """One registered architecture."""

    name: str
    module: str
    """The module of this package whose function `name` builds the model."""
    parameters: int
    """All weights (trainable or not) with the builder's default options."""
    size: int
    """Input height and width by default, in pixels."""
    source: str
    """Where the architecture is described."""

    def build(self, **options: Any) -> keras.Model:
        """A Keras model with fresh weights; see the builder for its options."""
        builder: Callable[..., keras.Model] = getattr(
            importlib.import_module(f"fer_mobile.zoo.{self.module}"), self.name
        )
        return builder(**options)


ARCHITECTURES: Final = {
    entry.name: entry
    for entry in (
        Architecture("xcao_two_stream", "xcao_family", 7_509_672, 224, "thesis, figure 18 right"),
        Architecture("compact", "compact", 679_848, 48, "this project: zoo/compact.py"),
        Architecture("xcao", "xcao_family", 6_970_728, 224, "thesis, figure 18 left"),
        Architecture("baseline", "thesis_baseline", 102_830_056, 224, "thesis, figure 12"),
        Architecture("baseline_enhanced", "thesis_baseline", 102_830_856, 224, "thesis, figure 17"),
        Architecture("fractal", "fractal", 26_395_128, 224, "thesis, figures 19 and 20"),
        Architecture("alexnet", "alexnet", 58_290_888, 224, "thesis, figure 13"),
        Architecture("alexnet_two_stream", "alexnet", 56_877_768, 224, "thesis, figure 14"),
        Architecture("googlenet", "transfer", 21_819_176, 224, "thesis, table 5: InceptionV3"),
        Architecture("mobilenet", "transfer", 3_237_064, 224, "thesis, table 5"),
        Architecture("five_block_cnn", "four_class", 4_146_244, 48, "study 000, appendix 1"),
        Architecture("simpler_cnn", "four_class", 605_924, 48, "study 000, appendix 4"),
        Architecture("two_conv", "two_conv", 6_500_383, 48, "study 001"),
        Architecture("simple_cnn", "emotion11", 683_140, 48, "study 002"),
        Architecture("larger_cnn", "emotion11", 1_634_756, 48, "study 002"),
        Architecture("resnet_like", "emotion11", 298_084, 48, "study 002, its best"),
        Architecture("small_vit", "emotion11", 309_412, 48, "study 002, proposed there"),
        Architecture("five_block_leaky", "four_class", 4_146_820, 48, "study 004, final model"),
        Architecture("capstone_model_1", "four_class", 605_572, 48, "study 004, model 1"),
        Architecture("capstone_model_2", "four_class", 325_604, 48, "study 004, model 2"),
        Architecture(
            "efficientnet_lite0", "efficientnet_lite", 3_422_696, 96, "a teacher: Tan and Le, 2019"
        ),
        Architecture(
            "face_mobilenet", "face_mobilenet", 3_203_656, 160, "a teacher: Savchenko, 2021"
        ),
        Architecture(
            "face_inception", "face_inception", 22_563_576, 160, "a teacher: Sandberg, 2018"
        ),
        Architecture("transfer", "transfer", 14_847_044, 48, "studies 000, 002, 004: VGG16 etc."),
    )
}
"""Every architecture by name."""


def find(name: str) -> Architecture:
    """The architecture called `name`; ModelError with the nearest known name otherwise."""
    return choose("architecture", name, ARCHITECTURES, ModelError)


def build(name: str, **options: Any) -> keras.Model:
    """Build the architecture called `name` with fresh weights."""
    return find(name).build(**options)


def trainable_parameters(model: keras.Model) -> int:
    """How many parameters of a Keras model training changes."""
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


def count_macs(model: keras.Model) -> int:
    """Multiply-accumulate operations of one inference: convolutions and dense layers."""
    total = 0
    for layer in model.layers:
        kernel = getattr(layer, "kernel", None)
        if kernel is not None:
            places = math.prod(layer.output.shape[1:-1])
            total += places * math.prod(kernel.shape)
    return total


def check_cap(model: keras.Model, *, lifted: bool = False) -> None:
    """Raise ModelError when a model is above `PARAMETER_CAP`, unless the cap is lifted."""
    count = trainable_parameters(model)
    if count > PARAMETER_CAP and not lifted:
        raise ModelError(
            f"model {model.name!r}",
            expected=f"at most {PARAMETER_CAP:,} trainable parameters",
            found=f"{count:,}",
            hint="Use a smaller model, or lift the cap with --no-parameter-cap.",
        )
