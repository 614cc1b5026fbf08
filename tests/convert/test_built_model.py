"""`build`: equal arguments give equal bytes, nothing is written, and no work is done twice."""

import sys
from collections import Counter
from pathlib import Path

import pytest

import fer_mobile
from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.convert import ExportOptions, build, export, verify
from fer_mobile.errors import InputError
from fer_mobile.model_file import contract_file, split

ROOT = Path(fer_mobile.__file__).parent

STAGES = {
    "checkpoint/load": "load_checkpoint",
    "checkpoint/keras_file": "load_keras",
    "convert/built_model": "build",
    "convert/reference": "bundled_reference",
    "graph/network": "read_network",
    "graph/from_keras": "from_keras",
    "graph/passes": "rewrite_graph",
    "graph/merge_repeated_channels": "merge_repeated_channels",
    "graph/fold_batch_norm": "fold_batch_norm",
    "graph/space_to_depth": "_rewritten",
    "convert/calibration": "find_calibration",
    "graph/to_tensorflow": "to_tensorflow",
    "convert/converter": "to_tflite",
    "convert/int8": "to_int8",
    "convert/quantize": "to_integer",
    "convert/metadata": "add_metadata",
    "convert/verification": "verify_content",
    "runtime/classifier": "__init__",
    "convert/saturation": "saturation",
}
"""The modules that a model passes through, each by the function that does its work."""


@pytest.fixture(scope="module")
def checkpoint():
    return load_checkpoint("compact")


@pytest.fixture(scope="module")
def built(checkpoint):
    return build(checkpoint, ExportOptions(quantize="float16"))


def test_equal_arguments_give_equal_bytes(checkpoint, built):
    assert build(checkpoint, ExportOptions(quantize="float16")) == built
    assert split(built.content)[1] == built.contract
    assert built.contract.accelerators == ()


def test_saved_as_it_was_built(built, tmp_path):
    path = built.save(tmp_path / "new")
    assert path.read_bytes() == built.content
    assert contract_file(path).read_text("utf-8") == built.contract.to_json()
    assert verify(path).passed


def test_both_files_or_neither(built, tmp_path):
    contract_file(tmp_path / built.name).mkdir()
    with pytest.raises(InputError, match="found a folder"):
        built.save(tmp_path)
    assert not (tmp_path / built.name).exists()


def test_a_model_passes_through_each_module_once(tmp_path):
    """An int8 export, which has all stages."""
    calls = Counter()

    def profile(frame, event, _):
        if event == "call" and frame.f_code.co_filename.startswith(str(ROOT)):
            module = Path(frame.f_code.co_filename).relative_to(ROOT).with_suffix("").as_posix()
            if STAGES.get(module) == frame.f_code.co_name:
                calls[module] += 1

    options = ExportOptions(quantize="int8")
    sys.setprofile(profile)
    try:
        done = export("compact", options=options, out=tmp_path)
    finally:
        sys.setprofile(None)
    assert done.verification.passed
    assert [(row.name, row.verdict) for row in done.contract.accelerators] == [("gpu", "differs")]
    assert calls == dict.fromkeys(STAGES, 1)
