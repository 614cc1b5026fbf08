"""Float weights with what is known of them: `.keras` files, run folders and shipped weights."""

from __future__ import annotations

from fer_mobile.checkpoint.checkpoint import (
    LICENCE,
    Checkpoint,
    import_keras,
    load_checkpoint,
    ship,
)
from fer_mobile.checkpoint.run_folder import RunFolder

__all__ = ["LICENCE", "Checkpoint", "RunFolder", "import_keras", "load_checkpoint", "ship"]
