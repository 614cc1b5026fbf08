"""A trial of a file: a damaged graph, or labels in another order, still run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fer_mobile.errors import ModelError
from fer_mobile.golden import golden_faces

if TYPE_CHECKING:
    from fer_mobile.runtime.classifier import Classifier

FACES: Final = (0, 12, 25, 64)
"""Of the golden ones: two that are happy and two that are neutral, clearly."""

_MOST_OFF: Final = 0.5
"""Largest difference of a probability; the shipped int8 files have 0.01 at most."""


def try_out(classifier: Classifier) -> None:
    """Show a classifier a few of the faces whose reference outputs its file holds.

    It takes some milliseconds, so that all that use a file can do it; `convert.verify` compares
    the rest, and far more closely.  A file without reference outputs passes.  Raises ModelError
    where it gives something else.
    """
    expected = classifier.contract.reference_outputs
    faces = [face for face in FACES if face < len(expected)]
    if not faces:
        return
    shown = golden_faces(classifier.size, faces)
    outputs = np.concatenate([classifier.classify(face[None]) for face in shown])
    difference = np.abs(outputs - expected[faces]).max()
    if not difference <= _MOST_OFF:
        raise ModelError(
            classifier.path,
            expected=f"what its float model gave for {len(faces)} faces, which the file holds",
            found=f"probabilities that are off by up to {difference:.2f}",
            hint="The file was changed or damaged; `verify()` says more.",
        )
