"""Writes the contracts of the shipped files again, from models/*/checkpoint.json; graphs stay.

    python -m tools.renew_contracts

benchmarks/results/renewed.json then says which graph each file had that rows of measurements
name by its checksum, so that the rows stay joined to their files.

For what is known of a model besides its graph: the levelling of faces, provenance, licence,
objectives by the figures of its precision, from models/*/accelerators.json the verdict on each
kind of processor, and what the float weights give for the reference faces.  Figures stay those
of the file.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.contract import (
    LEVELLING,
    Accelerator,
    LabelFacts,
    ModelContract,
    Objective,
    Provenance,
    requirements,
)
from fer_mobile.convert.reference import bundled_reference, by_label
from fer_mobile.files import write_bytes, write_text
from fer_mobile.model_file import attach, contract_file, split
from fer_mobile.models import ShippedModel, shipped_models
from fer_mobile.objectives import THESIS, check_objectives

RENEWED = Path(__file__).resolve().parents[1] / "benchmarks" / "results" / "renewed.json"
"""The graph's checksum by that of a whole file."""


Reference = dict[str, tuple[float, ...]]


def renewed(
    contract: ModelContract, facts: dict[str, Any], verdicts: dict[str, Any], reference: Reference
) -> ModelContract:
    """A contract with what checkpoint.json and accelerators.json say of its model."""
    accelerators = verdicts.get(contract.precision, [])
    return contract.model_copy(
        update={
            "requires": requirements(
                contract.preprocessing.normalisation, contract.output_values, levelling=True
            ),
            "preprocessing": contract.preprocessing.model_copy(update={"levelling": LEVELLING}),
            "label_facts": LabelFacts.of(contract.labels),
            "provenance": Provenance.model_validate(facts["provenance"]),
            "accelerators": tuple(Accelerator.model_validate(row) for row in accelerators),
            "licence": facts["licence"],
            "objectives": objectives(contract),
            "reference": reference or contract.reference,
        }
    )


def objectives(contract: ModelContract) -> tuple[Objective, ...]:
    """The thesis's objectives, by the figures that the contract has of its file's precision."""
    own = (row for row in contract.figures if row.precision == contract.precision)
    return tuple(verdict for row in own for verdict in check_objectives(row, THESIS))


def reference_of(model: ShippedModel) -> Reference:
    """What the float weights give for the reference faces; none where they are not here.

    compact_fer2013 is an int8 file alone, and keeps the outputs for the golden faces.
    """
    if not model.checkpoint.is_file():
        return {}
    checkpoint = load_checkpoint(model.name)
    return by_label(checkpoint.labels, bundled_reference(checkpoint))


def renew(
    file: Path, facts: dict[str, Any], verdicts: dict[str, Any], reference: Reference
) -> None:
    """Write the contract of a file, and the text of its own, again."""
    content = file.read_bytes()
    bare, contract = split(content, file)
    record(content, contract.model_sha256)
    contract = renewed(contract, facts, verdicts, reference)
    write_bytes(file, attach(bare, contract))
    write_text(contract_file(file), contract.to_json())


def record(content: bytes, graph: str) -> None:
    """Keep which graph a file of these bytes has, by the checksums of both."""
    known = json.loads(RENEWED.read_text(encoding="utf-8")) if RENEWED.is_file() else {}
    known[hashlib.sha256(content).hexdigest()] = graph
    write_text(RENEWED, json.dumps(known, indent=1, sort_keys=True) + "\n")


def main() -> None:
    """Renew every shipped file."""
    for model in shipped_models(copies=True).values():
        stated = model.folder / "accelerators.json"
        verdicts = json.loads(stated.read_text(encoding="utf-8")) if stated.is_file() else {}
        reference = reference_of(model)
        for file in model.files.values():
            renew(file, model.facts(), verdicts, reference)
            print(file)


if __name__ == "__main__":
    main()
