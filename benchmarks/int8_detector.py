"""Whether YuNet as a full-integer file finds what the shipped float file finds.

    FER_MOBILE_DATA=... python -m benchmarks.int8_detector

Result: benchmarks/results/int8_detector.json.

The int8 file is made here, by TensorFlow's converter, from the weights of the shipped one
(`tools.convert_yunet`), with activations observed on the bundled photos.  Centres, sizes and
landmarks are heads and outputs of their own, because one scale for all of them costs more.
Photos: the shared ones whose number of faces is certain, searched at 640 px.  Recall is
Σ min(found, counted) / Σ counted.  The distance of two boxes is that of the sides that lie
furthest apart, in pixels of the photo as it is searched.

The file would be offered with a recall within 0.5 points and all boxes within 3 px.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import cv2
import numpy as np

from benchmarks.result_files import write_row
from fer_mobile.bench.operation_costs import operation_costs
from fer_mobile.bench.photos import load_photo_set
from fer_mobile.detect.interface import DETECTION_SIDE
from fer_mobile.detect.scale import shrink
from fer_mobile.detect.yunet import STRIDES, decode, overlap, shipped_onnx, shipped_yunet
from fer_mobile.images import load_photo
from fer_mobile.quiet import quiet
from fer_mobile.runtime.interpreter import load_interpreter
from fer_mobile.runtime.tflite_model import TfliteModel
from fer_mobile.types import Box, Detection
from tools.convert_yunet import Graph, convolve
from tools.made_photos import certain_photos

MOST_RECALL_LOST: Final = 0.005
FURTHEST_PX: Final = 3.0
SAME: Final = 0.3
"""Least overlap of two boxes of one face."""

Find = Callable[[np.ndarray], list[Detection]]


class IntegerGraph(Graph):
    """YuNet's graph with an output for each kind of value."""

    def outputs(self) -> dict[str, Any]:
        import tensorflow as tf

        maps = {}
        for stride in STRIDES:
            surely = (
                tf.sigmoid(self._output(stride, "cls")),
                tf.sigmoid(self._output(stride, "obj")),
            )
            maps[f"scores_{stride}"] = tf.sqrt(surely[0] * surely[1])
            maps[f"centres_{stride}"] = self._output(stride, "bbox", slice(2))
            maps[f"sizes_{stride}"] = self._output(stride, "bbox", slice(2, 4))
            maps[f"landmarks_{stride}"] = self._output(stride, "kps")
        return maps

    def _output(self, stride: int, head: str, channels: slice = slice(None)) -> Any:
        nodes = self.head_convolutions(f"{head}_{stride}")
        tensor = self.tensor(nodes[0].input[0])
        for node in nodes:
            kernel, bias = (self.weights[name][channels] for name in node.input[1:])
            tensor = convolve(tensor, kernel, bias, depthwise=node is nodes[1])
        return tensor


def int8_file() -> bytes:
    """The int8 file."""
    import onnx

    with quiet():
        import tensorflow as tf
    graph = onnx.load(str(shipped_onnx()))
    module = tf.Module()

    @tf.function(input_signature=[tf.TensorSpec([1, 320, 320, 3], tf.float32, "image")])  # type: ignore[untyped-decorator]
    def detect(image: Any) -> dict[str, Any]:
        return IntegerGraph(graph, image).outputs()

    with tempfile.TemporaryDirectory() as folder, quiet():
        tf.saved_model.save(module, folder, signatures=detect)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = observed
        converter.inference_input_type = tf.uint8
        return bytes(converter.convert())


def observed() -> Iterator[list[np.ndarray]]:
    """The bundled photos, each on a square of 640 px: the converter takes one size."""
    for path in load_photo_set("affective-25").paths:
        rgb = searched(path)
        square = np.zeros((1, DETECTION_SIDE, DETECTION_SIDE, 3), np.float32)
        square[0, : rgb.shape[0], : rgb.shape[1]] = rgb
        yield [square]


