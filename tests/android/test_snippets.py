"""Code to copy into apps: what a file decides of it, and which code a file is said to need.

The snippet for MediaPipe Tasks is run as a user would; verify.sh runs the other two.
"""

import json
import sys
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest
from PIL import Image

from fer_mobile.cli.next_step import next_step
from fer_mobile.contract import ModelContract
from fer_mobile.errors import InputError, ModelError
from fer_mobile.images import find_photos
from fer_mobile.model_file import attach, model_checksum, read_contract, split
from fer_mobile.models import DEFAULT, shipped_models
from fer_mobile.pipeline import load_pipeline
from fer_mobile.preprocess import CropRule
from fer_mobile.resources import photos_dir
from fer_mobile.snippet import MEDIAPIPE, SNIPPETS, snippet
from fer_mobile.types import Box
from tests.test_installs import install, run

COMPACT = shipped_models()["compact"]
LIBRARY = "of the library (docs/android.md)"

USER = """
import json, sys
from pathlib import Path
from PIL import Image, ImageOps
from expression_classifier import classify

labels = []
for path, box in json.loads(Path(sys.argv[1]).read_text()):
    scores = classify(ImageOps.exif_transpose(Image.open(path)).convert("RGB"), *box)
    labels.append(max(scores, key=scores.get))
print(json.dumps(labels))
"""


def _altered(tmp_path: Path, name: str = "mine_int8.tflite", **changes: object) -> Path:
    """A shipped file with other values in its contract."""
    bare, contract = split(COMPACT.files["int8"].read_bytes())
    bare = bare.replace(b"Probabilities of ", b"Something else of")  # the labels in its metadata
    document = contract.model_dump() | {"label_facts": {}, "figures": (), "reference": {}}
    document["model_sha256"] = model_checksum(bare)
    for place, value in changes.items():
        *path, last = place.split("__")
        part = document
        for key in path:
            part = part[key]
        part[last] = value
    file = tmp_path / name
    file.write_bytes(attach(bare, ModelContract.model_validate(document)))
    return file


def _rgb(tmp_path: Path) -> Path:
    return _altered(
        tmp_path,
        "mine_rgb_int8.tflite",
        input__dtype="uint8",
        input__shape=(1, 48, 48, 3),
        input__scale=None,
        input__zero_point=None,
        preprocessing__gray="in-graph",
    )


@pytest.mark.parametrize("language", SNIPPETS)
def test_what_a_file_decides_is_in_the_code_once(language):
    from fer_mobile.snippet import _default_constants

    contract = read_contract(shipped_models()[DEFAULT].files["int8"])
    assert (contract.input.zero_point, contract.input.dtype) == (-128, "int8")
    assert contract.input.scale == pytest.approx(1 / 255)
    code = snippet(language)
    assert [code.count(text) for text in _default_constants(language)] == [
        1 for _ in _default_constants(language)
    ]
    assert language == MEDIAPIPE or "byte = gray - 128" in code


@pytest.mark.parametrize("language", ["kotlin", "java"])
def test_the_code_of_a_model_has_its_labels_and_its_crop(tmp_path, language):
    seven = snippet(language, "compact_fer2013")
    assert '"disgust", "fear"' in seven
    assert "contempt" not in seven
    labels = ("plain", 'quo"ted', "$name", "back\\slash", "été", "f", "g", "h")
    own = _altered(
        tmp_path,
        labels=labels,
        preprocessing__crop={"scale": 1.25, "shift_y": -0.1},
    )
    code = snippet(language, own)
    name = "\\$name" if language == "kotlin" else "$name"
    assert f'"plain", "quo\\"ted", "{name}", "back\\\\slash", "été", "f"' in code
    assert "(1.25 * face.height())" in code
    assert "+ -0.1 * face.height()" in code


def test_the_code_for_mediapipe_has_the_name_and_size_of_the_file(tmp_path):
    file = _rgb(tmp_path)
    code = snippet(MEDIAPIPE, file)
    assert f'MODEL = "{file}"' in code
    assert "SIZE = 48" in code
    with pytest.warns(DeprecationWarning, match="'mediapipe' is now 'mediapipe-python'"):
        assert snippet("mediapipe", file) == code


