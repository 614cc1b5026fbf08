#!/usr/bin/env python3
"""exports.py FOLDER MODEL...: files of kinds that are not shipped (float32, dynamic, RGB), and what
Python answers for them in vectors.json.

A program of its own: TensorFlow writes to the standard output what nobody asked for.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
from pathlib import Path

from python_side import golden_script
from steps import ROOT, made, run

from fer_mobile.convert import export
from fer_mobile.models import shipped_models

NOT_SHIPPED = (
    {"quantize": "none"},
    {"quantize": "dynamic"},
    {"quantize": "int8", "color": "rgb"},
)
SMALLEST = "compact"
_PACKAGES = ("tensorflow-cpu", "tensorflow", "keras", "ai-edge-litert", "ai-edge-quantizer")
_CODE = (
    *("checkpoint", "contract", "convert", "golden", "graph"),
    *("model_file", "preprocess", "runtime", "zoo"),
)
"""Modules and packages that decide what a file is."""


def make_exports(*, every_model: bool = False) -> Path:
    """The folder with the files of the smallest shipped model, or of all.

    They are made again where weights, the exporter or its packages changed.
    """
    models = sorted(shipped_models()) if every_model else [SMALLEST]
    inputs = [
        *(shipped_models()[model].checkpoint for model in models),
        *(file for name in _CODE for file in _sources(name)),
        *(ROOT.parent / "tools/golden_vectors.py", Path(__file__).resolve()),
    ]
    versions = [f"{d.name} {d.version}" for d in map(_distribution, _PACKAGES) if d]
    return made(
        "exports",
        inputs,
        [*versions, *models],
        lambda out: run(sys.executable, __file__, out, *models),
    )


def _sources(name: str) -> list[Path]:
    package = ROOT.parent / "fer_mobile"
    return sorted([*package.glob(f"{name}.py"), *(package / name).rglob("*.py")])


def _distribution(name: str) -> importlib.metadata.Distribution | None:
    try:
        return importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def main() -> None:
    """Export them all."""
    folder, models = Path(sys.argv[1]), sys.argv[2:]
    paths = [export(name, out=folder, **options).path for name in models for options in NOT_SHIPPED]
    script = golden_script()
    answers = {path.name: script.model_vector(path) for path in paths}
    (folder / "vectors.json").write_text(json.dumps(answers), encoding="utf-8")


if __name__ == "__main__":
    main()
