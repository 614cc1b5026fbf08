"""Quantization-aware fine-tuning: training a model as its int8 file will compute.

The trained model's graph is taken with its batch normalisations folded, as it is exported.
Kernels and activations are rounded to the values that int8 can hold, wherever a TFLite
file rounds them, while gradients pass as if they were not (straight-through estimator);
the weights learn to live with the rounding, and the activation ranges are observed on the
way.  `unfold` brings the weights back to the architecture they came from, which exports as
any other, with the ranges as its ranges.json.  `FineTuning` is what a `Network` does it with.

Left out: biases (int32 in the file, all but exact), the rounding of the probabilities to
1/256 (their logarithm is the loss), and dropout (fine-tuning is short).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from keras import layers, ops

from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.errors import RecipeError, UnsupportedLayerError
from fer_mobile.graph.fold_batch_norm import fold_batch_norm
from fer_mobile.graph.from_keras import from_keras
from fer_mobile.graph.ir import Graph, Node
from fer_mobile.graph.ranges import Limits, has_range, make_ranges
from fer_mobile.training.recipe import Recipe

MOMENTUM: Final = 0.99
"""Of the average of the batches' extremes, once so many batches were seen."""

_SUFFIX: Final = ".range"
"""What a range's layer is called after its node (a layer's name cannot hold a slash)."""

_register = keras.saving.register_keras_serializable("fer_mobile")


def round_kernel(kernel: Any, bits: int = 8) -> Any:
    """A kernel on the grid of symmetric integers, a step of its own for each output channel."""
    axes = tuple(range(len(kernel.shape) - 1))
    step = ops.max(ops.abs(kernel), axes, keepdims=True) / (2 ** (bits - 1) - 1)
    rounded = ops.round(kernel / ops.maximum(step, 1e-9)) * step
    return kernel + ops.stop_gradient(rounded - kernel)


def round_to_range(values: Any, low: Any, high: Any) -> Any:
    """Values on a grid of 256 steps from `low` to `high`, which it is widened to hold 0.

    Values outside are cut off; no gradient passes there.
    """
    low, high = ops.minimum(low, 0.0), ops.maximum(high, 0.0)
    step = ops.maximum(high - low, 1e-9) / 255
    zero = ops.round(-low / step)
    low, high = ops.stop_gradient(-zero * step), ops.stop_gradient((255 - zero) * step)
    step = ops.stop_gradient(step)
    cut = ops.clip(values, low, high)
    return cut + ops.stop_gradient(ops.round(cut / step) * step - cut)


@_register
class RoundedConv2D(layers.Conv2D):  # type: ignore[misc]
    """A convolution that computes with a rounded kernel."""

    def call(self, inputs: Any) -> Any:
        """The map, before it is rounded."""
        y = ops.conv(inputs, round_kernel(self.kernel), self.strides, self.padding)
        return y + self.bias


@_register
class RoundedDense(layers.Dense):  # type: ignore[misc]
    """A dense layer that computes with a rounded kernel."""

    def call(self, inputs: Any) -> Any:
        """The values, before they are rounded."""
        return ops.matmul(inputs, round_kernel(self.kernel)) + self.bias


