"""From trained weights to files that run elsewhere: TFLite in four precisions, ONNX, and proof."""

from __future__ import annotations

from fer_mobile.convert.exporter import Exported, export
from fer_mobile.convert.verification import Verification, verify

__all__ = ["Exported", "Verification", "export", "verify"]
