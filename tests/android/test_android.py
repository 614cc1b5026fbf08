"""The app, proved as far as it can be without a phone: android_demo/offline/verify.sh."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from fer_mobile.bench.result import parse_result

APP = Path(__file__).resolve().parents[2] / "android_demo"
TOOLS = {
    "javac": "default-jdk-headless",
    "mvn": "maven",
    "cc": "gcc libc6-dev",
    "zipalign": "zipalign",
    "apksigner": "apksigner",
}
"""What verify.sh runs, and the Debian package that has it."""

MISSING = [package for tool, package in TOOLS.items() if not shutil.which(tool)]


NEEDS_TOOLS = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {' '.join(MISSING)}")


def _run(*command: str) -> None:
    done = subprocess.run(
        command,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHON": sys.executable},
    )
    assert done.returncode == 0, done.stdout


@NEEDS_TOOLS
def test_verify() -> None:
    _run(str(APP / "offline/verify.sh"))
    row = (APP / "build/offline/bench.json").read_bytes()
    schema = Path(sys.modules["fer_mobile.bench"].__path__[0], "schema.json")
    jsonschema.validate(json.loads(row), json.loads(schema.read_text(encoding="utf-8")))
    result = parse_result(row, "the app")
    assert result.device == "android"
    assert result.photos is not None
    assert result.photos.n == 25


@NEEDS_TOOLS
@pytest.mark.prove
@pytest.mark.parametrize("command", ["test", "apk"])
def test_what_verify_leaves_out(command) -> None:
    _run(sys.executable, str(APP / "offline/build.py"), command)


@NEEDS_TOOLS
@pytest.mark.prove
def test_files_of_every_model_answer_for_every_face() -> None:
    _run(sys.executable, str(APP / "offline/build.py"), "core", "--every-face")


@NEEDS_TOOLS
@pytest.mark.prove
def test_the_shrunk_app_filters() -> None:
    _run(sys.executable, str(APP / "offline/build.py"), "shrunk")