@_register
class Shift(layers.Layer):  # type: ignore[misc]
    """Adds a learned constant per channel, rounded as a tensor of its own."""

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the constants; named as a bias, they do not decay."""
        self.shift = self.add_weight(shape=(shape[-1],), initializer="zeros", name="bias")

    def call(self, inputs: Any) -> Any:
        """The sum, before it is rounded."""
        return inputs + round_to_range(self.shift, ops.min(self.shift), ops.max(self.shift))


@_register
class Range(layers.Layer):  # type: ignore[misc]
    """Rounds a tensor to a range: observed while training, or given and kept."""

    def __init__(self, limits: tuple[float, float] | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.given = limits
        low, high = limits or (0.0, 0.0)
        self.low = self._number(low)
        self.high = self._number(high)
        self.batches = self._number(0.0)

    def _number(self, value: float) -> Any:
        return self.add_weight(
            shape=(), initializer=keras.initializers.Constant(value), trainable=False
        )

    def get_config(self) -> dict[str, Any]:
        """What Keras stores of the layer."""
        return {**super().get_config(), "limits": self.given}

    def call(self, tensor: Any, training: bool = False) -> Any:
        """The tensor, rounded; while training, its extremes move the range."""
        if training and self.given is None:
            # The first batches count alike, later ones with the momentum.
            share = ops.maximum(1 / (self.batches + 1), 1 - MOMENTUM)
            for limit, extreme in ((self.low, ops.min(tensor)), (self.high, ops.max(tensor))):
                limit.assign(limit + share * (ops.stop_gradient(extreme) - limit))
            self.batches.assign(self.batches + 1)
        return round_to_range(tensor, self.low, self.high)


def quantize_aware(graph: Graph, limits: Limits | None = None) -> keras.Model:
    """A Keras model of a folded graph (`fold_batch_norm`) that computes as int8 does.

    Ranges in `limits` are kept; the others are observed in training.
    Raises UnsupportedLayerError for a graph with other operations than a folded one's.
    """
    values: dict[str, Any] = {}
    for node in graph.nodes.values():
        value = _layer(graph, node)([values[source] for source in node.inputs])
        if node.op == "input":
            image, value = value, Range((0.0, 1.0), name=node.name + _SUFFIX)(value)
        elif has_range(graph, node):
            known = (limits or {}).get(node.name)
            value = Range(known, name=_layer_name(node.name) + _SUFFIX)(value)
        values[node.name] = value
    model = keras.Model(image, value, name="quantize_aware")
    for node in graph.nodes.values():
        if "kernel" in node.weights:
            model.get_layer(node.name).set_weights([node.weights["kernel"], node.weights["bias"]])
        elif node.op == "affine":
            model.get_layer(node.name).set_weights([node.weights["shift"]])
    return model


def _layer(graph: Graph, node: Node) -> Callable[[list[Any]], Any]:
    """What makes a node's output of its inputs."""
    name, a = node.name, node.attributes
    layer: Any
    match node.op:
        case "input":
            return lambda _: keras.Input(graph.input_shape, name=name)
        case "conv":
            kernel = node.weights["kernel"]
            layer = RoundedConv2D(
                kernel.shape[-1], kernel.shape[:2], a["strides"], a["padding"].lower(), name=name
            )
        case "dense":
            layer = RoundedDense(node.weights["bias"].size, name=name)
        case "affine" if np.all(node.weights["scale"] == 1):
            layer = Shift(name=name)
        case "relu":
            layer = layers.ReLU(name=_layer_name(name))
        case "max_pool":
            layer = layers.MaxPooling2D(a["size"], a["strides"], a["padding"].lower(), name=name)
        case "flatten":
            layer = layers.Flatten(name=name)
        case "mean":
            layer = layers.GlobalAveragePooling2D(name=name)
        case "softmax":
            layer = layers.Softmax(name=_layer_name(name))
        case "add":
            return lambda inputs: layers.Add(name=name)(inputs)
        case _:
            raise UnsupportedLayerError(
                f"layer {name!r}",
                expected="a folded graph",
                found=f"a {node.op} that was not folded",
            )
    return lambda inputs: layer(inputs[0])


def _layer_name(node: str) -> str:
    return node.replace("/", ".")


def learned_limits(model: keras.Model, graph: Graph) -> Limits:
    """The ranges of a `quantize_aware` model, by node of `graph`."""
    names = {_layer_name(name) + _SUFFIX: name for name in graph.nodes}
    limits = {}
    for layer in model.layers:
        if isinstance(layer, Range) and graph.nodes[names[layer.name]].op != "input":
            low, high, _ = layer.get_weights()
            limits[names[layer.name]] = (float(low), float(high))
    return limits


