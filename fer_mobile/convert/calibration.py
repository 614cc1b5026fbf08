"""What sets the ranges of an int8 export.

In this order: faces that the user gives; activation ranges that come with the model; the
bundled golden faces.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fer_mobile.arrays import Pixels
from fer_mobile.convert.calibration_faces import read_faces, vary_contrast
from fer_mobile.convert.quantize import PACKAGE, quantizer_installed, quantizer_knows
from fer_mobile.golden import golden_faces
from fer_mobile.graph.network import Network
from fer_mobile.graph.ranges import RANGES_JSON, Limits, fingerprint, read_ranges
from fer_mobile.models import CHECKPOINT_JSON


@dataclass(frozen=True, slots=True)
class Calibration:
    """What an int8 export takes its ranges from."""

    origin: str
    """In words, for whoever exports."""
    faces: Pixels
    """uint8 [N, S, S], reaching 0 and 255."""
    limits: Limits | None = None
    """Known ranges, which the faces are then not needed for."""


def find_calibration(
    network: Network, folder: Path | None = None, faces: str | Path | None = None
) -> Calibration:
    """The calibration of a network.

    Args:
        network: what is exported.
        folder: a shipped model's or a run's, where a ranges.json may lie.
        faces: faces to calibrate with instead (see `read_faces`).

    Raises InputError for a path `faces` without (enough) faces, ModelError for ranges that are
    damaged or of other weights.
    """
    if faces is not None:
        own = read_faces(faces, network.size)
        return Calibration(f"{len(own):,} faces of {Path(faces).name}", vary_contrast(own))
    golden = vary_contrast(golden_faces(network.size))
    origin = "the bundled golden faces"
    if folder is None or not (folder / RANGES_JSON).is_file():
        return Calibration(origin, golden)
    shipped = (folder / CHECKPOINT_JSON).is_file()
    obstacle = _obstacle(network, "the shipped ranges" if shipped else "those of the run")
    if network.plain is None or network.graph is None or obstacle:
        return Calibration(f"{origin} ({obstacle})", golden)
    ranges = read_ranges(folder / RANGES_JSON, fingerprint(network.plain, network.graph))
    source = "ranges shipped with the model" if shipped else "ranges of the training run"
    return Calibration(f"{source}, from {ranges.origin}", golden, ranges.limits)


def _obstacle(network: Network, ranges: str) -> str:
    """Why the `ranges` that come with a model cannot serve it; an empty text where they can."""
    if not network.rewrite:
        return f"{ranges} are those of the rewritten graph"
    if not quantizer_installed():
        return f"{ranges} need {PACKAGE}: pip install 'fer-mobile[export]'"
    if network.graph is None or not quantizer_knows(network.graph):
        return f"{ranges} are of layers that {PACKAGE} does not know"
    return ""
