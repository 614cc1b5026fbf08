"""Float weights with what is known of them: `.keras` files, run folders and shipped weights."""

from __future__ import annotations

from fer_mobile.checkpoint.checkpoint import (
    CALIBRATION_JSON,
    LICENCE,
    Checkpoint,
    import_keras,
    load_checkpoint,
    ship,
)

__all__ = ["CALIBRATION_JSON", "LICENCE", "Checkpoint", "import_keras", "load_checkpoint", "ship"]
