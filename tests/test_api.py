"""The package as its users import it: the names, when they are loaded, and what they raise."""

import inspect
import io
import os
import pickle
import pydoc
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

import fer_mobile
from fer_mobile.labels import LABELS
from fer_mobile.predictor import load_predictor
from fer_mobile.preprocess import resize, to_gray
from fer_mobile.resources import photos_dir

ROOT = Path(__file__).resolve().parent.parent
USER = ROOT / "tests" / "api_user.py"
PORTRAIT = photos_dir() / "astronaut-smile.jpg"

NAMES = {
    "Box", "DataError", "Dataset", "Evaluation", "ExportOptions", "Exported", "Face",
    "FerMobileError", "InputError", "LibraryScan", "MissingPackageError", "ModelError",
    "PhotoError", "PhotoResult", "Pipeline", "PrecomputedBoxes", "Predictions", "Predictor",
    "Recipe", "RecipeError", "ScanOptions", "TrainingResult", "UnsupportedLayerError",
    "Verification", "__version__", "classify_faces", "evaluate", "export", "list_models",
    "load_dataset", "load_detector", "load_pipeline", "load_predictor", "load_recipe",
    "scan_library", "to_pandas", "train", "verify",
}  # fmt: skip


def in_a_process(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


# --- names -------------------------------------------------------------------------------


def test_the_public_names():
    assert set(fer_mobile.__all__) == NAMES
    assert set(dir(fer_mobile)) >= NAMES
    assert all(getattr(fer_mobile, name) is not None for name in NAMES)
    with pytest.raises(AttributeError, match="no attribute 'load_pipline'"):
        fer_mobile.load_pipline  # noqa: B018


def test_what_is_imported_under_a_name_is_what_type_checkers_see():
    source = Path(fer_mobile.__file__).read_text(encoding="utf-8")
    for name in NAMES - {"__version__"}:
        assert f"    from {getattr(fer_mobile, name).__module__.partition('.')[0]}." in source
        assert f" import {name} as {name}\n" in source


def test_every_error_is_exported_and_in_one_tree():
    from fer_mobile import errors

    public = [
        each
        for each in vars(errors).values()
        if inspect.isclass(each) and issubclass(each, Exception)
    ]
    assert {each.__name__ for each in public} <= NAMES
    assert all(issubclass(each, fer_mobile.FerMobileError) for each in public)
    assert all(
        issubclass(each, fer_mobile.InputError)
        for each in public
        if each is not fer_mobile.FerMobileError
    )


def test_users_type_checkers_see_types_and_no_any(tmp_path):
    """`api_user.py` is checked as in a project of its own, where every Any would be an error."""
    strict = ["--strict", "--disallow-any-expr", "--follow-imports=silent", "--config-file="]
    cache = f"--cache-dir={ROOT / '.mypy_cache/user'}"
    command = [sys.executable, "-m", "mypy", *strict, cache, USER]
    environment = os.environ | {"MYPYPATH": str(ROOT)}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment
    )
    assert done.returncode == 0, done.stdout


def test_errors_can_be_pickled():
    """They cross from worker processes."""
    errors = [
        fer_mobile.FerMobileError("our fault"),
        fer_mobile.PhotoError("a.jpg", expected="a photo", found="none", hint="Look."),
        fer_mobile.MissingPackageError("training", package="keras", extra="train"),
    ]
    for error in errors:
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))


