"""`fer-mobile predict`: the expressions of a few photos."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def predict_command(
    images: Annotated[list[str], typer.Argument(metavar="IMAGE ...", help="Photos.")],
    faces: Annotated[
        str,
        typer.Option(metavar="largest|each|multiple", help="The label of several faces."),
    ] = "multiple",
    model: Annotated[
        str, typer.Option(metavar="MODEL", help="A shipped model's name or a .tflite file.")
    ] = "xcao_two_stream",
    detector: Annotated[
        str, typer.Option(metavar="yunet|opencv|mediapipe", help="What finds the faces.")
    ] = "yunet",
    detection_size: Annotated[
        int,
        typer.Option(metavar="PX", help="Longest side searched; larger finds smaller faces."),
    ] = 640,
    boxes: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Faces of your own (CSV or JSON) instead of a detector."),
    ] = None,
    threads: Annotated[int, typer.Option(metavar="N", min=1, help="Threads.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
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
            todo=results[0].error or "",
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
