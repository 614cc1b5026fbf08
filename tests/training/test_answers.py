"""Answers in a file: a student learns the same from it, and refuses those of other batches."""

import numpy as np
import pytest

from fer_mobile.errors import RecipeError
from fer_mobile.training import load_recipe
from fer_mobile.training.answers import answers_file, pack_answers, unpack_answers
from fer_mobile.training.fit import train
from fer_mobile.training.recipe import override
from fer_mobile.training.split import training_rows

TINY = [
    "model.architecture=simple_cnn",
    "model.options={size=16}",
    "epochs=3",
    "batch_size=16",
    "mixup=0.4",
    "views=2",
]


@pytest.fixture(scope="module")
def taught(trained_run, tiny_recipe, small_npz, tmp_path_factory):
    """A run whose teacher was asked, its recipe, and the file of the answers."""
    folder = tmp_path_factory.mktemp("taught")
    teachers = f'distillation.teachers=["{trained_run.as_posix()}"]'
    recipe = load_recipe(tiny_recipe, [*TINY, teachers])
    run, file = folder / "run", folder / "answers.npz"
    train(recipe, run, data=small_npz, throughput=False, report=lambda line: None)
    pack_answers(run, recipe, training_rows(recipe, small_npz)[0], 16, file)
    return run, recipe, file


def told(recipe, file, *changes):
    """The recipe with answers instead of teachers, who are gone."""
    gone = 'distillation.teachers=["gone"]'
    return override(recipe, [f'distillation.answers="{file.as_posix()}"', gone, *changes])


def test_a_student_learns_from_a_file_as_from_its_teachers(taught, small_npz, tmp_path):
    run, recipe, file = taught
    lines = []
    train(told(recipe, file), tmp_path, data=small_npz, throughput=False, report=lines.append)
    assert not [line for line in lines if line.startswith("teachers together")]
    for epoch in range(2):
        said, read = (np.load(answers_file(folder, epoch)) for folder in (run, tmp_path))
        assert said.shape == read.shape
        assert said.dtype == read.dtype == np.float32
        assert 0 < np.abs(said - read).max() < 0.01
    losses = [
        np.genfromtxt(folder / "history.csv", delimiter=",", names=True)["loss"]
        for folder in (run, tmp_path)
    ]
    np.testing.assert_allclose(*losses, rtol=5e-3)


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
def test_answers_to_other_batches_are_refused(change, named, taught, small_npz, tmp_path):
    _, recipe, file = taught
    with pytest.raises(RecipeError, match=f"{named} of .*as teachers saw"):
        train(told(recipe, file, change), tmp_path / "run", data=small_npz)
    assert not (tmp_path / "run").exists()


def test_answers_to_other_faces_are_refused(taught, small_npz, tmp_path):
    _, recipe, file = taught
    learn, _ = training_rows(recipe, small_npz)
    learn.images[0, 0, 0] ^= 1
    with pytest.raises(RecipeError, match="faces' checksum"):
        unpack_answers(told(recipe, file), learn, 16, tmp_path)


def test_noise_is_the_students_own_affair(taught, small_npz, tmp_path):
    _, recipe, file = taught
    learn, _ = training_rows(recipe, small_npz)
    unpack_answers(told(recipe, file, "noise=0.2"), learn, 16, tmp_path)
    assert answers_file(tmp_path, 1).is_file()


def test_a_file_of_something_else_is_refused(taught, small_npz, tmp_path):
    _, recipe, _ = taught
    learn, _ = training_rows(recipe, small_npz)
    other = tmp_path / "other.npz"
    np.savez(other, values=np.zeros(3))
    (tmp_path / "text.npz").write_text("no archive")
    (tmp_path / "half.npz").write_bytes(other.read_bytes()[:-60])
    for file in (other, *(tmp_path / f"{name}.npz" for name in ("none", "text", "half"))):
        with pytest.raises(RecipeError, match="a file of teachers' answers"):
            unpack_answers(told(recipe, file), learn, 16, tmp_path)


def test_half_a_run_cannot_be_packed(taught, small_npz, tmp_path):
    run, recipe, _ = taught
    learn, _ = training_rows(recipe, small_npz)
    longer = override(recipe, ["views=3"])
    with pytest.raises(RecipeError, match=r"none of teachers_2\.npy"):
        pack_answers(run, longer, learn, 16, tmp_path / "file.npz")
    with pytest.raises(RecipeError, match=r"no distillation\.views"):
        pack_answers(run, override(recipe, ["views=0"]), learn, 16, tmp_path / "file.npz")
    assert not (tmp_path / "file.npz").exists()
