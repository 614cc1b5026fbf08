"""Measures a shipped model for its card: benchmarks/results/model_<name>.json.

    FER_MOBILE_DATA=... python -m tools.measure_model xcao_two_stream

Every precision is exported and measured on valid under every protocol of eight or seven
labels, of a copy for another protocol its int8 file under that one; the int8 file also under
every corruption.  `tools/model_card.py` writes the card from these figures.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any, Final

from benchmarks.result_files import write_row
from fer_mobile import zoo
from fer_mobile.convert import export
from fer_mobile.convert.options import PRECISIONS
from fer_mobile.data import as_protocol
from fer_mobile.data.corruption import CORRUPTIONS
from fer_mobile.evaluation import evaluate
from fer_mobile.model_file import read_contract
from fer_mobile.models import ShippedModel, shipped_models

PROTOCOLS: Final = ("ferplus-strict", "ferplus-argmax", "fer2013")
"""That the card of a model of eight labels states; `fer2013-4` is a subset of the last."""


def main_protocol(facts: dict[str, Any]) -> str:
    """The protocol that a model was made for, by which its best epoch was chosen."""
    protocol: str = facts["figures"][0]["protocol"]
    return protocol


def protocols(facts: dict[str, Any]) -> tuple[str, ...]:
    """The protocols that a model is measured under."""
    main = main_protocol(facts)
    return PROTOCOLS if main == PROTOCOLS[0] else (main,)


def measure(model: ShippedModel) -> dict[str, Any]:
    """The figures of a shipped model's files, with its facts."""
    facts = model.facts()
    rows, sizes = [], {}

    def note(precision: str, path: Path, protocol: str, corruption: str | None = None) -> None:
        figures = evaluate(path, protocol=as_protocol(protocol), corruption=corruption)
        rows.append(figures.as_dict() | {"model": model.name, "format": precision})
        print(precision, protocol, corruption or "", rows[-1]["accuracy"], flush=True)

    with tempfile.TemporaryDirectory() as folder:
        files = (
            {p: export(model.name, quantize=q, out=folder).path for q, p in PRECISIONS.items()}
            if model.checkpoint.is_file()
            else model.files
        )
        for precision, path in files.items():
            sizes[precision] = path.stat().st_size
            for protocol in protocols(facts):
                note(precision, path, protocol)
    for name in CORRUPTIONS:
        note("int8", model.files["int8"], main_protocol(facts), name)
    classes = len(facts["figures"][0]["recall"])
    network = zoo.build(facts["architecture"], **facts["options"], classes=classes)
    return {
        "model": facts,
        "macs": zoo.count_macs(network),
        "graphs": {p: read_contract(path).model_sha256 for p, path in model.files.items()},
        "bytes": sizes,
        "rows": rows,
    }


def main() -> None:
    """Measure the model that the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model")
    model = shipped_models(copies=True)[parser.parse_args().model]
    write_row(f"model_{model.name}", measure(model))


if __name__ == "__main__":
    main()
