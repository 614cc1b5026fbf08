"""`fer-mobile predict`: the expressions of a few photos."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from fer_mobile.cli.options import (
    AsJson,
    Boxes,
    DetectionSize,
    Detector,
    PhotoModel,
    Threads,
)
from fer_mobile.models import DEFAULT


def predict_command(
    images: Annotated[list[str], typer.Argument(metavar="IMAGE ...", help="Photos.")],
    faces: Annotated[
        str,
        typer.Option(metavar="largest|each|multiple", help="The label of several faces."),
    ] = "multiple",
    model: PhotoModel = DEFAULT,
    detector: Detector = "yunet",
    detection_size: DetectionSize = 640,
    boxes: Boxes = None,
    threads: Threads = 1,
    as_json: AsJson = False,
) -> None:
    """Find the faces of photos and say their expressions."""
    from fer_mobile.errors import InputError
    from fer_mobile.pipeline import load_pipeline

    pipeline = load_pipeline(
        model,
        faces=faces,
        threads=threads,
        detector=detector,
        detection_size=detection_size,
        boxes=boxes,
    )
    results = [pipeline(image) for image in images]
    if as_json:
        typer.echo(json.dumps([result.as_dict() for result in results], indent=2))
    else:
        for result in results:
            typer.echo(f"{result.path}: {_summary(result.as_dict())}")
    if all(result.error for result in results):
        raise InputError(
            "predict",
            expected="at least one photo that can be read",
            found=f"none of {len(results)}",
            hint=results[0].error or "",
        )


def _summary(row: dict[str, object]) -> str:
    if row["error"]:
        return f"failed: {row['error']}"
    if row["label"] is None:
        return "no face"
    faces = row["faces"]
    assert isinstance(faces, list)
    each = "; ".join(
        f"{face['label']} {face['confidence']:.0%} at {', '.join(f'{v:.0f}' for v in face['box'])}"
        for face in faces
    )
    return each if len(faces) == 1 else f"{row['label']} ({each})"
