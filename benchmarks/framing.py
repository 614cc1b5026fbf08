"""The framing of the training faces, as the shipped detector sees it.

    FER_MOBILE_DATA=... python benchmarks/framing.py [--images N]

Every face of the valid split (48×48) is enlarged 4×, as smoothly as a photo would be, and
shown to the detector.  Box width, height and centre are stated relative to the 48-px
frame, and so is the crop rule that turns a box into the frame: a square of side
`scale · height` whose centre lies `shift_y · height` below the box's.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import cv2
import numpy as np
from rows import write_row

from fer_mobile.detect.yunet import YuNet

ENLARGED = 4
FRAME = 48
QUANTILES = (10, 25, 50, 75, 90)


def surest_boxes(images: np.ndarray) -> np.ndarray:
    """Boxes float64 [n, 4] (x, y, width, height over the frame's side) of the faces found."""
    detector = YuNet()
    side = FRAME * ENLARGED
    boxes = []
    for image in images:
        large = cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC)
        found = detector.find(cv2.cvtColor(large, cv2.COLOR_GRAY2RGB))
        if found:
            boxes.append(np.array(found[0].box) / side)
    return np.array(boxes)


def quantiles(values: np.ndarray) -> dict[str, float]:
    return {f"p{q}": round(float(np.percentile(values, q)), 4) for q in QUANTILES}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, help="only the first N of the valid split")
    limit = parser.parse_args().images
    with np.load(Path(os.environ["FER_MOBILE_DATA"]) / "fer_train_valid.npz") as data:
        images = data["images"][data["split"] == 1][:limit]
    boxes = surest_boxes(images)
    x, y, width, height = boxes.T
    scale, shift_x, shift_y = (
        1 / height,
        (0.5 - x - width / 2) / height,
        (0.5 - y - height / 2) / height,
    )
    write_row(
        "framing",
        {
            "protocol": f"valid split of fer_train_valid.npz, enlarged {ENLARGED}× (bicubic), "
            "surest face of the shipped YuNet",
            "n": len(images),
            "found": round(len(boxes) / len(images), 4),
            "box_over_frame": {
                "width": quantiles(width),
                "height": quantiles(height),
                "centre_x": quantiles(x + width / 2),
                "centre_y": quantiles(y + height / 2),
            },
            "crop_rule": {
                "scale": quantiles(scale),
                "shift_x": quantiles(shift_x),
                "shift_y": quantiles(shift_y),
            },
        },
    )


if __name__ == "__main__":
    main()
