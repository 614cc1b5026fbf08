"""Writes the contracts of the shipped files again, from models/*/checkpoint.json; graphs stay.

    python -m tools.renew_contracts

benchmarks/results/renewed.json then says which graph each file had that rows of measurements
name by its checksum, so that the rows stay joined to their files.

For what is known of a model besides its graph: provenance, licence and, from
models/*/accelerators.json, the verdict on each kind of processor by precision.  Figures stay
those of the file.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from fer_mobile.contract import Accelerator, LabelFacts, ModelContract, Provenance
from fer_mobile.files import write_bytes, write_text
from fer_mobile.model_file import attach, contract_file, split
from fer_mobile.models import shipped_models

RENEWED = Path(__file__).resolve().parents[1] / "benchmarks" / "results" / "renewed.json"
"""The graph's checksum by that of a whole file."""


def renewed(
    contract: ModelContract, facts: dict[str, Any], verdicts: dict[str, Any]
) -> ModelContract:
    """A contract with what checkpoint.json and accelerators.json say of its model."""
    accelerators = verdicts.get(contract.precision, [])
    return contract.model_copy(
        update={
            "label_facts": LabelFacts.of(contract.labels),
            "provenance": Provenance.model_validate(facts["provenance"]),
            "accelerators": tuple(Accelerator.model_validate(row) for row in accelerators),
            "licence": facts["licence"],
        }
    )


def renew(file: Path, facts: dict[str, Any], verdicts: dict[str, Any]) -> None:
    """Write the contract of a file, and the text of its own, again."""
    content = file.read_bytes()
    bare, contract = split(content, file)
    record(content, contract.model_sha256)
    contract = renewed(contract, facts, verdicts)
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
        for file in model.files.values():
            renew(file, model.facts(), verdicts)
            print(file)


if __name__ == "__main__":
    main()
