"""`fer-mobile export`: float weights to a verified file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from fer_mobile.cli.options import AsJson
from fer_mobile.models import DEFAULT
from fer_mobile.types import Color, FileFormat, Quantization, TensorType


def export_command(
    model: Annotated[
        str,
        typer.Argument(metavar="[MODEL]", help="A shipped or zoo name, .keras or run folder."),
    ] = DEFAULT,
    quantize: Annotated[
        Quantization,
        typer.Option(parser=str, metavar="none|float16|dynamic|int8", help="The precision."),
    ] = "int8",
    format_: Annotated[
        FileFormat,
        typer.Option("--format", parser=str, metavar="tflite|onnx", help="The file format."),
    ] = "tflite",
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the file goes.")] = Path(),
    io: Annotated[
        TensorType,
        typer.Option(parser=str, metavar="int8|uint8|float32", help="Input and output of int8."),
    ] = "int8",
    color: Annotated[
        Color,
        typer.Option(
            "--input", parser=str, metavar="gray|rgb", help="rgb: uint8 RGB, gray in the graph."
        ),
    ] = "gray",
    no_rewrite: Annotated[
        bool, typer.Option("--no-rewrite", help="Leave the graph as it was trained.")
    ] = False,
    size: Annotated[
        int | None, typer.Option(metavar="56|112|224", help="Another input size than trained for.")
    ] = None,
    calibrate: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Faces for int8: an .npz or a folder of images."),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(metavar="A,B,C", help="Of a .keras file: a name for each output, in order."),
    ] = None,
    no_parameter_cap: Annotated[
        bool, typer.Option("--no-parameter-cap", help="Allow more than 10,000,000 parameters.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Export a model with its contract, prove it, and say what it is."""
    from fer_mobile.convert import export

    done = export(
        model,
        quantize=quantize,
        format=format_,
        out=out,
        io=io,
        color=color,
        rewrite=not no_rewrite,
        size=size,
        calibrate=calibrate,
        parameter_cap=not no_parameter_cap,
        labels=labels.split(",") if labels else None,
    )
    if as_json:
        typer.echo(json.dumps(done.as_dict(), indent=2))
        return
    typer.echo(
        f"{done.path}: {done.path.stat().st_size / 1e6:.2f} MB, "
        f"{done.contract.parameters:,} parameters, {done.seconds:.1f} s"
    )
    if not done.contract.provenance.trained:
        typer.echo("note: these weights were never trained; they predict noise")
    if done.verification is None:
        typer.echo(f"parity: within {done.parity:.2g} of the float checkpoint on the golden faces")
        return
    if quantize == "int8":
        typer.echo(f"calibration: {done.calibration}")
        left = done.verification.float_operations
        typer.echo(f"not quantized: {', '.join(left) or 'no operation'}")
    for check in done.verification.checks:
        if check.name.startswith("parity"):
            typer.echo(f"{check.name}: {check.detail}")
