"""An open Android model next to the shipped ones, on the same faces.

    FER_MOBILE_DATA=... python -m benchmarks.open_model FILE --name NAME --output logits

Result: benchmarks/results/open_model.json.

FILE is a .tflite classifier with a gray input in 0 to 1 and our eight labels in their order.  The
strongest one found is that of the public repository vicksam/fer-app
(app/src/main/assets/fer_model.tflite), which states no licence: it is read where it lies, and no
copy is kept.
"""

from __future__ import annotations

import hashlib
import tempfile
from argparse import ArgumentParser
from argparse import RawDescriptionHelpFormatter as RawText
from pathlib import Path
from typing import Any, Final

from benchmarks.result_files import write_row
from fer_mobile.convert.attach import attach_contract
from fer_mobile.evaluation import evaluate
from fer_mobile.labels import LABELS
from fer_mobile.models import shipped_models, tflite_file
from fer_mobile.runtime.classifier import load_classifier

PROTOCOL: Final = "ferplus-strict"
SPLIT: Final = "valid"


def main() -> None:
    parser = ArgumentParser(description=__doc__, formatter_class=RawText)
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--name", default="open model")
    parser.add_argument("--output", choices=["probabilities", "logits"], default="probabilities")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "model.tflite"
        attach_contract(
            options.file,
            labels=LABELS,
            value_range="0..1",
            output_values=options.output,
            out=copy,
        )
        files = {options.name: copy}
        files |= {f"fer-mobile {name}": tflite_file(name) for name in shipped_models()}
        rows = [_figures(name, file) for name, file in files.items()]
    rows[0]["bytes"] = options.file.stat().st_size
    rows[0]["sha256"] = hashlib.sha256(options.file.read_bytes()).hexdigest()
    write_row("open_model", {"protocol": PROTOCOL, "split": SPLIT, "models": rows})


def _figures(name: str, file: Path) -> dict[str, Any]:
    scores = evaluate(file, protocol=PROTOCOL, split=SPLIT).scores
    contract = load_classifier(file).contract
    return {
        "name": name,
        "precision": contract.precision,
        "parameters": contract.parameters,
        "bytes": file.stat().st_size,
        "n": scores.n,
        "accuracy": round(scores.accuracy, 5),
        "balanced_accuracy": round(scores.balanced_accuracy, 5),
        "recall": {label: round(share, 5) for label, share in scores.recall.items() if share},
    }


if __name__ == "__main__":
    main()
