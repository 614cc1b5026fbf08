"""Shipped files on a GPU: LiteRT's accelerator on SwiftShader, which Chromium's package brings."""

import json

import pytest

from fer_mobile.convert import verify
from fer_mobile.convert.gpu_verdict import known_verdicts
from fer_mobile.model_file import split
from fer_mobile.models import shipped_models
from fer_mobile.runtime.gpu import DRIVER, swiftshader

NEEDS_DRIVER = pytest.mark.skipif(swiftshader() is None, reason="SwiftShader is not installed")
FILES = {
    file.stem: (name, precision, file)
    for name, model in shipped_models(copies=True).items()
    for precision, file in model.files.items()
}


@NEEDS_DRIVER
def test_a_float16_file_answers_on_the_gpu_as_its_float_weights():
    found = verify(shipped_models()["compact"].files["float16"], gpu=True)
    checks = {check.name: check for check in found.checks}
    assert checks["GPU, residency"].passed
    assert "SwiftShader" in checks["GPU, residency"].detail
    assert checks["GPU, parity"].passed
    assert "32 golden faces" in checks["GPU, parity"].detail


@pytest.mark.parametrize("stem", FILES)
def test_operations_tell_which_shipped_files_differ(stem):
    """So that an int8 file of one's own does not go without the verdict."""
    bare, contract = split(FILES[stem][2].read_bytes())
    stated = [row.name for row in contract.accelerators if row.verdict == "differs"]
    assert [row.name for row in known_verdicts(bare)] == stated


def test_without_a_driver_one_line_says_what_to_install(fer_mobile):
    line = fer_mobile.refused("verify", "compact", "--gpu", **{DRIVER: "/nowhere.json"})
    assert "expected a Vulkan driver that LiteRT's accelerator can use" in line
    assert line.endswith("On Debian, without a GPU: apt-get install chromium")


@NEEDS_DRIVER
@pytest.mark.prove
@pytest.mark.parametrize("stem", FILES)
def test_the_verdict_of_every_shipped_file_is_the_one_in_its_folder(stem, fer_mobile):
    name, precision, file = FILES[stem]
    stated = json.loads(
        (shipped_models(copies=True)[name].folder / "accelerators.json").read_text()
    )
    (gpu,) = [row for row in stated[precision] if row["name"] == "gpu"]
    right = gpu["verdict"] == "as-reference"
    found = fer_mobile.json("verify", file, "--gpu", code=0 if right else 1)
    assert found["checks"]["GPU, residency"]["passed"]
    assert found["checks"]["GPU, parity"]["passed"] == right
