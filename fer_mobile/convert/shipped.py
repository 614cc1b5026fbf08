"""A shipped file in place of the export that would write it again."""

from __future__ import annotations

import time
from pathlib import Path

from fer_mobile.convert.exporter import Exported, check_folder, require_passed
from fer_mobile.convert.options import ExportOptions
from fer_mobile.convert.verification import verify_content
from fer_mobile.model_file import contract_file, read_model, write_model
from fer_mobile.models import shipped_models


def copy_shipped(
    model: str | Path, options: ExportOptions, out: str | Path = "."
) -> Exported | None:
    """Prove the shipped file that these options ask for, and copy it with its contract into `out`.

    It needs no TensorFlow.  Returns None where no such file is shipped: for another model,
    precision or option than the default ones.  Raises as `export` does.
    """
    shipped = shipped_models(copies=True).get(str(model))
    if shipped is None or options != ExportOptions(quantize=options.quantize):
        return None
    file = shipped.files.get(options.precision)
    if file is None:
        return None
    started = time.monotonic()
    check_folder(out)
    path = Path(out) / file.name
    content, contract_json = read_model(file), contract_file(file).read_bytes()
    verification = verify_content(content, path, contract_json=contract_json)
    require_passed(verification, "the shipped file")
    write_model(path, content, contract_json)
    seconds = time.monotonic() - started
    return Exported(path, verification.contract, seconds, verification, shipped=True)
