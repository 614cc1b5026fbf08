"""What an export takes: wall time and peak memory of the command, in a process of its own.

    python -m benchmarks.export_cost [--repeat 3]

Result: benchmarks/results/export_cost.jsonl.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time

from benchmarks.result_files import write_rows

LIMITS = {"seconds": 30, "peak_mb": 3000}
"""For the default: `fer-mobile export --quantize int8`."""

COMMAND = "from fer_mobile.cli import main; main()"


def cost(quantize: str) -> tuple[float, float]:
    """Seconds and peak resident memory in MB of one export of the default model."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, "export", "--quantize", quantize, "--out", folder],
            stdout=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return seconds, usage.ru_maxrss / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=3)
    repeat = parser.parse_args().repeat
    rows = []
    for quantize in ("int8", "none", "float16", "dynamic"):
        runs = [cost(quantize) for _ in range(repeat)]
        row = {
            "quantize": quantize,
            "seconds": {
                "median": round(sorted(s for s, _ in runs)[repeat // 2], 1),
                "max": round(max(s for s, _ in runs), 1),
            },
            "peak_mb": round(max(mb for _, mb in runs)),
            "runs": repeat,
            "limits": LIMITS if quantize == "int8" else None,
        }
        print(row, flush=True)
        rows.append(row)
    write_rows("export_cost", rows)


if __name__ == "__main__":
    main()