def unfold(model: keras.Model, source: Graph, into: keras.Model) -> None:
    """Give a fresh model `into` the weights of a `quantize_aware` one.

    `source` is the graph, before folding, of the model that the fine-tuning started from;
    `into` has the same architecture.  Its batch normalisations then do no more than add
    what was left of them.  Raises UnsupportedLayerError where a bias finds no place.
    """
    trained = {layer.name: layer.get_weights() for layer in model.layers}
    unplaced: dict[str, np.ndarray] = {}
    for node in source.nodes.values():
        if "kernel" in node.weights:
            kernel, bias = trained[node.name]
            layer = into.get_layer(node.name)
            layer.set_weights([kernel, bias][: len(layer.get_weights())])
            if not layer.use_bias:
                unplaced[node.name] = bias
        elif node.op == "affine":
            channels = node.weights["shift"].size
            shift = trained[node.name][0] if node.name in trained else np.zeros(channels)
            _only_add(into.get_layer(node.name), shift + unplaced.pop(node.inputs[0], 0.0))
    if unplaced:
        raise UnsupportedLayerError(
            f"layer {next(iter(unplaced))!r}",
            expected="a bias, or a batch normalisation behind it",
            found="neither",
        )


def _only_add(norm: Any, shift: np.ndarray) -> None:
    """Let a batch normalisation add `shift` and do nothing else."""
    if norm.gamma is None or norm.beta is None:
        raise UnsupportedLayerError(
            f"layer {norm.name!r}", expected="a scale and a centre", found="one of them missing"
        )
    norm.gamma.assign(np.ones_like(shift))
    norm.beta.assign(shift)
    norm.moving_mean.assign(np.zeros_like(shift))
    norm.moving_variance.assign(np.full_like(shift, 1 - norm.epsilon))


class FineTuning:
    """A quantization-aware fine-tuning: from a trained float model to another one."""

    def __init__(self, start: str | Path, fresh: keras.Model) -> None:
        """Load the float model `start` (see `load_checkpoint`), of the architecture of `fresh`.

        `model` is then what to train.
        Raises ModelError where there is no such model, RecipeError where it differs.
        """
        try:
            # Of values as every architecture here takes them.
            self.source = from_keras(load_checkpoint(start, value_range="0..1").model)
            alike = _structure(self.source) == _structure(from_keras(fresh))
            self.graph = fold_batch_norm(self.source)
            self.model = quantize_aware(self.graph)
        except UnsupportedLayerError as error:
            raise RecipeError(
                "model.start",
                expected="a model whose batch normalisations can be folded, of plain layers only",
                found=f"{error.subject}, {error.found}",
            ) from error
        if not alike:
            raise RecipeError(
                "model.start",
                expected="a model of the recipe's architecture and options",
                found=f"{start} is of others",
            )

    def unfold(self, trained: keras.Model, into: keras.Model) -> None:
        """Give `into`, of the recipe's architecture, the trained weights."""
        unfold(trained, self.source, into)

    def write_ranges(self, trained: keras.Model, plain: keras.Model, folder: Path) -> None:
        """Write the observed ranges into the folder of `plain`, which has `trained`'s weights."""
        make_ranges(
            folder,
            plain,
            limits=learned_limits(trained, self.graph),
            origin="quantization-aware fine-tuning",
        )


def fine_tuning(recipe: Recipe, fresh: keras.Model) -> FineTuning:
    """The fine-tuning of a recipe with `quantization.aware`; `fresh` is its untrained model.

    Raises RecipeError where the training's precision is not float32 or there is nothing to
    start from, or as `FineTuning` does.
    """
    if recipe.training.precision != "float32":
        raise RecipeError(
            "training.precision",
            expected="float32 for quantization-aware fine-tuning",
            found=recipe.training.precision,
        )
    if recipe.model.start is None:
        raise RecipeError(
            "model.start",
            expected="trained weights for quantization-aware fine-tuning",
            found="nothing",
            hint="Name a shipped model, a .keras file or a run folder.",
        )
    return FineTuning(recipe.model.start, fresh)


def _structure(graph: Graph) -> list[tuple[Any, ...]]:
    return [
        (
            node.name,
            node.op,
            node.inputs,
            sorted(node.attributes.items()),
            {name: weights.shape for name, weights in node.weights.items()},
        )
        for node in graph.nodes.values()
    ]
