"""The process of `gpu`: ``python -m fer_mobile.runtime.gpu_process FOLDER``.

It runs model.tflite of the folder on inputs.npy, and leaves outputs.npy and facts.json.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from ai_edge_litert.compiled_model import CompiledModel
from ai_edge_litert.hardware_accelerator import HardwareAccelerator


def main() -> None:
    """Run a model on a GPU, for one input after the other."""
    folder = Path(sys.argv[1])
    inputs = np.load(folder / "inputs.npy")
    model = CompiledModel.from_file(
        str(folder / "model.tflite"), hardware_accel=HardwareAccelerator.GPU
    )
    (details,) = model.get_output_tensor_details(next(iter(model.get_signature_list()))).values()
    (given,), (wanted,) = model.create_input_buffers(0), model.create_output_buffers(0)
    outputs = []
    for values in inputs:
        given.write(np.ascontiguousarray(values[None]))
        model.run_by_index(0, [given], [wanted])
        outputs.append(np.array(wanted.read(int(np.prod(details["shape"])), details["dtype"])))
    np.save(folder / "outputs.npy", np.stack(outputs))
    facts = {"resident": model.is_fully_accelerated()}
    (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")


if __name__ == "__main__":
    main()
