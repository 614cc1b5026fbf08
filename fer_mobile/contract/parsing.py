"""Reading a contract: what a consumer must refuse is refused here, with the reason."""

from __future__ import annotations

import json
from typing import Any, Final, Literal

from pydantic import BaseModel, ValidationError

from fer_mobile import preprocess
from fer_mobile.contract.model import FORMAT_VERSION, UNDERSTOOD, ModelContract
from fer_mobile.contract.text import printable
from fer_mobile.contract.upgrade import to_format_3
from fer_mobile.errors import ModelError
from fer_mobile.wording import counted

LARGEST_SIDE: Final = 1024
"""Height and width in pixels that an input may have."""


class _Header(BaseModel):
    """The two fields that every version of the format has."""

    format: Literal["fer-mobile/contract"]
    format_version: int


def parse_contract(text: str, name: object, reference: str | None = None) -> ModelContract:
    """The contract that a text holds, brought to the present format.

    `reference` is the text of the reference outputs, which formats 1 and 2 had in the contract;
    `name` is what errors call the file.

    Raises ModelError when it is of a newer format, requires what this version does not know,
    breaks the format or contradicts itself.
    """
    try:
        header = _Header.model_validate_json(text)
        if header.format_version > FORMAT_VERSION:
            raise ModelError(
                name,
                expected=f"contract format {FORMAT_VERSION} or older",
                found=f"format {header.format_version}",
                hint="Update fer-mobile.",
            )
        fields: dict[str, Any] = json.loads(text)
        outputs: Any = json.loads(reference) if reference else {}
        if header.format_version < 3:
            fields, outputs = to_format_3(fields)
        contract = ModelContract.model_validate(fields | {"reference": outputs})
    except ValidationError as error:
        raise malformed(error, name) from error
    except (ValueError, RecursionError) as error:  # JSON that is none, or far too deep
        raise ModelError(
            name, expected="a well-formed contract", found=printable(str(error))
        ) from error
    _check(contract, name)
    return contract


def malformed(error: ValidationError, name: object) -> ModelError:
    """The error for a contract that breaks the format."""
    first = error.errors()[0]
    place = printable(".".join(map(str, first["loc"]))) or "the text"
    return ModelError(
        name, expected="a well-formed contract", found=f"{place}: {printable(first['msg']).lower()}"
    )


def _check(contract: ModelContract, name: object) -> None:
    """Raise ModelError where the contract asks for too much or contradicts itself."""
    unknown = [word for word in contract.requires if word not in UNDERSTOOD]
    if unknown:
        raise ModelError(
            name,
            expected="a contract that requires what this version understands",
            found=f"{', '.join(unknown)} in requires",
            hint="Update fer-mobile.",
        )
    if contract.preprocessing.version != preprocess.VERSION:
        raise ModelError(
            name,
            expected=f"preprocessing version {preprocess.VERSION}",
            found=f"version {contract.preprocessing.version}",
            hint="Export the model again with this version of fer-mobile.",
        )
    image, labels = contract.input.shape, contract.labels
    channels = 3 if contract.preprocessing.gray == "in-graph" else 1
    if len(image) != 4 or image != (1, image[1], image[1], channels):
        raise ModelError(name, expected=f"an input [1, S, S, {channels}]", found=str(list(image)))
    if not 1 <= image[1] <= LARGEST_SIDE:
        raise ModelError(
            name, expected=f"an input of 1 to {LARGEST_SIDE} px", found=f"{image[1]} px"
        )
    if contract.output.shape != (1, len(set(labels))) or len(set(labels)) != len(labels):
        raise ModelError(
            name,
            expected=f"a different label for each output of {list(contract.output.shape)}",
            found=f"{counted(len(labels), 'label')}: {', '.join(labels)}",
        )
    lengths = {len(values) for values in contract.reference.values()}
    if contract.reference and (set(contract.reference) != set(labels) or len(lengths) != 1):
        raise ModelError(
            name,
            expected="reference outputs of every label, as many of each",
            found=", ".join(contract.reference),
        )
