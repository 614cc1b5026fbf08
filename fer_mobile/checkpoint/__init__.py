"""Float weights with what is known of them: `.keras` files, run folders and shipped weights.

A shipped model's folder holds ``<name>.keras`` (kernels stored as float16, which halves the
file; Keras reads them as float32) and ``checkpoint.json`` with the other facts.
"""

from __future__ import annotations

from fer_mobile.checkpoint.checkpoint import Checkpoint
from fer_mobile.checkpoint.keras_file import import_keras
from fer_mobile.checkpoint.load import load_checkpoint
from fer_mobile.checkpoint.run_folder import RunFolder

__all__ = ["Checkpoint", "RunFolder", "import_keras", "load_checkpoint"]
