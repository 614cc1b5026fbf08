"""What an export may be asked for: refused at once, by the parameter's name."""

from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_mobile.convert import ExportOptions, export
from fer_mobile.errors import InputError
from fer_mobile.types import COLORS, FILE_FORMATS, QUANTIZATIONS, TENSOR_TYPES

VALUES = {
    "quantize": QUANTIZATIONS,
    "format": FILE_FORMATS,
    "io": TENSOR_TYPES,
    "color": COLORS,
    "calibrate": (None, "faces"),
}


@given(st.fixed_dictionaries({name: st.sampled_from(known) for name, known in VALUES.items()}))
def test_options_exist_or_are_refused_by_name(values):
    refusal = None
    try:
        options = ExportOptions(**values)
    except InputError as error:
        refusal = error
    if refusal:
        assert refusal.subject in values
        assert "--" not in str(refusal)
        return
    if options.format == "onnx":
        assert (options.quantize, options.color) == ("none", "gray")
    if options.quantize != "int8":
        assert (options.io, options.calibrate) == ("int8", None)
    assert (options.color, options.io) != ("rgb", "float32")
    with pytest.raises(FrozenInstanceError):
        options.quantize = "none"


@given(st.sampled_from(["quantize", "format", "io", "color"]), st.text(max_size=12))
def test_unknown_values_are_refused(name, value):
    if value not in VALUES[name]:
        with pytest.raises(InputError, match=f"^{name}: expected one of {VALUES[name][0]}, "):
            ExportOptions(**{name: value})


def test_options_or_single_parameters_but_not_both(tmp_path):
    with pytest.raises(InputError, match="options: expected no other parameter"):
        export(options=ExportOptions(), color="rgb", out=tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--input", "rgbx"), "--input: expected one of gray, rgb, found 'rgbx'"),
        (("--io", "uint8", "--quantize", "none"), "--io: expected --quantize int8, which alone"),
        (("--format", "onnx"), "--format: expected --quantize none with --format onnx"),
        (("--calibrate", ".", "--quantize", "none"), "--calibrate: expected --quantize int8"),
    ],
)
def test_the_command_line_names_its_flags(fer_mobile, arguments, message):
    assert message in fer_mobile.refused("export", *arguments)