def test_nothing_is_imported_before_it_is_used():
    code = (
        "import sys, fer_mobile\n"
        "dir(fer_mobile)\n"
        "heavy = ('tensorflow', 'keras', 'cv2', 'ray', 'numpy', 'PIL', 'pydantic')\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    assert in_a_process(code) == "[]\n"


def test_help_is_a_page_with_every_name():
    page = pydoc.plain(pydoc.render_doc(fer_mobile))
    assert "load_pipeline" in page
    assert all(name in page for name in NAMES)


def test_the_version_has_one_source():
    import tomllib

    from fer_mobile._version import __version__

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "version" in project["dynamic"]
    assert fer_mobile.__version__ == __version__


# --- faces that are cut out already --------------------------------------------------------


@pytest.fixture(scope="module")
def predictor():
    return load_predictor("compact")


@pytest.fixture(scope="module")
def rgb() -> np.ndarray:
    """Two RGB faces uint8 [2, 100, 100, 3]."""
    portrait = np.asarray(Image.open(PORTRAIT).convert("RGB"))
    return np.stack([portrait[60:160, 160:260], portrait[50:150, 150:250]])


def test_gray_and_rgb_faces_have_the_same_expressions(predictor, rgb):
    expected = fer_mobile.classify_faces(rgb, predictor)
    assert expected.labels == LABELS
    assert expected.probabilities.shape == (2, 8)
    np.testing.assert_allclose(expected.probabilities.sum(1), 1, atol=0.03)
    gray = np.stack([to_gray(face) for face in rgb])
    for faces in (gray, list(rgb), list(gray), [rgb[0], gray[1]], (rgb[:1], gray[1:])):
        found = fer_mobile.classify_faces(faces, predictor)
        np.testing.assert_array_equal(found.probabilities, expected.probabilities)
    found = fer_mobile.classify_faces(gray[..., None], predictor)  # as networks have them
    np.testing.assert_array_equal(found.probabilities, expected.probabilities)
    for face in (rgb[0], gray[0], gray[0][..., None]):
        (row,) = fer_mobile.classify_faces(face, predictor).probabilities
        np.testing.assert_array_equal(row, expected.probabilities[0])


def test_faces_of_different_sizes_come_as_a_list(predictor, rgb):
    small = resize(to_gray(rgb[0]), 40)
    found = fer_mobile.classify_faces([rgb[0], small], predictor)
    assert len(found) == 2
    assert found.best[0] == LABELS[int(found.probabilities[0].argmax())]
    assert found.confidences == found.probabilities.max(1).tolist()
    assert tuple(found.as_dicts()[0]) == LABELS


def test_a_models_name_is_enough(predictor, rgb):
    found = fer_mobile.classify_faces(rgb, "compact")
    np.testing.assert_array_equal(found.probabilities, predictor(rgb))


def test_no_face_has_no_expression(predictor):
    for faces in ([], np.zeros((0, 48, 48), np.uint8), np.zeros((0, 48, 48, 3), np.uint8)):
        found = fer_mobile.classify_faces(faces, predictor)
        assert (len(found), found.best, found.confidences, found.as_dicts()) == (0, [], [], [])
        assert found.probabilities.shape == (0, 8)


def test_faces_that_are_none_are_refused(predictor):
    for faces, found in (
        (np.zeros((48, 48), np.float32), r"float32 \[48, 48\]\. Pixels are 0 to 255"),
        (np.zeros((2, 48, 48, 4), np.uint8), r"uint8 \[2, 48, 48, 4\]"),
        (np.zeros(48, np.uint8), r"uint8 \[48\]"),
        (np.zeros((0, 5), np.uint8), r"uint8 \[0, 5\]"),
        (None, "NoneType"),
        ("face.png", "str"),
        ([[1, 2], [3, 4]], "int"),
    ):
        with pytest.raises(fer_mobile.InputError, match=f"faces: expected .* found {found}"):
            fer_mobile.classify_faces(faces, predictor)


# --- whatever is given, the answer is a result or one of our errors ------------------------


@pytest.fixture(scope="module")
def pipeline():
    return fer_mobile.load_pipeline("compact")


shapes = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=40)
any_array = arrays.arrays(
    dtype=st.one_of(st.just(np.dtype(np.uint8)), arrays.scalar_dtypes(), st.just(np.dtype(object))),
    shape=shapes,
    elements=None,
    fill=st.nothing(),
)
anything = st.one_of(
    st.text(max_size=300),
    st.text(min_size=1, max_size=3).map(Path),
    st.binary(max_size=300),
    st.binary(max_size=300).map(bytearray),
    st.binary(max_size=300).map(io.BytesIO),
    st.text(max_size=30).map(io.StringIO),
    st.none() | st.booleans() | st.integers() | st.floats(),
    st.lists(st.text(max_size=3) | st.integers(), max_size=3),
    any_array,
)


def only_our_errors(call) -> None:
    message = "expected a result"
    try:
        call()
    except fer_mobile.FerMobileError as error:
        message = str(error)
    assert "expected" in message
    assert "\n" not in message


@settings(max_examples=300, deadline=None)
@given(anything)
def test_a_pipeline_never_raises_anything_but_our_errors(pipeline, source):
    only_our_errors(lambda: pipeline(source))
    only_our_errors(lambda: list(pipeline.batch(source)))
    only_our_errors(lambda: pipeline(source, bgr=True, on_error="result"))


@settings(max_examples=100, deadline=None)
@example(np.zeros((1, 1), np.complex64))
@example([range(-(2**62), 0)])
@example([range(2**53, 2**63)])
@example([[10**400, 0, 1, 1]])
@given(anything)
def test_boxes_never_raise_anything_but_our_errors(pipeline, boxes):
    photo = np.zeros((40, 50), np.uint8)
    only_our_errors(lambda: pipeline(photo, boxes=boxes))
    only_our_errors(lambda: pipeline(photo, on_error=boxes))


@settings(max_examples=200, deadline=None)
@given(anything)
def test_classify_faces_never_raises_anything_but_our_errors(predictor, faces):
    only_our_errors(lambda: fer_mobile.classify_faces(faces, predictor))


@settings(max_examples=100, deadline=None)
@given(st.data(), st.integers(0, 2**16))
def test_a_damaged_photo_in_memory_is_a_photo_error(pipeline, data, place):
    content = bytearray(PORTRAIT.read_bytes())
    content[place % len(content)] ^= data.draw(st.integers(1, 255))
    content = content[: data.draw(st.integers(0, len(content)))]
    only_our_errors(lambda: pipeline(io.BytesIO(content)))


def test_a_message_in_a_message_ends_with_one_full_stop():
    error = fer_mobile.InputError("DIR", expected="a photo", found="none; the first says: empty.")
    assert str(error) == "DIR: expected a photo, found none; the first says: empty."
