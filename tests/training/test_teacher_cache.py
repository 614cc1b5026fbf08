"""Teacher targets in a file: a student learns the same from it, and refuses those of others."""

import json

import numpy as np
import pytest

from fer_mobile.errors import RecipeError
from fer_mobile.training import load_recipe
from fer_mobile.training.batches import LearnedRows
from fer_mobile.training.recipe import Recipe, override
from fer_mobile.training.split import training_rows
from fer_mobile.training.teacher_cache import TeacherCache
from tests.command_line import open_files

TINY = [
    "model.architecture=simple_cnn",
    "model.options={size=16}",
    "epochs=3",
    "batch_size=16",
    "mixup=0.4",
    "views=2",
]


@pytest.fixture(scope="module")
def taught(train, trained_run, tiny_recipe, small_npz, tmp_path_factory):
    """A run whose teacher was asked, its recipe, and the file of the teacher's targets."""
    folder = tmp_path_factory.mktemp("taught")
    teachers = f'distillation.teachers=["{trained_run.as_posix()}"]'
    recipe = load_recipe(tiny_recipe, [*TINY, teachers])
    train(recipe, folder / "run", data=small_npz)
    return folder / "run", recipe, folder / "run" / "teacher_targets.npz"


def reading(recipe, file, *changes):
    """The recipe with a cache instead of teachers, who are gone."""
    gone = 'distillation.teachers=["gone"]'
    return override(recipe, [f'distillation.cache="{file.as_posix()}"', gone, *changes])


def cache_of(recipe, learn):
    return TeacherCache(recipe, LearnedRows.of(recipe, learn), learn.names, 16, 16)


def losses(run):
    return np.genfromtxt(run / "history.csv", delimiter=",", names=True)["loss"]


def test_the_file_is_small_and_says_what_it_is_of(taught):
    _, recipe, file = taught
    with np.load(file) as content:
        targets, about = content["targets"], json.loads(str(content["about"]))
    assert (targets.shape, targets.dtype) == ((2, 80, 8), np.float16)
    assert file.stat().st_size < targets.nbytes + 4000
    assert Recipe.model_validate(about["recipe"]) == recipe
    assert about["batches"]["rows"] == 80


def test_a_student_learns_from_the_file_as_from_its_teachers(train, taught, small_npz, tmp_path):
    run, recipe, file = taught
    lines = []
    train(reading(recipe, file), tmp_path, data=small_npz, report=lines.append)
    assert not [line for line in lines if line.startswith("teachers together")]
    np.testing.assert_allclose(losses(tmp_path), losses(run), rtol=1e-4)
    assert not (tmp_path / "teacher_targets.npz").exists()


def test_a_resumed_run_asks_for_what_is_missing(train, trained_run, taught, small_npz, tmp_path):
    run, recipe, _ = taught

    def leave_after_one(line):
        if line.startswith("epoch   1"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(recipe, tmp_path, data=small_npz, report=leave_after_one)
    with np.load(tmp_path / "teacher_targets.npz") as content:
        assert len(content["targets"]) == 1
    half = reading(recipe, tmp_path / "teacher_targets.npz")
    with pytest.raises(RecipeError, match=r"targets of 2 views in .*, found those of 1"):
        train(half, tmp_path / "half", data=small_npz)
    train(recipe, tmp_path, data=small_npz, resume=True)
    np.testing.assert_allclose(losses(tmp_path), losses(run), rtol=1e-3)
    with np.load(tmp_path / "teacher_targets.npz") as content:
        assert len(content["targets"]) == 2


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("seed=7", "training.seed"),
        ("batch_size=8", "training.batch_size"),
        ("mixup=0.1", "training.mixup"),
        ("rotation=3", "augmentation.rotation"),
        ("views=1", "distillation.views"),
        ("fraction=0.5", "rows"),
        ("data.protocol=fer2013", "labels"),
    ],
)
def test_targets_of_other_batches_are_refused(train, change, named, taught, small_npz, tmp_path):
    _, recipe, file = taught
    with pytest.raises(RecipeError, match=f"{named} of .*as the teachers saw"):
        train(reading(recipe, file, change), tmp_path / "run", data=small_npz)
    assert not (tmp_path / "run").exists()


def test_targets_of_other_faces_are_refused(taught, small_npz):
    _, recipe, file = taught
    learn, _ = training_rows(recipe, small_npz)
    learn.images[0, 0, 0] ^= 1
    with pytest.raises(RecipeError, match="faces' checksum"):
        cache_of(recipe, learn).load(file)


def test_noise_is_the_students_own_affair(taught, small_npz):
    _, recipe, file = taught
    learn, _ = training_rows(recipe, small_npz)
    cache = cache_of(override(recipe, ["noise=0.2"]), learn)
    cache.load(file)
    assert cache.complete
    np.testing.assert_allclose(cache.get(1, 4).sum(1), 1, atol=1e-6)


def test_a_file_of_something_else_is_refused(taught, small_npz, tmp_path):
    _, recipe, file = taught
    learn, _ = training_rows(recipe, small_npz)
    with np.load(file) as content:
        about = json.loads(str(content["about"]))
    np.savez(tmp_path / "other.npz", values=np.zeros(3))
    np.savez(
        tmp_path / "bytes.npz", targets=np.zeros((2, 80, 8), np.uint8), about=json.dumps(about)
    )
    newer = json.dumps(about | {"format_version": 2})
    np.savez(tmp_path / "newer.npz", targets=np.zeros((2, 80, 8), np.float16), about=newer)
    (tmp_path / "text.npz").write_text("no archive")
    (tmp_path / "half.npz").write_bytes(file.read_bytes()[:-60])
    (tmp_path / "empty.npz").write_bytes(b"")
    flipped = bytearray(file.read_bytes())
    flipped[100:104] = bytes(byte ^ 0xFF for byte in flipped[100:104])  # zlib cannot go on
    (tmp_path / "flipped.npz").write_bytes(flipped)
    for name in ("other", "bytes", "newer", "text", "half", "empty", "flipped", "none"):
        with pytest.raises(RecipeError, match="a file of teacher targets"):
            cache_of(recipe, learn).load(tmp_path / f"{name}.npz")
        assert str(tmp_path / f"{name}.npz") not in open_files()
    shape = np.zeros((2, 64, 8), np.float16)
    np.savez(tmp_path / "shape.npz", targets=shape, about=json.dumps(about))
    with pytest.raises(RecipeError, match=r"shape \[2, 80, 8\], found \[2, 64, 8\]"):
        cache_of(recipe, learn).load(tmp_path / "shape.npz")


def test_a_cache_needs_views_and_the_former_key_is_refused(taught, tiny_recipe):
    _, recipe, file = taught
    with pytest.raises(RecipeError, match="`views` of at least 1 with a `cache`"):
        reading(recipe, file, "views=0")
    with pytest.raises(RecipeError, match=r"`answers` of 0\.1\.0 is not read"):
        load_recipe(tiny_recipe, ["distillation.answers=old.npz"])
    old = recipe.model_dump(mode="json")
    old["distillation"] = old["distillation"] | {"answers": ""}  # as old run folders have it
    assert Recipe.model_validate(old) == recipe
