"""`fer-mobile verify`: proof of an exported file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from fer_mobile.cli.options import AsJson, KerasRange
from fer_mobile.types import ValueRange


def verify_command(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A shipped model's name or a .tflite file.")
    ],
    layers: Annotated[
        bool,
        typer.Option(
            "--layers",
            help="What each layer costs in 8 bits; needs float weights.",
            rich_help_panel="Further proof",
        ),
    ] = False,
    faces: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Compare it with float weights on these faces, too.",
            rich_help_panel="Further proof",
        ),
    ] = None,
    checkpoint: Annotated[
        str | None,
        typer.Option(
            "--source",
            metavar="MODEL",
            help="The float weights; default: the shipped model's.",
            rich_help_panel="Further proof",
        ),
    ] = None,
    value_range: KerasRange = None,
    gpu: Annotated[
        bool, typer.Option("--gpu", help="Run it on a GPU, too, or on a Vulkan driver in software.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check checksum, contract, graph and parity; exit code 1 when a check fails.

    Examples:
        fer-mobile verify compact
        fer-mobile verify my_int8.tflite --faces faces/ --source runs/my   # with its float weights
        fer-mobile verify compact --layers                                 # needs `export`
    """
    from fer_mobile.errors import InputError

    if checkpoint is not None and faces is None:
        raise InputError("--source", expected="--faces PATH with it", found=checkpoint)
    if layers:
        if faces is not None:
            raise InputError("--faces", expected="no --layers with it", found=str(faces))
        if gpu:
            raise InputError("--gpu", expected="no --layers with it", found="both")
        _print_layers(model, value_range, as_json)
        return
    from fer_mobile.convert.verification import verify

    reference = None
    if value_range is not None and checkpoint is None:
        raise InputError("--range", expected="--source FILE.keras with it", found=value_range)
    if faces is not None:
        from fer_mobile.convert.reference import reference_for_file

        reference = reference_for_file(model, faces, checkpoint, value_range)
    verdict = verify(model, reference, gpu=gpu)
    if as_json:
        typer.echo(json.dumps(verdict.as_dict(), indent=2))
    else:
        for check in verdict.checks:
            typer.echo(f"{'pass' if check.passed else 'FAIL'}  {check.name}: {check.detail}")
        operations = ", ".join(f"{n}× {name}" for name, n in verdict.operations.items())
        typer.echo(f"operations: {operations}")
        typer.echo(f"{verdict.path.name}: {'pass' if verdict.passed else 'FAIL'}")
    if not verdict.passed:
        raise typer.Exit(1)


def _print_layers(model: str, value_range: ValueRange | None, as_json: bool) -> None:
    from fer_mobile.convert.sensitivity import layer_sensitivities

    rows = layer_sensitivities(model, value_range)
    if as_json:
        typer.echo(json.dumps([row.as_dict() for row in rows], indent=2))
        return
    width = max(len(row.layer) for row in rows)
    typer.echo(f"{'in 8 bits':{width}}  operation    weights  divergence  largest  labels")
    for row in rows:
        typer.echo(
            f"{row.layer:{width}}  {row.operation:9}  {row.weights:9,}  {row.divergence:10.1e}"
            f"  {row.largest:7.4f}  {row.labels_changed:6}"
        )
    typer.echo(
        "on the bundled faces, against the float model: mean KL divergence in nats, the largest "
        "difference of a probability, faces with another label"
    )
