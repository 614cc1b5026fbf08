"""`fer-mobile explain`: what a prediction rests on."""

from __future__ import annotations

import json
from itertools import chain, count
from pathlib import Path
from typing import Annotated

import typer

from fer_mobile.cli.options import OUTPUT, AsJson, KerasRange, Labels, names
from fer_mobile.cli.streams import is_stdout_taken
from fer_mobile.models import DEFAULT
from fer_mobile.types import ExplainMethod
from fer_mobile.wording import percent


def explain_command(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="A photo.")],
    model: Annotated[
        str,
        typer.Option(metavar="MODEL", help="A shipped or zoo name, .tflite, .keras or run folder."),
    ] = DEFAULT,
    method: Annotated[
        ExplainMethod,
        typer.Option(
            parser=str, metavar="occlusion|gradient", help="Hidden patches, or SmoothGrad."
        ),
    ] = "occlusion",
    label: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The expression to explain; default: the likeliest."),
    ] = None,
    labels: Labels = None,
    value_range: KerasRange = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="The image is a face already; do not search it for one.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The picture; default: IMAGE_METHOD.png, or with a number.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Draw which parts of each face the prediction rests on; needs the extra `chart`.

    Examples:
        fer-mobile explain photo.jpg
        fer-mobile explain photo.jpg --label sadness --out why.png
        fer-mobile explain photo.jpg --method gradient   # needs the extra `export`
    """
    from fer_mobile.explain import explain
    from fer_mobile.explain.picture import check_picture, draw_explanations
    from fer_mobile.files import check_output

    picture = out or _unused(f"{image.stem}_{method}")
    check_picture(picture)
    check_output(picture, [image, model])
    err = is_stdout_taken(picture, as_json=as_json)
    explanations = explain(
        image,
        model,
        method=method,
        label=label,
        whole=whole,
        labels=names(labels),
        value_range=value_range,
    )
    draw_explanations(explanations, picture, title=f"{image.name}, {model}, {method}")
    if as_json:
        faces = [each.as_dict() for each in explanations]
        typer.echo(json.dumps({"picture": str(picture), "method": method, "faces": faces}))
        return
    for each in explanations:
        typer.echo(f"{each.label} {percent(each.probabilities[each.label])}", err=err)
    typer.echo(f"drawn: {picture}", err=err)


def _unused(stem: str) -> Path:
    """A picture's name that nothing has yet: another photo may have had the same name."""
    names = chain([f"{stem}.png"], (f"{stem}_{number}.png" for number in count(2)))
    return next(path for path in map(Path, names) if not path.exists())
