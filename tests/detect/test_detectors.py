"""One interface: every detector on the same photos, and what of a setting reaches the answer."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_mobile.detect import DETECTION_SIDES, load_detector
from fer_mobile.detect.yunet import overlap
from fer_mobile.errors import InputError, ModelError
from fer_mobile.images import load_photo
from fer_mobile.pipeline import load_pipeline
from fer_mobile.resources import photos_dir
from fer_mobile.types import Box
from tests.detect.conftest import Answers, answers

ROOT = Path(__file__).resolve().parents[2]
PORTRAIT = photos_dir() / "astronaut-smile.jpg"


def differences(answers: Answers) -> list[tuple[str, int, int]]:
    """Photos of which OpenCV's detector and the shipped one do not say the same."""
    different = []
    for path, (found, expected) in answers.items():
        same = len(found) == len(expected) and all(
            overlap(a.box, b.box) >= 0.9 and a.score == pytest.approx(b.score, abs=0.01)
            for a, b in zip(found, expected, strict=True)
        )
        if not same:
            different.append((path.name, len(found), len(expected)))
    return different


def test_shipped_and_opencv_say_the_same_of_bundled_photos():
    assert differences(answers(photos_dir())) == []


def test_shipped_and_opencv_say_the_same_of_shared_photos(shared_data):
    every_sixth = answers(shared_data / "photos", every=6)
    assert len(every_sixth) == 91
    assert differences(every_sixth) == []


@pytest.mark.prove
def test_shipped_and_opencv_say_the_same_of_all_shared_photos(shared_data):
    everything = answers(shared_data / "photos")
    assert len(everything) == 546
    assert differences(everything) == []


def test_both_give_landmarks_in_pixels_of_the_whole_photo(tmp_path):
    path = tmp_path / "large.jpg"
    image = Image.open(PORTRAIT)
    image.resize((4 * image.width, 4 * image.height)).save(path)
    (small,) = load_detector().detect(load_photo(PORTRAIT))
    for name in ("yunet", "opencv"):
        (large,) = load_detector(name).detect(load_photo(path, min_long_side=640))
        assert overlap(large.box, small.box.scaled(4)) > 0.9
        expected = np.array(small.landmarks) * 4
        np.testing.assert_allclose(large.landmarks, expected, atol=0.1 * large.box.height)


def small_face(height: int) -> Image.Image:
    """A photo of 1920×1280 with one face about `height` pixels high."""
    (face,) = load_detector().detect(load_photo(PORTRAIT))
    portrait = Image.open(PORTRAIT)
    factor = height / face.box.height
    photo = Image.new("RGB", (1920, 1280), "gray")
    size = (round(portrait.width * factor), round(portrait.height * factor))
    photo.paste(portrait.resize(size, Image.Resampling.LANCZOS), (800, 600))
    return photo


@pytest.mark.parametrize("name", ["yunet", "opencv"])
def test_a_larger_detection_size_finds_smaller_faces(name):
    photo = small_face(20)
    assert load_pipeline(detector=name)(photo).faces == ()
    (face,) = load_pipeline(detector=name, detection_size=1920)(photo).faces
    assert face.box.height == pytest.approx(20, abs=4)
    assert (face.box.x > 800, face.box.y > 600) == (True, True)


def test_a_larger_detection_size_enlarges_a_small_photo_as_much():
    photo = small_face(27)
    photo.thumbnail((640, 640))
    assert load_pipeline()(photo).faces == ()
    (face,) = load_pipeline(detection_size=1280)(photo).faces
    assert face.box.height == pytest.approx(9, abs=2)
    portrait = load_photo(PORTRAIT)
    (expected,) = load_detector().detect(portrait)
    (found,) = load_detector(side=1280).detect(portrait)
    assert overlap(found.box, expected.box) > 0.85


def test_a_detection_size_decodes_as_much_as_it_needs(tmp_path):
    path = tmp_path / "photo.jpg"
    small_face(20).save(path, quality=95)
    assert len(load_pipeline(detection_size=1920)(path).faces) == 1


@pytest.mark.parametrize("size", [DETECTION_SIDES[0] - 1, DETECTION_SIDES[-1] + 1, -640])
def test_detection_sizes_have_limits(size):
    with pytest.raises(InputError, match=f"expected 64 to 4096 pixels, found {size}"):
        load_detector(side=size)