def searched(path: Any) -> np.ndarray:
    """A photo as it is searched, with zeros to multiples of 32: uint8 [H, W, 3]."""
    rgb = shrink(load_photo(path, min_long_side=DETECTION_SIDE).rgb)
    return np.pad(rgb, ((0, -rgb.shape[0] % 32), (0, -rgb.shape[1] % 32), (0, 0)))


def finder(content: bytes) -> Find:
    """What finds faces by a file."""
    run = load_interpreter(content, threads=1).get_signature_runner()

    def find(rgb: np.ndarray) -> list[Detection]:
        outputs = run(image=rgb[None])
        for stride in STRIDES:
            parts = [f"{part}_{stride}" for part in ("centres", "sizes", "landmarks")]
            if parts[0] in outputs:
                offsets = np.concatenate([outputs[part] for part in parts], axis=-1)
                outputs[f"offsets_{stride}"] = offsets
        return decode(outputs)

    return find


def apart(one: Box, other: Box) -> float:
    """How far the sides of two boxes are apart, at most."""
    edges = [np.array([x, y, x + width, y + height]) for x, y, width, height in (one, other)]
    return float(np.abs(edges[0] - edges[1]).max())


def compare(shipped: Find, quantized: Find) -> dict[str, Any]:
    """Recall, distances of boxes and processor time of both."""
    counted, extra = 0, [0, 0]
    hit, spent = [0, 0], [0.0, 0.0]
    distances, relative = [], []
    for photo in certain_photos():
        rgb = searched(photo.path)
        counted += photo.faces
        found = []
        for number, find in enumerate((shipped, quantized)):
            started = time.process_time()
            found.append(find(rgb))
            spent[number] += time.process_time() - started
            hit[number] += min(len(found[number]), photo.faces)
            extra[number] += max(0, len(found[number]) - photo.faces)
        for face in found[0]:
            near = max(found[1], key=lambda other: overlap(face.box, other.box), default=None)
            if near and overlap(face.box, near.box) >= SAME:
                distances.append(apart(face.box, near.box))
                relative.append(distances[-1] / face.box.height)
    within = float(np.mean(np.array(distances) <= FURTHEST_PX))
    recalls = [round(each / counted, 4) for each in hit]
    lost = recalls[0] - recalls[1]
    reasons = {
        f"recall is {100 * lost:.1f} points lower": lost > MOST_RECALL_LOST,
        f"{within:.1%} of the boxes lie within {FURTHEST_PX:g} px, not all": within < 1,
    }
    against = [reason for reason, holds in reasons.items() if holds]
    return {
        "faces": counted,
        "recall": dict(zip(("float", "int8"), recalls, strict=True)),
        "false_alarms": dict(zip(("float", "int8"), extra, strict=True)),
        "faces_found_by_both": len(distances),
        "boxes_within_3_px": round(within, 4),
        "distance_px": quantiles(distances),
        "distance_over_height": quantiles(relative),
        "processor_time_ratio": round(spent[1] / spent[0], 3),
        "offered": not against,
        "why_not": "; ".join(against) or None,
    }


def quantiles(values: list[float]) -> dict[str, float]:
    names = {"median": 50, "p90": 90, "p99": 99, "max": 100}
    return {name: round(float(np.percentile(values, q)), 3) for name, q in names.items()}


def macs(content: bytes) -> dict[str, float]:
    """Millions of multiply-accumulates for a photo of 320×320, by what they are done in."""
    costs = operation_costs(TfliteModel(content))
    return {
        "integer": round(sum(cost.macs for cost in costs if cost.integer) / 1e6, 1),
        "float": round(sum(cost.macs for cost in costs if not cost.integer) / 1e6, 1),
    }


def main() -> None:
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    cv2.setNumThreads(1)
    shipped, quantized = shipped_yunet().read_bytes(), int8_file()
    write_row(
        "int8_detector",
        {
            "command": "python -m benchmarks.int8_detector",
            "protocol": "shared photos with a certain count, searched at 640 px",
            "bytes": {"float": len(shipped), "int8": len(quantized)},
            "million_macs": {"float": macs(shipped), "int8": macs(quantized)},
            **compare(finder(shipped), finder(quantized)),
        },
    )


if __name__ == "__main__":
    main()
