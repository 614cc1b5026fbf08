"""`fer-mobile predict`: the expressions of a few photos."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Annotated

import typer

from fer_mobile.cli.options import (
    SELECTION,
    AsJson,
    Boxes,
    DetectionSize,
    Detector,
    DetectorModel,
    MaxBytes,
    MinQuality,
    Orientation,
    PhotoModel,
    Threads,
)
from fer_mobile.cli.streams import echo_names
from fer_mobile.labels import UNSURE
from fer_mobile.models import DEFAULT
from fer_mobile.types import Face, FacesMode, PhotoResult
from fer_mobile.wording import percent


def predict_command(
    images: Annotated[list[str], typer.Argument(metavar="IMAGE ...", help="Photos.")],
    faces: Annotated[
        FacesMode,
        typer.Option(
            parser=str,
            metavar="largest|each|multiple",
            help="How a photo with several faces is labelled.",
            rich_help_panel=SELECTION,
        ),
    ] = "multiple",
    model: PhotoModel = DEFAULT,
    detector: Detector = "yunet",
    detection_size: DetectionSize = 640,
    detector_model: DetectorModel = None,
    boxes: Boxes = None,
    orient: Orientation = "auto",
    max_bytes: MaxBytes = 1_500_000_000,
    min_quality: MinQuality = 0.0,
    threads: Threads = 1,
    as_json: AsJson = False,
) -> None:
    """Find the faces in photos and name their expressions.

    Examples:
        fer-mobile predict photo.jpg
        fer-mobile predict *.jpg --json                  # faces, boxes, probabilities
        fer-mobile predict group.jpg --faces each        # the label of the surest face
        fer-mobile predict photo.jpg --boxes boxes.csv   # the faces are known
    """
    from fer_mobile.errors import InputError
    from fer_mobile.pipeline import load_pipeline

    pipeline = load_pipeline(
        model,
        faces=faces,
        threads=threads,
        detector=detector,
        detection_size=detection_size,
        detector_model=detector_model,
        boxes=boxes,
        orient=orient,
        max_bytes=max_bytes,
        min_quality=min_quality,
    )
    results = list(pipeline.batch(images))
    if as_json:
        typer.echo(json.dumps([result.as_dict() for result in results], indent=2))
    else:
        for result in results:
            echo_names(f"{result.path}: {_summary(result)}")
    if all(result.error for result in results):
        raise InputError(
            "predict",
            expected="at least one photo that can be read",
            found=f"none of {len(results)}",
            hint=_folder_hint(images),
        )


def _folder_hint(images: list[str]) -> str:
    """What to do with a folder; the rows say what is wrong with everything else."""
    folders = [image for image in images if image and Path(image).is_dir()]
    return f"A folder's photos: fer-mobile filter {shlex.quote(folders[0])}" if folders else ""


def _summary(result: PhotoResult) -> str:
    if result.error:
        return f"failed: {result.error.removeprefix(f'{result.path}: ')}"
    if not result.faces:
        return "no face"
    each = "; ".join(
        f"{_expression(face)} at {', '.join(f'{v:.0f}' for v in face.box)}" for face in result.faces
    )
    turned = f", turned by {result.turn}°" if result.turn else ""
    return (each if len(result.faces) == 1 else f"{result.label or UNSURE} ({each})") + turned


def _expression(face: Face) -> str:
    if face.label is None or face.confidence is None:
        return f"{UNSURE} ({face.flaw})"
    return f"{face.label} {percent(face.confidence)}"
