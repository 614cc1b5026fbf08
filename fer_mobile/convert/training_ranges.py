"""The activation ranges that a trained run is exported to int8 with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fer_mobile.arrays import Pixels
from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.convert.calibration_faces import FEWEST_FACES, spread_over, vary_contrast
from fer_mobile.convert.observation import observe_network
from fer_mobile.convert.quantize import PACKAGE, quantizer_knows
from fer_mobile.data.face_files import FaceFiles
from fer_mobile.errors import FerMobileError, ModelError, UnsupportedLayerError
from fer_mobile.golden import golden_faces
from fer_mobile.graph.network import read_network
from fer_mobile.graph.ranges import (
    RANGES_JSON,
    Limits,
    make_ranges,
    model_fingerprint,
    read_ranges,
)
from fer_mobile.preprocess import resize
from fer_mobile.training.finishing import FINISHING_STEPS

if TYPE_CHECKING:
    import keras


def training_ranges(model: keras.Model, images: Pixels | FaceFiles) -> tuple[Limits, str]:
    """The activation ranges over a share of training faces uint8 [N, H, W]; their origin too.

    A few training faces are joined by the bundled ones: alone they would make narrow ranges.
    """
    network = read_network(model)
    chosen = images[np.array(spread_over(range(len(images))))]
    faces = np.stack([resize(image, network.size) for image in chosen])
    origin = f"{len(faces):,} training faces"
    if len(faces) < FEWEST_FACES:
        bundled = golden_faces(network.size)
        faces = np.concatenate([faces, bundled])
        origin += f" and {len(bundled)} bundled ones"
    return observe_network(network, vary_contrast(faces)), origin


def keep_ranges(run: Path, images: Pixels | FaceFiles, report: Callable[[str], None]) -> None:
    """Write the ranges.json of a trained run, from its training faces, unless it has its own.

    What keeps it from that is reported and no error: int8 exports of the run then take the
    bundled faces.
    """
    try:
        checkpoint = load_checkpoint(run)
        if checkpoint.preprocessing:
            return  # it cannot be exported
        if not quantizer_knows(read_network(checkpoint.model).require_graph()):
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


FINISHING_STEPS.register(
    "activation ranges", lambda run, learn, report: keep_ranges(run, learn.images, report)
)


def _has_ranges(run: Path, model: keras.Model) -> bool:
    """Whether a run folder has ranges of its present weights."""
    try:
        read_ranges(run / RANGES_JSON, model_fingerprint(model))
    except ModelError:
        return False
    return True
