"""What sets the ranges of an int8 export, and the export itself.

In this order: faces that the user gives; activation ranges shipped with the model; the
bundled golden faces.  ai-edge-quantizer writes the file where it is installed and knows all
operations.  TensorFlow's own converter takes its place otherwise; it cannot be given ranges,
only faces.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.convert.integer import PACKAGE, quantizer_installed, quantizer_knows, to_integer
from fer_mobile.convert.observation import observe
from fer_mobile.convert.tflite import InputOutput, to_tflite
from fer_mobile.data import load_dataset
from fer_mobile.data.face_files import FaceFiles, middle_square
from fer_mobile.data.layouts import fer_csv, npz
from fer_mobile.detect.yunet import YuNet
from fer_mobile.errors import (
    FerMobileError,
    InputError,
    ModelError,
    PhotoError,
    UnsupportedLayerError,
)
from fer_mobile.golden import golden_faces
from fer_mobile.graph.from_keras import from_keras
from fer_mobile.graph.passes import Color, inference_graph
from fer_mobile.graph.ranges import (
    RANGES_JSON,
    Limits,
    has_range,
    make_ranges,
    model_fingerprint,
    read_ranges,
)
from fer_mobile.images import find_photos, load_photo
from fer_mobile.models import shipped_models
from fer_mobile.preprocess import resize, to_gray

FEWEST_FACES: Final = 32
"""Below this a user's faces say too little of a tensor's range."""

MOST_FACES: Final = 1000
"""Of more faces, so many are taken at equal distances; more change nothing."""

_LOOKED_AT: Final = 64
"""Images of a folder in which faces are looked for."""

_DETECTION_SIZE: Final = 192
"""Side in pixels of the images then: of FER2013's faces the detector misses 1 in 100."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What an int8 export takes its ranges from."""

    origin: str
    """In words, for whoever exports."""
    faces: np.ndarray
    """uint8 [N, S, S], reaching 0 and 255."""
    limits: Limits | None = None
    """Known ranges, which the faces are then not needed for."""


def find_calibration(
    model: str | Path | None,
    keras_model: Any,
    faces: str | Path | None = None,
    *,
    rewrite: bool = True,
) -> Calibration:
    """The calibration of `model` (as `load_checkpoint` takes it, read as `keras_model`).

    None as `model` stands for a network that nothing is shipped for.

    Raises InputError for a path `faces` without (enough) faces, ModelError for shipped
    ranges that are damaged or of other weights.
    """
    size = int(keras_model.input_shape[1])
    if faces is not None:
        own = read_faces(faces, size)
        return Calibration(f"{len(own):,} faces of {Path(faces).name}", _spread(own))
    golden = _spread(golden_faces(size))
    origin = "the bundled golden faces"
    file = _ranges_file(model)
    if file is None:
        return Calibration(origin, golden)
    if not rewrite:
        why = "the shipped ranges are those of the rewritten graph"
        return Calibration(f"{origin} ({why})", golden)
    if not quantizer_installed():
        why = f"the shipped ranges need {PACKAGE}: pip install 'fer-mobile[export]'"
        return Calibration(f"{origin} ({why})", golden)
    if not quantizer_knows(from_keras(keras_model)):
        why = f"the shipped ranges are of layers that {PACKAGE} does not know"
        return Calibration(f"{origin} ({why})", golden)
    ranges = read_ranges(file, model_fingerprint(keras_model))
    return Calibration(
        f"ranges shipped with the model, from {ranges.origin}", golden, ranges.limits
    )


def _ranges_file(model: str | Path | None) -> Path | None:
    if model is None:
        return None
    shipped = shipped_models().get(str(model))
    file = (shipped.folder if shipped else Path(model)) / RANGES_JSON
    return file if file.is_file() else None


def observe_model(keras_model: Any, faces: np.ndarray) -> Limits:
    """The activation ranges of a Keras model over faces uint8 [N, S, S]."""
    return observe(to_tflite(keras_model, "float32"), inference_graph(keras_model), faces)


def training_ranges(keras_model: Any, images: np.ndarray | FaceFiles) -> tuple[Limits, str]:
    """The activation ranges over a share of training faces uint8 [N, H, W]; their origin too."""
    size = int(keras_model.input_shape[1])
    chosen = images[np.array(_some(range(len(images))))]
    faces = np.stack([resize(image, size) for image in chosen])
    return observe_model(keras_model, _spread(faces)), f"{len(faces):,} training faces"


