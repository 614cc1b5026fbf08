"""No output takes the place of what a command reads."""

from __future__ import annotations

import shutil

import pytest

from fer_mobile.models import DEFAULT, tflite_file
from fer_mobile.resources import photos_dir


@pytest.mark.parametrize(
    "command",
    [
        ("data", "inspect", "faces", "--html"),
        ("report", "errors", "--data", "faces", "--out"),
        ("bench", "--photos", "faces", "--chart"),
        ("bench", "--photos", "faces", "--out"),
        ("explain", "faces/fear/cat.png", "--out"),
    ],
    ids=" ".join,
)
def test_a_photo_that_is_read_is_refused_as_an_output(fer_mobile, command):
    faces = fer_mobile.folder / "faces" / "fear"
    faces.mkdir(parents=True)
    shutil.copy(photos_dir() / "cat.png", faces)
    line = fer_mobile.refused(*command, "faces/fear/cat.png")
    assert "cat.png: expected a file to write, found" in line
    assert (faces / "cat.png").read_bytes() == (photos_dir() / "cat.png").read_bytes()


def test_a_model_that_is_read_is_refused_as_an_output(fer_mobile):
    model = fer_mobile.folder / "model.tflite"
    shutil.copy(tflite_file(DEFAULT), model)
    (fer_mobile.folder / "faces.npz").write_bytes(b"")
    for out in ("model.tflite", "faces.npz"):
        line = fer_mobile.refused(
            "report", "errors", "model.tflite", "--data", "faces.npz", "--out", out
        )
        assert f"{out}: expected a file to write" in line
