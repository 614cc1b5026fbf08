"""Understanding a model: what its answers rest on, and where it errs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fer_mobile.data.face_files import middle_square
from fer_mobile.detect import load_detector
from fer_mobile.errors import InputError, PhotoError, nearest
from fer_mobile.explain.saliency import METHODS, gradient, occlusion
from fer_mobile.images import load_photo
from fer_mobile.models import DEFAULT, shipped_models
from fer_mobile.predictor import Predictor, load_network, load_predictor
from fer_mobile.preprocess import crop, to_gray
from fer_mobile.types import Box
from fer_mobile.zoo import ARCHITECTURES


@dataclass(frozen=True, slots=True)
class Explanation:
    """One face, what a model says of it, and what that rests on."""

    box: Box
    """In pixels of the upright photo."""
    pixels: np.ndarray
    """What the model was given: uint8 [S, S]."""
    probabilities: dict[str, float]
    label: str
    """The one explained."""
    saliency: np.ndarray
    """float32 [S, S], see `explain.saliency`."""

    def as_dict(self) -> dict[str, Any]:
        """The explanation as `fer-mobile explain --json` prints it."""
        return {
            "box": list(self.box),
            "label": self.label,
            "probabilities": self.probabilities,
            "saliency": np.round(self.saliency, 5).tolist(),
        }


def explain(
    image: str | Path | np.ndarray,
    model: str | Path = DEFAULT,
    *,
    method: str = "occlusion",
    label: str | None = None,
    whole: bool = False,
) -> list[Explanation]:
    """What a model's answers for the faces of a photo rest on, a face an entry.

    `model` is a shipped name, a `.tflite` or `.keras` file, a run folder or, with random
    weights, an architecture's name.  `method` is "occlusion" (which takes a shipped model's
    float16 file) or "gradient" (which takes its float weights); `label` is the one to
    explain, by default each face's most probable one.  With `whole` the middle square of the
    image is a face, which is not looked for.

    Raises PhotoError for a photo that cannot be read, ModelError for a model that cannot be
    used, InputError for an unknown method or label or where no face is found.
    """
    if method not in METHODS:
        raise InputError(
            "method",
            expected=" or ".join(METHODS),
            found=repr(method),
            hint=nearest(method, METHODS),
        )
    predictor = _predictor(model, method)
    if label is not None and label not in predictor.labels:
        raise InputError(
            "label",
            expected=f"one of {', '.join(predictor.labels)}",
            found=repr(label),
            hint=nearest(label, predictor.labels),
        )
    return [_explained(predictor, box, pixels, method, label)
            for box, pixels in _faces(image, predictor, whole)]  # fmt: skip


def _predictor(model: str | Path, method: str) -> Predictor:
    shipped = shipped_models(copies=True).get(str(model))
    if shipped is None:
        return (load_network if str(model) in ARCHITECTURES else load_predictor)(model)
    if method == "gradient":
        return load_network(model)
    # An int8 file's sure answers are exactly 1, whatever is hidden.
    return load_predictor(shipped.files.get("float16", model))


def _faces(
    image: str | Path | np.ndarray, predictor: Predictor, whole: bool
) -> list[tuple[Box, np.ndarray]]:
    """Box and prepared pixels of each face, the largest first."""
    photo = load_photo(image)
    if whole:
        width, height = photo.size
        side = min(width, height)
        box = Box((width - side) // 2, (height - side) // 2, side, side)
        grays = {box: middle_square(to_gray(photo.rgb))}
    else:
        found = [face.box for face in load_detector("yunet").detect(photo)]
        found.sort(key=lambda box: -box.width * box.height)
        grays = {box: to_gray(crop(photo.rgb, *predictor.crop.square(box))) for box in found}
    if not grays:
        raise PhotoError(
            photo.path or "image",
            expected="a face",
            found="none",
            hint="If the image is a face already, give --whole.",
        )
    return [(box, predictor.prepare(gray[None])[0]) for box, gray in grays.items()]


def _explained(
    predictor: Predictor, box: Box, pixels: np.ndarray, method: str, label: str | None
) -> Explanation:
    answer = predictor.classify(pixels[None])[0]
    index = int(answer.argmax()) if label is None else predictor.labels.index(label)
    find = {"occlusion": occlusion, "gradient": gradient}[method]
    probabilities = dict(zip(predictor.labels, answer.tolist(), strict=True))
    saliency = find(predictor, pixels, index)
    return Explanation(box, pixels, probabilities, predictor.labels[index], saliency)
