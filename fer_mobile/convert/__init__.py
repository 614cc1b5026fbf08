"""From float weights to files that run elsewhere, each with its proof.

A model's way: `options` say how, `build` makes the content of the file (`converter`,
`calibration`, `int8`, `metadata`, or `onnx`), `verification` proves it, `exporter` writes it.
"""

from __future__ import annotations

from fer_mobile.convert.built_model import BuiltModel, build
from fer_mobile.convert.exporter import Exported, export
from fer_mobile.convert.options import ExportOptions
from fer_mobile.convert.verification import Verification, verify

__all__ = ["BuiltModel", "ExportOptions", "Exported", "Verification", "build", "export", "verify"]