def test_the_identity_names_all_that_may_change_answers():
    detectors = [load_detector(), load_detector("opencv"), load_detector(side=1280)]
    assert len({detector.identity for detector in detectors}) == 3
    assert load_detector().identity == detectors[0].identity


def test_unknown_detector_is_named():
    with pytest.raises(ModelError, match=r"found 'yunett'\. Did you mean 'yunet'\?"):
        load_detector("yunett")


def test_the_command_line_passes_detector_and_size_on(fer_mobile, tmp_path):
    path = tmp_path / "photos" / "photo.png"
    path.parent.mkdir()
    small_face(20).save(path)
    cache = {"FER_MOBILE_CACHE": str(tmp_path)}
    for command, where in (("predict", path), ("filter", path.parent)):
        options = ("--detector", "opencv", "--detection-size", "1920", "--json")
        found = json.loads(fer_mobile(command, where, *options, **cache).stdout)
        (row,) = found if command == "predict" else found["rows"]
        assert len(row["faces"]) == 1
        line = fer_mobile.refused(command, where, "--detector", "haar", **cache)
        assert "--detector: expected yunet or opencv or mediapipe or boxes, found 'haar'" in line


def test_mediapipe_is_asked_for_by_its_extra():
    """In a process of its own, where mediapipe cannot be imported."""
    code = (
        "import sys\n"
        "sys.modules['mediapipe'] = None\n"
        "from fer_mobile.detect import load_detector\n"
        "load_detector('mediapipe')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'fer-mobile[mediapipe]'" in done.stderr.splitlines()[-1]


def test_mediapipe_finds_the_bundled_faces(tmp_path):
    pytest.importorskip("mediapipe", reason="needs the extra mediapipe (its own environment)")
    pipeline = load_pipeline(detector="mediapipe")
    expected = load_pipeline()
    for name in ("astronaut-smile.jpg", "cat.png"):
        found = pipeline(photos_dir() / name)
        faces = expected(photos_dir() / name).faces
        assert len(found.faces) == len(faces)
        assert all(overlap(a.box, b.box) > 0.7 for a, b in zip(found.faces, faces, strict=True))
    other = tmp_path / "no.tflite"
    other.write_bytes(b"no model")
    for model in (other, tmp_path / "missing.tflite"):
        with pytest.raises(ModelError, match="a model for MediaPipe's face detector"):
            load_pipeline(detector="mediapipe", detector_model=model)


def test_a_model_for_a_detector_that_has_its_own_is_refused(fer_mobile):
    with pytest.raises(InputError, match=r"detector_model: .* Use `detector='mediapipe'`"):
        load_pipeline(detector_model="blaze.tflite")
    line = fer_mobile.refused("predict", PORTRAIT, "--detector-model", "blaze.tflite")
    assert "--detector-model: expected" in line
    assert "Use --detector mediapipe." in line


@pytest.mark.prove
@pytest.mark.parametrize("python", ["python3.11", "python3.12", "python3.13"])
def test_the_mediapipe_extra_detects_in_a_fresh_environment(tmp_path, python):
    # Asked, not looked up: a version manager's shim may be there for a Python that is not.
    if shutil.which(python) is None or subprocess.run([python, "-c", ""], check=False).returncode:
        pytest.skip(f"{python} is not on this machine")
    home = tmp_path / "venv"
    subprocess.run([python, "-m", "venv", home], check=True)
    package = f"{ROOT}[mediapipe]"
    install = [home / "bin/pip", "install", "-q", "-c", ROOT / "constraints.txt", package]
    subprocess.run(install, check=True)
    command = [home / "bin/fer-mobile", "predict", "--detector", "mediapipe", PORTRAIT, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    (row,) = json.loads(done.stdout)
    (face,) = row["faces"]
    (expected,) = load_pipeline()(PORTRAIT).faces
    assert overlap(Box(*face["box"]), expected.box) > 0.7
    assert done.stderr == ""


def test_no_detector_is_imported_before_it_is_used():
    code = (
        "import sys\n"
        "from fer_mobile.pipeline import load_pipeline\n"
        "load_pipeline(detector='yunet')\n"
        "print([name for name in ('mediapipe', 'tensorflow') if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout == "[]\n"
