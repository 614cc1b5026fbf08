"""Options that several commands have, each said once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from fer_mobile.types import (
    VALUE_RANGES,
    DetectorName,
    Orient,
    ProtocolName,
    SplitName,
    ValueRange,
)

# The headings that options stand under in the help, where a command has many.
MODEL: Final = "Model and detector"
SELECTION: Final = "Selection"
OUTPUT: Final = "Output"
EXECUTION: Final = "Execution"


def shipped_names(typed: str) -> list[str]:
    """For a shell's completion."""
    from fer_mobile.models import shipped_models

    return [name for name in shipped_models(copies=True) if name.startswith(typed)]


AnyModel = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="A shipped name, .tflite, .keras or run folder.",
        autocompletion=shipped_names,
    ),
]
"""Whatever `evaluation.evaluate` can measure."""

PhotoModel = Annotated[
    str,
    typer.Option(
        metavar="MODEL",
        help="A shipped model's name or a .tflite file.",
        autocompletion=shipped_names,
        rich_help_panel=MODEL,
    ),
]
"""What a pipeline can run."""

Labels = Annotated[
    str | None,
    typer.Option(metavar="A,B,C", help="Of a .keras file: a name for each output, in order."),
]
KerasRange = Annotated[
    ValueRange | None,
    typer.Option(
        "--range",
        parser=str,
        metavar="|".join(VALUE_RANGES),
        help="Of a .keras file that does not say it: what its input's values are.",
    ),
]

Data = Annotated[
    Path | None, typer.Option(metavar="PATH", help="The dataset; default: FER_MOBILE_DATA.")
]
Protocol = Annotated[
    ProtocolName,
    typer.Option(
        parser=str,
        metavar="ferplus-strict|ferplus-argmax|fer2013|fer2013-4|own",
        help="Which labels; own: those of the dataset.",
    ),
]
Split = Annotated[
    SplitName, typer.Option(parser=str, metavar="train|valid|test|all", help="Which rows.")
]

# `parser=str`: the library names the choices that there are, in its own error.
Detector = Annotated[
    DetectorName,
    typer.Option(
        parser=str,
        metavar="yunet|opencv|mediapipe",
        help="What finds the faces.",
        rich_help_panel=MODEL,
    ),
]
DetectionSize = Annotated[
    int,
    typer.Option(
        metavar="PX",
        help="Longest side searched; larger finds smaller faces.",
        rich_help_panel=MODEL,
    ),
]
DetectorModel = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Another model for --detector mediapipe.", rich_help_panel=MODEL
    ),
]
Boxes = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Precomputed boxes (CSV or JSON) instead of a detector.",
        rich_help_panel=MODEL,
    ),
]

Orientation = Annotated[
    Orient,
    typer.Option(
        parser=str,
        metavar="auto|none",
        help="auto: turn photos that lie on a side or upside down; none: take them as they are.",
        rich_help_panel=MODEL,
    ),
]
MaxBytes = Annotated[
    int,
    typer.Option(
        metavar="N", help="Memory that decoding a photo may take.", rich_help_panel=EXECUTION
    ),
]

MinQuality = Annotated[
    float,
    typer.Option(
        metavar="0..1",
        help="Quality below which a face is 'unsure' instead of labelled.",
        rich_help_panel=SELECTION,
    ),
]

Threads = Annotated[
    int, typer.Option(metavar="N", min=1, help="Threads.", rich_help_panel=EXECUTION)
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON on stdout.", rich_help_panel=OUTPUT)
]


def names(labels: str | None) -> list[str] | None:
    """What `--labels` lists."""
    return [name.strip() for name in labels.split(",")] if labels is not None else None