def keep_ranges(run: Path, images: np.ndarray | FaceFiles, report: Callable[[str], None]) -> None:
    """Write the ranges.json of a trained run, from its training faces, unless it has its own.

    What keeps it from that is reported and no error: int8 exports of the run then take the
    bundled faces.
    """
    try:
        checkpoint = load_checkpoint(run)
        if checkpoint.preprocessing:
            return  # it cannot be exported
        graph = inference_graph(checkpoint.model)
        if not quantizer_knows(graph):
            raise UnsupportedLayerError(
                checkpoint.name, expected=f"layers that {PACKAGE} knows", found="others"
            )
        if _has_ranges(run, checkpoint.model):
            return
        limits, origin = training_ranges(checkpoint.model, images)
        make_ranges(run, checkpoint.model, limits=limits, origin=origin)
    except FerMobileError as error:
        report(f"no {RANGES_JSON}, so that int8 exports take the bundled faces: {error}")
    else:
        report(f"{RANGES_JSON}: activation ranges for int8 exports, from {origin}")


def _has_ranges(run: Path, keras_model: Any) -> bool:
    """Whether a run folder has ranges of its present weights."""
    try:
        read_ranges(run / RANGES_JSON, model_fingerprint(keras_model))
    except ModelError:
        return False
    return True


def to_int8(
    keras_model: Any,
    calibration: Calibration,
    *,
    io: InputOutput = "int8",
    rewrite: bool = True,
    color: Color = "gray",
) -> bytes:
    """Convert a Keras model to a bare full-integer TFLite model; options as for `to_tflite`."""
    try:
        graph = inference_graph(keras_model, rewrite=rewrite, color=color)
    except UnsupportedLayerError:
        graph = None
    if graph is None or not quantizer_installed() or not quantizer_knows(graph):
        return to_tflite(
            keras_model,
            "int8",
            calibration=calibration.faces,
            io=io,
            rewrite=rewrite,
            color=color,
        )
    model = to_tflite(keras_model, "float32", rewrite=rewrite, color=color, raw_rgb=False)
    limits = calibration.limits or {}
    if any(has_range(graph, n) and n.name not in limits for n in graph.nodes.values()):
        limits = observe(model, graph, calibration.faces) | limits
    return to_integer(model, graph, limits, io="uint8" if color == "rgb" else io)


def read_faces(path: str | Path, size: int, option: str = "--calibrate") -> np.ndarray:
    """At most `MOST_FACES` faces of a dataset's train split or of a folder: uint8 [N, size, size].

    `path` is what `load_dataset` reads, or a folder with images of faces at any depth;
    their middle square is taken.  Raises InputError, which names `option`, for fewer than
    `FEWEST_FACES` and for a folder in most of whose images no face is found.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(option, expected="a folder or an .npz file", found=f"no {path}")
    known = [path / npz.NAME, path / fer_csv.FACES]
    if path.is_file() or any(file.is_file() for file in known):
        images = load_dataset(path, split="train").images
        faces = [resize(image, size) for image in _some(images)]
    else:
        read = (_read_square(photo) for photo in _some(find_photos(path)))
        squares = [square for square in read if square is not None]
        _check_faces(f"{option} {path}", squares)
        faces = [resize(square, size) for square in squares]
    if len(faces) < FEWEST_FACES:
        raise InputError(
            f"{option} {path}",
            expected=f"at least {FEWEST_FACES} images of faces",
            found=str(len(faces)) if faces else "none",
        )
    return np.stack(faces)


def _read_square(path: Path) -> np.ndarray | None:
    """The middle square of an image, gray; None for a file that is no image."""
    try:
        return middle_square(to_gray(load_photo(path).rgb))
    except PhotoError:
        return None


def _check_faces(subject: str, squares: list[np.ndarray]) -> None:
    """Raises InputError where the detector finds a face in few of the images, landscapes say."""
    detector = YuNet()
    looked_at = _some(squares, _LOOKED_AT)
    grays = [resize(square, _DETECTION_SIZE) for square in looked_at]
    found = sum(bool(detector.find(np.repeat(gray[..., None], 3, 2))) for gray in grays)
    if found < len(looked_at) / 2:
        raise InputError(
            subject,
            expected="images of faces, each filling its image",
            found=f"a face in {found} of {len(looked_at)} images looked at",
            hint="Cut the faces out of their photos first.",
        )


def _some(items: Any, most: int = MOST_FACES) -> list[Any]:
    """At most so many of a sequence, at equal distances."""
    count = min(len(items), most)
    return [items[i * len(items) // count] for i in range(count)]


def _spread(faces: np.ndarray) -> np.ndarray:
    """Faces stretched to full contrast, and the same mirrored as they are."""
    real = faces.astype(np.float32)
    low = real.min((1, 2), keepdims=True)
    stretched = (real - low) * (255 / np.maximum(real.max((1, 2), keepdims=True) - low, 1))
    both = np.concatenate([stretched, real[:, :, ::-1]])
    return np.floor(both + 0.5).astype(np.uint8)
