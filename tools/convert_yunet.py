"""Makes the shipped face detector: YuNet's ONNX file as one TFLite file for every photo size.

    python -m tools.convert_yunet [ONNX [TFLITE]]

The ONNX file is OpenCV Zoo's `face_detection_yunet_2023mar.onnx` (`SOURCE_SHA256`); it lies
beside the TFLite file in `models/yunet/`.  The weights stay as they are; the graph around
them is laid out anew:

* the input is what a photo is, RGB bytes: the first convolution's channels are swapped;
* no tensor's size is a constant of the graph, so that `resize_tensor_input` serves every
  size in multiples of 32: nearest-neighbour enlargement is four copies of the channels
  and a depth-to-space, and the heads stay maps;
* the four heads of a scale (class, objectness, box, landmarks) are one convolution pair,
  and the score, √(class · objectness), is taken in the graph.

Input and outputs are described in `fer_mobile.detect.yunet`.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np

from fer_mobile.detect.yunet import STRIDES, shipped_onnx, shipped_yunet
from fer_mobile.errors import InputError, MissingPackageError
from fer_mobile.files import replace_file
from fer_mobile.quiet import quiet

SOURCE_SHA256: Final = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
"""Of `face_detection_yunet_2023mar.onnx`, 232,589 bytes."""

_HEADS: Final = ("cls", "obj", "bbox", "kps")
_NOMINAL_SIDE: Final = 320
"""Height and width the file has before it is resized."""


def convert_yunet(onnx_file: Path) -> bytes:
    """The TFLite file of YuNet's ONNX file.

    Raises:
        InputError: the file is not the YuNet that this conversion was verified with.
        MissingPackageError: TensorFlow or onnx is not installed.
    """
    content = onnx_file.read_bytes()
    checksum = hashlib.sha256(content).hexdigest()
    if checksum != SOURCE_SHA256:
        raise InputError(onnx_file, expected=f"sha256 {SOURCE_SHA256}", found=f"sha256 {checksum}")
    try:
        import onnx

        with quiet():
            import tensorflow as tf
    except ImportError as error:
        package = error.name or "tensorflow"
        extra = "onnx" if package == "onnx" else "train"
        raise MissingPackageError("converting YuNet", package=package, extra=extra) from error

    module = tf.Module()
    size = [1, _NOMINAL_SIDE, _NOMINAL_SIDE, 3]

    @tf.function(input_signature=[tf.TensorSpec(size, tf.uint8, "image")])  # type: ignore[untyped-decorator]
    def detect(image: Any) -> dict[str, Any]:
        graph = Graph(onnx.load_model_from_string(content), tf.cast(image, tf.float32))
        return graph.outputs()

    with tempfile.TemporaryDirectory() as folder, quiet():
        tf.saved_model.save(module, folder, signatures=detect)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        return bytes(converter.convert())


class Graph:
    """Builds TensorFlow tensors (N×H×W×C) for the nodes of YuNet's ONNX graph (N×C×H×W)."""

    def __init__(self, model: Any, image: Any) -> None:
        from onnx.numpy_helper import to_array

        graph = model.graph
        self.weights = {value.name: to_array(value) for value in graph.initializer}
        self.producers = {name: node for node in graph.node for name in node.output}
        self.image = graph.input[0].name
        self.tensors = {self.image: image}

    def outputs(self) -> dict[str, Any]:
        """The maps `scores_S` and `offsets_S` for every stride S."""
        import tensorflow as tf

        maps = {}
        for stride in STRIDES:
            head = self._head(stride)
            probabilities = tf.sigmoid(head[..., :2])
            maps[f"scores_{stride}"] = tf.sqrt(probabilities[..., :1] * probabilities[..., 1:])
            maps[f"offsets_{stride}"] = head[..., 2:]
        return maps

    def _head(self, stride: int) -> Any:
        """The scale's heads side by side: 1 class, 1 objectness, 4 box and 10 landmark channels."""
        pairs = [self.head_convolutions(f"{head}_{stride}") for head in _HEADS]
        (features,) = {pointwise.input[0] for pointwise, _ in pairs}
        tensor = self.tensor(features)
        for nodes in zip(*pairs, strict=True):
            kernel, bias = (
                np.concatenate([self.weights[node.input[i]] for node in nodes]) for i in (1, 2)
            )
            tensor = convolve(tensor, kernel, bias, depthwise=kernel.shape[1] == 1)
        return tensor

    def head_convolutions(self, output: str) -> tuple[Any, Any]:
        """The 1×1 and the depthwise 3×3 convolution that a head ends in."""
        node = self.producers[output]
        while node.op_type != "Conv":  # sigmoid, reshape and transpose
            node = self.producers[node.input[0]]
        return self.producers[node.input[0]], node

    def tensor(self, name: str) -> Any:
        """The tensor that the graph calls so."""
        if name not in self.tensors:
            self.tensors[name] = self._apply(self.producers[name])
        return self.tensors[name]

    def _apply(self, node: Any) -> Any:
        import tensorflow as tf

        first = self.tensor(node.input[0])
        match node.op_type:
            case "Conv":
                kernel, bias = (self.weights[name] for name in node.input[1:])
                if node.input[0] == self.image:  # trained on BGR
                    kernel = kernel[:, ::-1]
                attributes = {attribute.name: attribute for attribute in node.attribute}
                return convolve(
                    first,
                    kernel,
                    bias,
                    depthwise=attributes["group"].i > 1,
                    stride=attributes["strides"].ints[0],
                )
            case "Relu":
                return tf.nn.relu(first)
            case "MaxPool":
                return tf.nn.max_pool2d(first, 2, 2, "VALID")
            case "Add":
                return first + self.tensor(node.input[1])
            case "Resize":
                return tf.nn.depth_to_space(tf.concat([first] * 4, axis=-1), 2)
        raise NotImplementedError(node.op_type)


def convolve(
    tensor: Any, kernel: np.ndarray, bias: np.ndarray, *, depthwise: bool, stride: int = 1
) -> Any:
    """A convolution with a kernel in ONNX's order (out×in×H×W) and a padding of half the kernel."""
    import tensorflow as tf

    padding = "SAME"
    if stride == 2:  # SAME would pad an even size at the bottom and right only, ONNX pads the top
        tensor, padding = tf.pad(tensor, [[0, 0], [1, 0], [1, 0], [0, 0]]), "VALID"
    if depthwise:
        result = tf.nn.depthwise_conv2d(tensor, kernel.transpose(2, 3, 0, 1), [1, 1, 1, 1], padding)
    else:
        result = tf.nn.conv2d(tensor, kernel.transpose(2, 3, 1, 0), stride, padding)
    return tf.nn.bias_add(result, bias)


def main() -> None:
    """Convert the ONNX file that the command line names."""
    parser = argparse.ArgumentParser(description="Convert YuNet's ONNX file to TFLite.")
    parser.add_argument("onnx", type=Path, nargs="?", default=shipped_onnx())
    parser.add_argument("tflite", type=Path, nargs="?", default=shipped_yunet())
    paths = parser.parse_args()
    content = convert_yunet(paths.onnx)
    replace_file(paths.tflite, lambda part: part.write_bytes(content))
    print(f"{paths.tflite}: {len(content):,} bytes, sha256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
