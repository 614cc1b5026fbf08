"""Understanding a model: what its predictions rest on, and where it errs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_mobile.arrays import Pixels
from fer_mobile.data.face_files import middle_square
from fer_mobile.detect import load_detector
from fer_mobile.errors import MissingPackageError, PhotoError, check_choice
from fer_mobile.explain.saliency import METHODS, gradient, occlusion
from fer_mobile.images import Photo, PhotoSource, load_photo
from fer_mobile.labels import ALIASES, SYNONYMS
from fer_mobile.models import DEFAULT, shipped_models
from fer_mobile.predictor import Predictor, load_network, load_predictor
from fer_mobile.preprocess import crop, resize_face, to_gray
from fer_mobile.types import Box, Detection, ExplainMethod, ValueRange
from fer_mobile.zoo import ARCHITECTURES


@dataclass(frozen=True, slots=True)
class Explanation:
    """One face, a model's prediction for it, and what that rests on."""

    box: Box
    """In pixels of the upright photo."""
    pixels: Pixels
    """The model's input: uint8 [S, S]."""
    probabilities: dict[str, float]
    label: str
    """The one explained."""
    saliency: NDArray[np.float32]
    """float32 [S, S], see `explain.saliency`."""
    method: ExplainMethod = "occlusion"
    """What `saliency` was made by."""

    def as_dict(self) -> dict[str, object]:
        """The explanation as `fer-mobile explain --json` prints it."""
        return {
            "box": list(self.box),
            "label": self.label,
            "probabilities": self.probabilities,
            "saliency": np.round(self.saliency.astype(float), 5).tolist(),
        }

    def _repr_png_(self) -> bytes | None:
        """The explanation as a notebook shows it; None without Matplotlib (extra `chart`)."""
        from fer_mobile.explain.picture import picture_bytes

        try:
            return picture_bytes([self], title=self.method)
        except MissingPackageError:
            return None


def explain(
    image: PhotoSource,
    model: str | Path = DEFAULT,
    *,
    method: ExplainMethod = "occlusion",
    label: str | None = None,
    whole: bool = False,
    labels: Sequence[str] | None = None,
    value_range: ValueRange | None = None,
) -> list[Explanation]:
    """Which parts of the faces in a photo a model's predictions rest on, the largest face first.

    Args:
        image: a photo, as for `images.load_photo`.
        model: a shipped name, a `.tflite` or `.keras` file, a run folder or, with random
            weights, an architecture's name.
        method: "occlusion", for which a shipped name means its float16 file, or "gradient", for
            which it means its float weights (see `explain.saliency`).
        label: the label to explain; by default each face's most probable one.
        whole: the middle square of the image is the face; nothing is detected.
        labels: of a `.keras` file, which has none: a name for each output, in their order.
        value_range: of a `.keras` file that does not say it: what its input's values stand for.

    Raises:
        PhotoError: the image cannot be read, or no face is found in it.
        ModelError: the model cannot be used.
        InputError: an unknown method or label.
    """
    check_choice("method", method, METHODS)
    predictor = _predictor(model, method, labels, value_range)
    if label is not None:
        check_choice("label", label, predictor.labels, aliases=ALIASES | SYNONYMS)
    return [
        _explained(predictor, box, pixels, method, label)
        for box, pixels in _faces(image, predictor, whole)
    ]


def _predictor(
    model: str | Path,
    method: ExplainMethod,
    labels: Sequence[str] | None,
    value_range: ValueRange | None,
) -> Predictor:
    shipped = shipped_models(copies=True).get(str(model))
    untrained = shipped is None and str(model) in ARCHITECTURES
    if untrained or (shipped and method == "gradient"):
        return load_network(model, labels, value_range)
    # The most confident predictions of an int8 file are exactly 1, whatever is hidden.
    file = shipped.files.get("float16", model) if shipped else model
    return load_predictor(file, labels=labels, value_range=value_range)


def _faces(image: PhotoSource, predictor: Predictor, whole: bool) -> list[tuple[Box, Pixels]]:
    """Box and prepared pixels of each face, the largest first."""
    photo = load_photo(image)
    if whole:
        width, height = photo.size
        side = min(width, height)
        box = Box((width - side) // 2, (height - side) // 2, side, side)
        grays = {box: middle_square(to_gray(photo.rgb))}
    else:
        found = load_detector("yunet").detect(photo)
        found.sort(key=lambda face: -face.box.width * face.box.height)
        grays = {face.box: _gray(photo, face, predictor) for face in found}
    if not grays:
        raise PhotoError(
            photo.path or "the photo",
            expected="a face",
            found="none",
            hint="If the image is a face already, use `whole=True`.",
        )
    return [(box, predictor.prepare(gray[None])[0]) for box, gray in grays.items()]


def _gray(photo: Photo, face: Detection, predictor: Predictor) -> Pixels:
    """The gray square of a face; one that is levelled has the model's size already."""
    direction = predictor.levelling.direction(face) if predictor.levelling else None
    gray = to_gray(crop(photo.rgb, *predictor.crop.square(face.box, direction)))
    return gray if direction is None else resize_face(gray, predictor.size, direction)


def _explained(
    predictor: Predictor, box: Box, pixels: Pixels, method: ExplainMethod, label: str | None
) -> Explanation:
    row = predictor.classify(pixels[None])[0]
    index = int(row.argmax()) if label is None else predictor.labels.index(label)
    saliency = {"occlusion": occlusion, "gradient": gradient}[method](predictor, pixels, index)
    probabilities = dict(zip(predictor.labels, row.tolist(), strict=True))
    return Explanation(box, pixels, probabilities, predictor.labels[index], saliency, method)
