"""`fer-mobile contract`: what a model file says of itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from fer_mobile.cli.commands import Command, new_group
from fer_mobile.cli.options import AsJson
from fer_mobile.errors import InputError
from fer_mobile.types import VALUE_RANGES, ValueRange

if TYPE_CHECKING:
    from fer_mobile.contract import OutputValues
    from fer_mobile.preprocess import CropRule

contract_app = new_group("Read, renew and attach the contract inside a model file.")


@contract_app.callback()
def _group() -> None:
    """Read, renew and attach the contract inside a model file."""


@contract_app.command("show", cls=Command)
def show_command(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A shipped name or .tflite file.")],
) -> None:
    """Print the contract as JSON, in the present format.

    Examples:
        fer-mobile contract show compact
        fer-mobile contract show my_int8.tflite
    """
    from fer_mobile.model_file import read_contract
    from fer_mobile.models import tflite_file

    typer.echo(read_contract(tflite_file(model)).to_json(), nl=False)


@contract_app.command("schema", cls=Command)
def schema_command() -> None:
    """Print the JSON schema of contracts.

    Examples:
        fer-mobile contract schema > contract.schema.json
    """
    from fer_mobile.contract import ModelContract

    typer.echo(json.dumps(ModelContract.model_json_schema(mode="serialization"), indent=1))


@contract_app.command("upgrade", cls=Command)
def upgrade_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .tflite file.")],
) -> None:
    """Write the contract of a file in the present format; the model itself stays as it is.

    Examples:
        fer-mobile contract upgrade old_int8.tflite
    """
    from fer_mobile.convert.attach import upgrade_contract

    contract = upgrade_contract(file)
    typer.echo(f"{file}: contract format {contract.format_version}")


@contract_app.command("attach", cls=Command)
def attach_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Somebody's .tflite classifier.")],
    labels: Annotated[
        str, typer.Option(metavar="A,B,C", help="A label for each output, in their order.")
    ],
    value_range: Annotated[
        ValueRange,
        typer.Option(
            "--range",
            parser=str,
            metavar="|".join(VALUE_RANGES),
            help="What its input's values are.",
        ),
    ],
    output_values: Annotated[
        str,
        typer.Option("--output", metavar="probabilities|logits", help="What its outputs are."),
    ] = "probabilities",
    crop: Annotated[
        str | None,
        typer.Option(
            metavar="SCALE,SHIFT",
            help="Side of the square and how far it is moved down, over the height of the box.",
        ),
    ] = None,
    min_tilt: Annotated[
        float | None,
        typer.Option(metavar="DEGREES", help="Turn faces that tilt by more until they are level."),
    ] = None,
    licence: Annotated[str, typer.Option(metavar="TEXT", help="Of the weights.")] = "unknown",
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Of the model.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where it goes; default: FILE itself.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Give a classifier that was made elsewhere a contract, so that every command runs it.

    Examples:
        fer-mobile contract attach theirs.tflite --labels angry,happy,sad --range 0..1
    """
    from fer_mobile.convert.attach import attach_contract

    contract = attach_contract(
        file,
        labels=labels.split(","),
        value_range=value_range,
        output_values=cast("OutputValues", output_values),
        crop=_crop_rule(crop),
        min_tilt=min_tilt,
        licence=licence,
        name=name,
        out=out,
    )
    if as_json:
        typer.echo(contract.to_json(), nl=False)
        return
    size, channels = contract.input.shape[1], contract.input.shape[3]
    typer.echo(
        f"{out or file}: {contract.precision}, {contract.parameters:,} parameters, input {size} px "
        f"{'RGB' if channels == 3 else 'gray'}, labels {', '.join(contract.labels)}"
    )
    typer.echo("its accuracy, training and licence are as stated here, or unknown")


def _crop_rule(text: str | None) -> CropRule | None:
    from fer_mobile.preprocess import CropRule

    if text is None:
        return None
    try:
        scale, shift = map(float, text.split(","))
    except ValueError as error:
        raise InputError("crop", expected="two numbers, SCALE,SHIFT", found=text) from error
    return CropRule(scale, shift)
