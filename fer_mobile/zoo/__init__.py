"""Architectures: the registry that finds them by name, and the networks we ship or learn from.

The networks of the studies register themselves (`fer_mobile.studies.networks`), and so can those
of other packages::

    # my_network.py, imported by FER_MOBILE_PLUGINS=my_network
    from fer_mobile.zoo import Architecture, register

    register(Architecture("tiny", "my_network", 1_234, 48, "my paper"))

    def tiny(size: int = 48, classes: int = 8) -> keras.Model: ...

Keras is imported when a model is built, not before.
"""

from __future__ import annotations

import importlib
import inspect
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, get_type_hints

from fer_mobile.errors import ModelError, choose
from fer_mobile.registry import Registry

if TYPE_CHECKING:
    import keras

PARAMETER_CAP: Final = 10_000_000
"""The most trainable parameters of a model meant for phones (thesis, section 1)."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """One registered architecture."""

    name: str
    module: str
    """Full path of the module whose function `name` builds the model."""
    parameters: int
    """All weights (trainable or not) with the builder's default options."""
    size: int
    """Input height and width by default, in pixels."""
    source: str
    """Where the architecture is described."""

    def build(self, **options: Any) -> keras.Model:
        """A Keras model with fresh weights; see the builder for its options.

        Raises ModelError for an option that the builder does not have.
        """
        self._require_known(options, self._parameters())
        return self._builder()(**options)

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Raise ModelError for an option that a recipe cannot give the builder.

        It has none of that name, or takes another type; or the data decides it, as the number of
        classes.
        """
        from pydantic import TypeAdapter, ValidationError

        known = self._parameters()
        self._require_known(options, {name: known[name] for name in known if name != "classes"})
        types = self._types()
        for name, value in options.items():
            try:  # as JSON, which knows the types of a recipe, lists among them
                TypeAdapter(types.get(name, Any)).validate_json(
                    json.dumps(value, default=str), strict=True
                )
            except ValidationError as error:
                reason = error.errors()[0]["msg"]
                raise ModelError(
                    f"option of {self.name} {name!r}",
                    expected=f"{reason[:1].lower()}{reason[1:]}",
                    found=repr(value),
                ) from error

    def _parameters(self) -> Mapping[str, inspect.Parameter]:
        return inspect.signature(self._builder()).parameters

    def _types(self) -> Mapping[str, Any]:
        """Of the builder's parameters, as far as its annotations can be understood."""
        try:
            return get_type_hints(self._builder())
        except (NameError, TypeError):
            return {}

    def _require_known(
        self, options: Mapping[str, Any], known: Mapping[str, inspect.Parameter]
    ) -> None:
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values()):
            for name in options:
                choose(f"option of {self.name}", name, known, ModelError)

    def _builder(self) -> Callable[..., keras.Model]:
        builder: Callable[..., keras.Model] = getattr(self.load_module(), self.name)
        return builder

    def load_module(self) -> ModuleType:
        """Import the module, which makes the architecture's own layers known to Keras."""
        return importlib.import_module(self.module)


ARCHITECTURES: Final = Registry[Architecture](
    "architecture", "fer_mobile.studies.networks", error=ModelError
)
"""Every architecture by name."""


def register(architecture: Architecture) -> Architecture:
    """Make an architecture known by its name; ModelError where another one has that name."""
    return ARCHITECTURES.register(architecture.name, architecture)


_HERE: Final = (
    Architecture(
        "xcao_two_stream", "fer_mobile.zoo.xcao_family", 7_509_672, 224, "thesis, figure 18 right"
    ),
    Architecture("compact", "fer_mobile.zoo.compact", 679_848, 48, "this project: zoo/compact.py"),
    Architecture("xcao", "fer_mobile.zoo.xcao_family", 6_970_728, 224, "thesis, figure 18 left"),
    Architecture(
        "efficientnet_lite0",
        "fer_mobile.zoo.efficientnet_lite",
        3_422_696,
        96,
        "a teacher: Tan and Le, 2019",
    ),
    Architecture(
        "face_mobilenet",
        "fer_mobile.zoo.face_mobilenet",
        3_203_656,
        160,
        "a teacher: Savchenko, 2021",
    ),
    Architecture(
        "face_inception",
        "fer_mobile.zoo.face_inception",
        22_563_576,
        160,
        "a teacher: Sandberg, 2018",
    ),
)
for _architecture in _HERE:
    register(_architecture)


def find(name: str) -> Architecture:
    """The architecture called `name`; ModelError with the nearest known name otherwise."""
    return ARCHITECTURES.find(name)


def build(name: str, **options: Any) -> keras.Model:
    """Build the architecture called `name` with fresh weights.

    Raises ModelError for an unknown name and for options that its builder refuses.
    """
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
            hint="Use a smaller model, or lift the cap with `parameter_cap=False`.",
        )
