"""An exported classifier: gray pixels in, probabilities out, on whichever runtime is installed."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_mobile.arrays import Pixels, Probabilities
from fer_mobile.contract import Tensor, check_tensor, describe_tensor
from fer_mobile.errors import InputError, ModelError
from fer_mobile.model_file import read_model, split
from fer_mobile.models import tflite_file
from fer_mobile.preprocess import REAL_VALUES, Normalisation, normalise
from fer_mobile.runtime.interpreter import first_line, load_interpreter, runtime_name
from fer_mobile.runtime.trial import try_out


class Classifier:
    """A ``.tflite`` file with its contract, ready to run.

    Threads may share it; they take turns.  Pickled, it is the path, and the file is read again.

    Args:
        path: the file.
        threads: threads that the runtime may use.
        content: of the file, where it is known; the file is not read then, and need not be.

    Raises ModelError where the file cannot be read, has no contract, contradicts it, or holds a
    graph that does not run.
    """

    def __init__(self, path: Path, threads: int = 1, *, content: bytes | None = None) -> None:
        if content is None:
            content = read_model(path)
        self.path = path
        self.bare, self.contract = split(content, path)
        """The model without what follows it, as the runtime gets it; and what that says."""
        self.sha256 = hashlib.sha256(content).hexdigest()
        self._interpreter = load_interpreter(self.bare, threads=threads, name=path)
        self._input = self._interpreter.get_input_details()[0]
        self._output = self._interpreter.get_output_details()[0]
        for role, stated, detail in (
            ("input", self.contract.input, self._input),
            ("output", self.contract.output, self._output),
        ):
            _check_detail(role, stated, detail, path)
        self._batch = 1
        # What one thread has put into an interpreter another one must not overwrite.
        self._lock = Lock()
        self._threads = threads

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.path, self._threads)

    @property
    def _normalisation(self) -> Normalisation:
        return self.contract.preprocessing.normalisation

    @property
    def size(self) -> int:
        """Height and width of the input in pixels."""
        return self.contract.input.shape[1]

    @property
    def labels(self) -> tuple[str, ...]:
        """The vocabulary, in the order of the output."""
        return self.contract.labels

    def classify(self, pixels: Pixels) -> Probabilities:
        """Probabilities float32 [N, len(labels)] of gray faces uint8 [N, size, size].

        A model with an RGB input gets the gray in all three channels, whose luma it is.
        Raises ModelError where the runtime cannot run the graph.
        """
        if pixels.dtype != np.uint8 or pixels.shape[1:] != (self.size, self.size):
            raise InputError(
                "pixels",
                expected=f"uint8 [N, {self.size}, {self.size}]",
                found=f"{pixels.dtype} {list(pixels.shape)}",
            )
        if not len(pixels):
            return np.empty((0, len(self.labels)), np.float32)
        try:
            with self._lock:
                outputs = self._run(pixels)
        except (RuntimeError, ValueError) as error:
            raise ModelError(
                self.path,
                expected=f"a graph that runs on {len(pixels)} faces",
                found=f"{runtime_name()} says {first_line(error)!r}",
            ) from error
        if outputs.shape != (len(pixels), len(self.labels)):
            raise ModelError(
                self.path,
                expected=f"outputs {[len(pixels), len(self.labels)]} for {len(pixels)} faces",
                found=str(list(outputs.shape)),
            )
        return self.probabilities(outputs)

    def probabilities(self, outputs: NDArray[Any]) -> Probabilities:
        """Probabilities float32 [N, len(labels)] of the graph's outputs for N faces."""
        values = self._dequantize(outputs)
        return softmax(values) if self.contract.output_values == "logits" else values

    def _run(self, pixels: Pixels) -> NDArray[Any]:
        if len(pixels) != self._batch:
            self._batch = 0  # unknown until the runtime has made room for it
            self._interpreter.resize_tensor_input(
                self._input["index"], [len(pixels), *self.contract.input.shape[1:]]
            )
            self._interpreter.allocate_tensors()
            self._batch = len(pixels)
        self._interpreter.set_tensor(self._input["index"], self.prepare(pixels))
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._output["index"])

    def prepare(self, pixels: Pixels) -> NDArray[Any]:
        """What the graph's input takes for gray faces uint8 [N, size, size]: [N, size, size, C]."""
        values = self._quantize(pixels)[..., None]
        channels = self.contract.input.shape[-1]
        return values if channels == 1 else np.repeat(values, channels, -1)

    def _quantize(self, pixels: Pixels) -> NDArray[Any]:
        if self._levels is not None:
            return self._levels.take(pixels)
        uint8 = self.contract.input.dtype == "uint8"
        return pixels if uint8 else normalise(pixels, self._normalisation)

    @cached_property
    def _levels(self) -> NDArray[Any] | None:
        """What a quantized input takes for each of the 256 gray levels."""
        tensor = self.contract.input
        if tensor.scale is None or tensor.zero_point is None:
            return None
        limits = np.iinfo(tensor.dtype)
        real = REAL_VALUES[self._normalisation]
        levels = np.floor(real / tensor.scale + 0.5) + tensor.zero_point
        return np.asarray(np.clip(levels, limits.min, limits.max), tensor.dtype)

    def _dequantize(self, values: NDArray[Any]) -> Probabilities:
        tensor = self.contract.output
        if tensor.scale is None or tensor.zero_point is None:
            return values.astype(np.float32)
        levels = values.astype(np.int32) - tensor.zero_point
        return levels.astype(np.float32) * np.float32(tensor.scale)


def _check_detail(role: str, stated: Tensor, detail: dict[str, Any], path: Path) -> None:
    """Raise ModelError where the contract contradicts what the interpreter says of a tensor."""
    dtype = np.dtype(detail["dtype"]).name
    scale, zero_point = detail["quantization"]
    try:
        actual = describe_tensor(
            detail["name"], detail["shape"], dtype, float(scale), int(zero_point)
        )
    except ValueError as error:
        raise ModelError(
            path,
            expected=f"the contract's {role} {stated.dtype} {list(stated.shape)}",
            found=f"{dtype} {list(detail['shape'])} in the graph",
        ) from error
    check_tensor(role, stated, actual, path)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities float32 [N, C] of logits [N, C]."""
    exponents = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
    probabilities: np.ndarray = (exponents / exponents.sum(1, keepdims=True)).astype(np.float32)
    return probabilities


def load_classifier(model: str | Path, threads: int = 1) -> Classifier:
    """A classifier by shipped name (its int8 file) or path of a ``.tflite`` file.

    Raises ModelError when there is no such model, its contract cannot be trusted, or it gives
    others than its reference outputs for a few faces (see `trial`).
    """
    classifier = Classifier(tflite_file(model), threads)
    try_out(classifier)
    return classifier
