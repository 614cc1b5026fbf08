"""The framing of the training faces, and whether the crop rule gives it.

    FER_MOBILE_DATA=... python -m benchmarks.framing [--faces 2000]

Result: benchmarks/results/framing.json and framing.png.

*Framing*: every face of the valid split (48×48), enlarged 4× as smoothly as a photo would
be, is shown to the detector.  Box and crop rule are stated relative to the 48-px frame.

*Sweep*: faces of ferplus-strict valid, drawn at random, are enlarged to frames of 100 to
280 px and laid into photos without a face, their reflection about them fading into the
photo, where the shipped detector finds them again.
Each crop rule (scale × shift_y) cuts them out for the shipped int8 model.  The rule of the
model's contract is compared with every other on the same faces: the difference in accuracy
with its 95% interval (normal, over faces).

On the same photos: boxes off by 10%, also at random; crops of about 300 px brought to 48 px
before they go to the model, also on sharp faces of the shared photos.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from matplotlib.figure import Figure

from benchmarks.intervals import paired
from benchmarks.result_files import RESULTS, write_row
from fer_mobile.data import load_dataset
from fer_mobile.detect.scale import shrink
from fer_mobile.detect.yunet import YuNet, overlap
from fer_mobile.files import replace_file
from fer_mobile.images import load_photo
from fer_mobile.metrics import score
from fer_mobile.preprocess import CropRule, crop, face_pixels, resize, to_gray
from fer_mobile.resources import photos_dir
from fer_mobile.runtime.classifier import Classifier, load_classifier
from fer_mobile.types import Box, Detection
from tools.made_photos import background, certain_photos

ENLARGED = 4
FRAME = 48
PHOTO = (640, 427)
QUANTILES = (10, 25, 50, 75, 90)
SCALES = (0.72, 0.77, 0.82, 0.87, 0.92, 0.97, 1.02, 1.07, 1.12, 1.22, 1.32)
SHIFTS = (-0.07, -0.02, 0.03, 0.08, 0.13)
SHARP = 200
"""Pixels of a sharp face's crop, at least."""


@dataclass
class Shown:
    """A face in a photo, as the detector found it."""

    rgb: np.ndarray
    face: Detection
    frame: Box
    """Where its 48-px image lies."""
    label: int


Variant = Callable[[Shown], np.ndarray]
"""What is given to the model of a face: uint8 [size, size]."""


def frame_of(rule: Sequence[float]) -> dict[str, float]:
    return {f"p{q}": round(float(np.percentile(rule, q)), 4) for q in QUANTILES}


def framing(images: np.ndarray) -> dict[str, Any]:
    """Boxes of the faces found, over the frame's side, and the rule that undoes them."""
    detector = YuNet()
    side = FRAME * ENLARGED
    boxes = []
    for image in images:
        large = cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC)
        faces = detector.find(cv2.cvtColor(large, cv2.COLOR_GRAY2RGB))
        if faces:
            boxes.append(np.array(faces[0].box) / side)
    x, y, width, height = np.array(boxes).T
    return {
        "n": len(images),
        "found": round(len(boxes) / len(images), 4),
        "box_over_frame": {
            "width": frame_of(width),
            "height": frame_of(height),
            "centre_x": frame_of(x + width / 2),
            "centre_y": frame_of(y + height / 2),
        },
        "crop_rule": {
            "scale": frame_of(1 / height),
            "shift_x": frame_of((0.5 - x - width / 2) / height),
            "shift_y": frame_of((0.5 - y - height / 2) / height),
        },
    }


def shown_faces(
    images: np.ndarray, labels: np.ndarray, detector: YuNet, turn: float = 0
) -> Iterator[Shown]:
    """The faces in photos of their own, turned by some degrees; those that are found."""
    rng = np.random.default_rng(0)
    for image, label in zip(images, labels, strict=True):
        side = int(rng.integers(100, 281))
        photo = np.array(background(PHOTO, rng).convert("L"))
        left, top = (int(rng.integers(limit - side + 1)) for limit in PHOTO)
        lay(photo, cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC), left, top)
        centre = (left + side / 2, top + side / 2)
        rgb = turned(cv2.cvtColor(photo, cv2.COLOR_GRAY2RGB), centre, turn)
        frame = Box(left, top, side, side)
        near = [face for face in detector.find(rgb) if overlap(face.box, frame) >= 0.3]
        if near:
            yield Shown(rgb, near[0], frame, int(label))


