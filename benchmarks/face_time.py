"""Time per face of every shipped model, as a share of the detector's on a 320-px photo.

    python -m benchmarks.face_time [--rounds 5] [--seconds 2] [--processor 0]

Result: benchmarks/results/face_time.jsonl.

The int8 file against the shipped YuNet (float32) at 320×320, one pinned thread, called by
turns; a round loads both anew.  The result is the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import json
import os

from benchmarks.export_speed import compare
from benchmarks.result_files import write_rows
from fer_mobile.detect.yunet import shipped_yunet
from fer_mobile.model_file import read_contract
from fer_mobile.models import shipped_models
from fer_mobile.runtime.interpreter import runtime_name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--processor", type=int, default=0)
    options = parser.parse_args()
    os.sched_setaffinity(0, {options.processor})
    detector = shipped_yunet().read_bytes()
    rows = []
    for name, model in shipped_models(copies=True).items():
        row = compare(detector, model.files["int8"].read_bytes(), options.rounds, options.seconds)
        row = {
            "model": name,
            "model_sha256": read_contract(model.files["int8"]).model_sha256,
            "runtime": runtime_name(),
            "detector_ms": row.pop("plain_ms"),
            "face_ms": row.pop("rewritten_ms"),
            **row,
        }
        print(json.dumps(row), flush=True)
        rows.append(row)
    write_rows("face_time", rows)


if __name__ == "__main__":
    main()