def test_a_file_that_the_code_cannot_run_is_refused(tmp_path):
    float16 = COMPACT.files["float16"]
    with pytest.raises(InputError, match=r"gray faces as int8, found float32 .* Fer\.create of"):
        snippet("kotlin", float16)
    with pytest.raises(
        InputError, match=r"found uint8 \[1, 48, 48, 3\]. For this one: mediapipe-python"
    ):
        snippet("java", _rgb(tmp_path))
    with pytest.raises(InputError, match=r"expected a file that takes RGB, .* with `export\(\)`"):
        snippet(MEDIAPIPE, "compact")
    for change in (
        {
            "preprocessing__normalisation": "pixel/127.5-1",
            "requires": ("levelling", "normalisation"),
        },
        {"output_values": "logits", "requires": ("levelling", "softmax")},
    ):
        with pytest.raises(InputError, match="gray faces as int8"):
            snippet("kotlin", _altered(tmp_path, **change))
    with pytest.raises(ModelError, match="Did you mean 'compact'"):
        snippet("kotlin", "compct")
    with pytest.raises(InputError, match="or mediapipe-python, found 'swift'"):
        snippet("swift")


def test_every_file_is_followed_by_the_code_that_fits_it(tmp_path):
    compact = COMPACT.files["int8"]
    assert next_step([compact]) == (
        "fer-mobile android snippet kotlin (or java), "
        f'or Fer.create(context, "compact_int8.tflite") {LIBRARY}'
    )
    seven = shipped_models(copies=True)["compact_fer2013"].files["int8"]
    assert next_step([seven]) == (
        f"fer-mobile android snippet kotlin --model {seven} (or java), "
        f'or Fer.create(context, "compact_fer2013_int8.tflite") {LIBRARY}'
    )
    float16 = COMPACT.files["float16"]
    assert next_step([float16]) == f'Fer.create(context, "compact_float16.tflite") {LIBRARY}'
    assert next_step([_rgb(tmp_path)]).startswith(
        f"fer-mobile android snippet mediapipe-python --model {tmp_path}/mine_rgb_int8.tflite, or"
    )
    assert next_step([compact, shipped_models()[DEFAULT].files["int8"]]) == (
        f"fer-mobile android snippet kotlin (or java), or Fer.create {LIBRARY}"
    )
    assert next_step([compact, seven]) == (
        f"fer-mobile android snippet kotlin --model FILE (or java), or Fer.create {LIBRARY}"
    )


def test_commands_name_the_code_that_fits(fer_mobile):
    done = fer_mobile("export", "compact_fer2013", "--out", "a b")
    file = "'a b/compact_fer2013_int8.tflite'"
    assert f"next: fer-mobile android snippet kotlin --model {file} (or java), or " in done.stdout
    done = fer_mobile("android", "bundle", "assets", "--model", "compact_fer2013")
    file = "assets/models/compact_fer2013_int8.tflite"
    assert f"next: fer-mobile android snippet kotlin --model {file} (or java), or " in done.stdout
    code = fer_mobile("android", "snippet", "kotlin", "--model", file).stdout
    assert code == snippet("kotlin", "compact_fer2013")


def test_the_mediapipe_snippet_repeats_the_edge(monkeypatch):
    """As the contract has it, by the part of the snippet that needs no MediaPipe."""
    module = MagicMock()
    for name in ("mediapipe", "mediapipe.tasks", "mediapipe.tasks.python"):
        monkeypatch.setitem(sys.modules, name, module)
    names: dict[str, Any] = {}
    exec(snippet(MEDIAPIPE), names)
    photo = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    for x, y in ((-10, -5), (50, 20), (20, 10)):
        names["classify"](Image.fromarray(photo), x, y, 40, 50)
        shown = module.Image.call_args.kwargs["data"]
        left, top, side = CropRule().square(Box(x, y, 40, 50))
        wide = np.pad(photo, ((99, 99), (99, 99), (0, 0)), "edge")
        square = Image.fromarray(wide[99 + top :, 99 + left :][:side, :side])
        expected = square.resize((names["SIZE"],) * 2, Image.Resampling.BILINEAR)
        np.testing.assert_array_equal(shown, np.asarray(expected))


@pytest.mark.prove
def test_mediapipe_gives_the_labels_of_predict(tmp_path):
    from fer_mobile.convert import export

    export(color="rgb", out=tmp_path)
    (tmp_path / "expression_classifier.py").write_text(snippet(MEDIAPIPE), "utf-8")
    (tmp_path / "user.py").write_text(USER, "utf-8")
    pipeline = load_pipeline()
    faces = [(path, face) for path in find_photos(photos_dir()) for face in pipeline(path).faces]
    boxes = [(str(path), list(face.box)) for path, face in faces]
    (tmp_path / "faces.json").write_text(json.dumps(boxes), "utf-8")
    python = install(tmp_path / "venv", sys.executable, "constraints.txt", "mediapipe") / "python"
    printed = run(python, "user.py", "faces.json", cwd=tmp_path).splitlines()[-1]
    same = sum(a == face.label for a, (_, face) in zip(json.loads(printed), faces, strict=True))
    # Pillow resizes otherwise: a face on the edge may change sides.
    assert same >= len(faces) - 1