def lay(photo: np.ndarray, face: np.ndarray, left: int, top: int) -> None:
    """Put a face into a gray photo; about it, its reflection fades into the photo.

    A photo goes on beyond the frame of a training face; with a seam there, a crop that
    keeps within the frame would look better than it is.
    """
    side = len(face)
    rim = side // 3
    padded = cv2.copyMakeBorder(face, rim, rim, rim, rim, cv2.BORDER_REFLECT_101)
    fade = np.minimum(1, np.minimum(*np.indices(padded.shape)) / rim)
    fade = np.minimum(fade, fade[::-1, ::-1])
    high, wide = photo.shape
    rows = slice(max(0, top - rim), min(high, top + side + rim))
    columns = slice(max(0, left - rim), min(wide, left + side + rim))
    inner = (
        slice(rows.start - top + rim, rows.stop - top + rim),
        slice(columns.start - left + rim, columns.stop - left + rim),
    )
    share = fade[inner]
    photo[rows, columns] = (
        share * padded[inner] + (1 - share) * photo[rows, columns] + 0.5
    ).astype(np.uint8)


def turned(rgb: np.ndarray, centre: tuple[float, float], degrees: float) -> np.ndarray:
    """The photo turned about a point, against the clock."""
    if not degrees:
        return rgb
    matrix = cv2.getRotationMatrix2D(centre, degrees, 1)
    return cv2.warpAffine(
        rgb, matrix, rgb.shape[1::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )


class Evaluator:
    """The shipped model on what each variant makes of the same faces."""

    def __init__(self, classifier: Classifier) -> None:
        self.classifier = classifier
        self.rule = classifier.contract.preprocessing.crop.rule
        self.size = classifier.size

    def by_rule(self, rule: CropRule) -> Variant:
        return lambda shown: face_pixels(shown.rgb, shown.face.box, self.size, rule)

    def by_box(self, change: Callable[[Box], Box], rule: CropRule) -> Variant:
        return lambda shown: face_pixels(shown.rgb, change(shown.face.box), self.size, rule)

    def through_48(self, shown: Shown) -> np.ndarray:
        small = face_pixels(shown.rgb, shown.face.box, FRAME, self.rule)
        return resize(small, self.size)

    def probabilities(self, shown: list[Shown], variant: Variant) -> np.ndarray:
        pixels = np.stack([variant(each) for each in shown])
        return np.concatenate(
            [self.classifier.classify(pixels[i : i + 50]) for i in range(0, len(pixels), 50)]
        )

    def figures(self, shown: list[Shown], variant: Variant) -> tuple[dict[str, Any], np.ndarray]:
        """Accuracy and balanced accuracy, and which faces are right (bool [N])."""
        labels = np.array([each.label for each in shown])
        probabilities = self.probabilities(shown, variant)
        scores = score(probabilities, labels, self.classifier.labels)
        row = {
            "accuracy": round(scores.accuracy, 4),
            "balanced_accuracy": round(scores.balanced_accuracy, 4),
        }
        return row, probabilities.argmax(1) == labels

    def against(
        self, shown: list[Shown], variant: Variant, reference: np.ndarray
    ) -> dict[str, Any]:
        """The figures, and the difference in accuracy from `reference` (bool [N])."""
        row, right = self.figures(shown, variant)
        return row | difference(right, reference)


def difference(right: np.ndarray, reference: np.ndarray) -> dict[str, float]:
    """Points of accuracy more than the reference, with half of the 95% interval."""
    mean, half = paired(right, reference)
    return {"points": round(100 * mean, 2), "interval": round(100 * half, 2)}


def sweep(evaluator: Evaluator, shown: list[Shown], reference: np.ndarray) -> dict[str, Any]:
    """Every rule, and what the best one of either half of the faces gains in the other."""
    cells, rights = [], []
    for scale in SCALES:
        for shift in SHIFTS:
            row, right = evaluator.figures(shown, evaluator.by_rule(CropRule(scale, shift)))
            cells.append({"scale": scale, "shift_y": shift} | row | difference(right, reference))
            rights.append(right)
    halves = []
    for half in (slice(0, None, 2), slice(1, None, 2)):
        best = int(np.argmax([right[half].mean() for right in rights]))
        other = slice(1 - half.start, None, 2)
        halves.append(
            {"scale": cells[best]["scale"], "shift_y": cells[best]["shift_y"]}
            | difference(rights[best][other], reference[other])
        )
    return {"rules": cells, "best_of_one_half_in_the_other": halves}


def box_errors(evaluator: Evaluator, shown: list[Shown], rule: CropRule) -> dict[str, Any]:
    """Boxes that are off, against true ones under the same rule."""
    _, reference = evaluator.figures(shown, evaluator.by_rule(rule))

    def moved(box: Box, x: float = 0, y: float = 0, grow: float = 1) -> Box:
        width, height = grow * box.width, grow * box.height
        return Box(
            box.x + x * box.width + (box.width - width) / 2,
            box.y + y * box.height + (box.height - height) / 2,
            width,
            height,
        )

    rng = np.random.default_rng(1)
    changes: dict[str, Callable[[Box], Box]] = {
        "10% smaller": lambda box: moved(box, grow=0.9),
        "10% larger": lambda box: moved(box, grow=1.1),
        "10% to the left": lambda box: moved(box, x=-0.1),
        "10% to the right": lambda box: moved(box, x=0.1),
        "10% up": lambda box: moved(box, y=-0.1),
        "10% down": lambda box: moved(box, y=0.1),
        "each at random within ±10%": lambda box: moved(
            box, rng.uniform(-0.1, 0.1), rng.uniform(-0.1, 0.1), rng.uniform(0.9, 1.1)
        ),
    }
    return {
        name: evaluator.against(shown, evaluator.by_box(change, rule), reference)
        for name, change in changes.items()
    }


def sharp_faces(evaluator: Evaluator, detector: YuNet) -> dict[str, Any]:
    """Sharp faces of the shared and the bundled photos, as they are and through 48 px."""
    shown, stated = [], []
    for photo in certain_photos() + certain_photos(photos_dir()):
        rgb = load_photo(photo.path).rgb
        for face in detector.find(rgb) if photo.faces == 1 and max(rgb.shape) <= 2000 else []:
            if face.box.height >= SHARP:
                shown.append(Shown(rgb, face, face.box, 0))
                stated.append(photo.expression)
    ways = {"as_they_are": evaluator.by_rule(evaluator.rule), "through_48_px": evaluator.through_48}
    predictions = {name: evaluator.probabilities(shown, way) for name, way in ways.items()}
    one, other = predictions.values()
    labels = evaluator.classifier.labels
    known = [index for index, label in enumerate(stated) if label]
    return {
        "faces": len(shown),
        "same_label": int((one.argmax(1) == other.argmax(1)).sum()),
        "mean_largest_difference": round(float(np.abs(one - other).max(1).mean()), 4),
        "with_a_stated_expression": len(known),
        "right": {
            name: sum(labels[rows[index].argmax()] == stated[index] for index in known)
            for name, rows in predictions.items()
        },
    }


def bundled(evaluator: Evaluator, detector: YuNet) -> dict[str, Any]:
    """Bundled photos of one face with a stated expression: how many are right."""
    shown = []
    for photo in certain_photos(photos_dir()):
        rgb = load_photo(photo.path).rgb
        if photo.expression and (faces := detector.find(shrink(rgb))):
            face = faces[0].scaled(max(rgb.shape) / max(shrink(rgb).shape))
            label = evaluator.classifier.labels.index(photo.expression)
            shown.append(Shown(rgb, face, face.box, label))
    return {
        "photos": len(shown),
        "right": {
            named(evaluator.rule): int(
                evaluator.figures(shown, evaluator.by_rule(evaluator.rule))[1].sum()
            )
        },
    }


def named(rule: CropRule) -> str:
    return f"{rule.scale} {rule.shift_y}"


def draw(row: dict[str, Any]) -> None:
    """The sweep as a picture: points of accuracy against the shipped rule."""
    grid = {(cell["scale"], cell["shift_y"]): cell["points"] for cell in row["sweep"]["rules"]}
    values = np.array([[grid[scale, shift] for scale in SCALES] for shift in SHIFTS])
    figure = Figure(figsize=(7, 3), layout="constrained")
    axis = figure.subplots()
    drawn = axis.imshow(values, cmap="viridis", aspect="auto", vmin=-10, vmax=1)
    axis.set_xticks(range(len(SCALES)), map(str, SCALES))
    axis.set_yticks(range(len(SHIFTS)), map(str, SHIFTS))
    axis.set_xlabel("side of the crop over the box's height")
    axis.set_ylabel("shift down, over height")
    for y, line in enumerate(values):
        for x, value in enumerate(line):
            axis.text(x, y, f"{value:+.1f}", ha="center", va="center", fontsize=8,
                      color="black" if value > -4 else "white")  # fmt: skip
    rule = named(CropRule(**row["rule"]))
    axis.set_title(f"points of accuracy against {rule}, {row['faces']} faces", fontsize=10)
    figure.colorbar(drawn)
    replace_file(RESULTS / "framing.png", lambda part: figure.savefig(part, dpi=80))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", type=int, default=2000, help="of the sweep")
    count = parser.parse_args().faces
    cv2.setNumThreads(1)
    valid = load_dataset(split="valid")
    chosen = np.random.default_rng(0).permutation(len(valid))[:count]
    images, labels = valid.images[chosen], valid.labels[chosen]
    detector, evaluator = YuNet(), Evaluator(load_classifier("xcao_two_stream"))
    shown = list(shown_faces(images, labels, detector))
    shipped, right = evaluator.figures(shown, evaluator.by_rule(evaluator.rule))
    frame = evaluator.against(
        shown,
        lambda each: resize(to_gray(crop(each.rgb, *map(int, each.frame[:3]))), evaluator.size),
        right,
    )
    shipped_scores = score(
        evaluator.probabilities(shown, evaluator.by_rule(evaluator.rule)),
        np.array([each.label for each in shown]),
        evaluator.classifier.labels,
    )
    large = [each for each in shown if each.frame.width >= SHARP]
    large_row, large_right = evaluator.figures(large, evaluator.by_rule(evaluator.rule))
    row = {
        "protocol": f"ferplus-strict valid, {count} faces at random (seed 0), enlarged to 100 to "
        "280 px (bicubic) in photos without a face; points: accuracy less that of the shipped "
        "rule on the same faces, interval: half of 95%",
        "model": f"{evaluator.classifier.contract.name} {evaluator.classifier.contract.precision} "
        f"{evaluator.classifier.sha256[:12]}",
        "rule": {"scale": evaluator.rule.scale, "shift_y": evaluator.rule.shift_y},
        "faces": len(shown),
        "found": round(len(shown) / count, 4),
        "shipped_rule": shipped
        | {"recall": shipped_scores.recall, "counts": shipped_scores.counts},
        "the_48_px_frame_itself": frame,
        "sweep": sweep(evaluator, shown, right),
        "box_error": {named(evaluator.rule): box_errors(evaluator, shown, evaluator.rule)},
        "bundled_photos": bundled(evaluator, detector),
        "through_48_px": {
            "valid_faces_of_200_px_and_more": {"faces": len(large), "as_they_are": large_row}
            | {"through_48_px": evaluator.against(large, evaluator.through_48, large_right)},
            "sharp_shared_faces": sharp_faces(evaluator, detector),
        },
        "framing": framing(np.asarray(load_dataset(protocol="fer2013", split="valid").images)),
    }
    draw(row)
    write_row("framing", row)


if __name__ == "__main__":
    main()
