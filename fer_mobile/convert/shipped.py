"""A shipped file in place of the export that would write it again."""

from __future__ import annotations

import time
from pathlib import Path

from fer_mobile.convert.built_model import BuiltModel
from fer_mobile.convert.exporter import Exported, check_built, check_folder
from fer_mobile.convert.options import ExportOptions
from fer_mobile.model_file import read_model, split
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
    content = read_model(file)
    _, contract = split(content, file)
    built = BuiltModel(file.name, content, contract)
    verification = check_built(built, out)
    path = built.save(out)
    return Exported(path, contract, time.monotonic() - started, verification, shipped=True)
