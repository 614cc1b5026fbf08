"""Every shipped file in the arm64 runtime, under emulation."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fer_mobile.models import shipped_models

ROOT = Path(__file__).parents[2]


@pytest.mark.prove
@pytest.mark.skipif(
    shutil.which("qemu-aarch64-static") is None, reason="needs Debian's package qemu-user-static"
)
@pytest.mark.skipif(shutil.which("apt-get") is None, reason="needs apt, to fetch arm64 packages")
def test_arm64_answers_as_this_machine_does():
    command = [sys.executable, "-m", "benchmarks.arm_parity"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    files = {file.name for model in shipped_models().values() for file in model.files.values()}
    agreeing = [row["file"] for row in rows if row.get("agrees")]
    for file in files | {"face_detection_yunet.tflite"}:
        assert agreeing.count(file) >= 2, file
