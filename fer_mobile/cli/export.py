"""`fer-mobile export`: float weights to a verified file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fer_mobile.cli.options import OUTPUT, AsJson, KerasRange, Labels, names
from fer_mobile.models import DEFAULT
from fer_mobile.types import Color, FileFormat, Quantization, TensorType

if TYPE_CHECKING:
    from fer_mobile.convert import Exported


_UNFIT = {"differs": "its results differ on a {}", "unsupported": "it does not run on a {}"}
"""The verdicts on accelerators that a user has to know, in words."""


def export_command(
    model: Annotated[
        str,
        typer.Argument(metavar="MODEL", help="A shipped or zoo name, .keras or run folder."),
    ] = DEFAULT,
    quantize: Annotated[
        Quantization,
        typer.Option(parser=str, metavar="none|float16|dynamic|int8", help="The precision."),
    ] = "int8",
    format_: Annotated[
        FileFormat,
        typer.Option("--format", parser=str, metavar="tflite|onnx", help="The file format."),
    ] = "tflite",
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the file goes.", rich_help_panel=OUTPUT)
    ] = Path(),
    io: Annotated[
        TensorType,
        typer.Option(
            parser=str,
            metavar="int8|uint8|float32",
            help="Type of an int8 file's input and output.",
        ),
    ] = "int8",
    color: Annotated[
        Color,
        typer.Option(
            "--input",
            parser=str,
            metavar="gray|rgb",
            help="rgb: take uint8 RGB, turn it gray in the graph.",
        ),
    ] = "gray",
    no_rewrite: Annotated[
        bool, typer.Option("--no-rewrite", help="Leave the graph as it was trained.")
    ] = False,
    size: Annotated[
        int | None,
        typer.Option(
            metavar="PX", help="Another input size than that of the training, such as 56 or 112."
        ),
    ] = None,
    calibrate: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Faces for int8: an .npz or a folder of images."),
    ] = None,
    labels: Labels = None,
    value_range: KerasRange = None,
    no_parameter_cap: Annotated[
        bool, typer.Option("--no-parameter-cap", help="Allow more than 10,000,000 parameters.")
    ] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Convert the weights even if the file is shipped.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Export a model with its contract, and verify it.

    A shipped name with default options copies the shipped file, which needs no TensorFlow.

    Examples:
        fer-mobile export compact --out app/src/main/assets
        fer-mobile export runs/my --quantize float16
        fer-mobile export my.keras --labels calm,tired,happy --range 0..255 --calibrate faces/
    """
    from fer_mobile.cli.next_step import next_step
    from fer_mobile.convert import ExportOptions, export
    from fer_mobile.convert.shipped import copy_shipped

    options = ExportOptions(
        quantize=quantize,
        format=format_,
        io=io,
        color=color,
        rewrite=not no_rewrite,
        size=size,
        calibrate=calibrate,
        parameter_cap=not no_parameter_cap,
    )
    own = names(labels)
    done = None if rebuild or own or value_range else copy_shipped(model, options, out)
    if done is None:
        done = export(model, out=out, options=options, labels=own, value_range=value_range)
    if as_json:
        typer.echo(json.dumps(done.as_dict(), indent=2))
        return
    how = "the shipped file, --rebuild converts again" if done.shipped else f"{done.seconds:.1f} s"
    typer.echo(
        f"{done.path}: {done.path.stat().st_size / 1e6:.2f} MB, "
        f"{done.contract.parameters:,} parameters, {how}"
    )
    _print_findings(done)
    for found in done.contract.accelerators:
        if found.verdict in _UNFIT:
            verdict = _UNFIT[found.verdict].format(found.name.upper())
            typer.echo(f"note: {verdict} ({found.evidence})")
    if format_ == "tflite":
        typer.echo(f"next: {next_step([done.path])}")


def _print_findings(done: Exported) -> None:
    """What was proved of it, and with which ranges."""
    if not done.contract.provenance.trained:
        typer.echo("note: these weights were never trained; they predict noise")
    if done.verification is None:
        typer.echo(f"parity: within {done.parity:.2g} of the checkpoint on the reference faces")
        return
    if done.contract.precision == "int8":
        typer.echo(f"calibration: {done.calibration}")
        left = done.verification.float_operations
        typer.echo(f"not quantized: {', '.join(left) or 'no operation'}")
    for check in done.verification.checks:
        if check.name.startswith("parity"):
            typer.echo(f"{check.name}: {check.detail}")
