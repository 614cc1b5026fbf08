"""Faces without labels: their targets are the teachers', beside rows that have labels."""

import io
from pathlib import Path

import numpy as np
import pytest

from fer_mobile.errors import RecipeError
from fer_mobile.golden import golden_faces
from fer_mobile.training import load_recipe, write_teacher_targets
from fer_mobile.training.batches import Batches, BatchPlanner, LearnedRows
from fer_mobile.training.distillation import SoftTargets
from fer_mobile.training.recipe import override
from fer_mobile.training.split import training_rows
from fer_mobile.training.teacher_cache import TeacherCache
from fer_mobile.training.unlabelled import load_unlabelled
from tests.command_line import open_files

EXTRA = 40


class Constant:
    """Teachers that predict the same of every face."""

    predicted = np.array([0.5, 0.5, 0, 0, 0, 0, 0, 0], np.float32)

    def __call__(self, faces):
        return np.broadcast_to(self.predicted, (len(faces), 8))


@pytest.fixture
def lesson(tiny_recipe, small_npz, tmp_path):
    """A recipe with unlabelled faces of another size that hold targets, and its labelled rows."""
    file = tmp_path / "extra.npz"
    targets = np.zeros((EXTRA, 8), np.float16)
    targets[:, 7] = 1
    np.savez(file, images=golden_faces(64)[:EXTRA], targets=targets)
    recipe = load_recipe(
        tiny_recipe,
        [
            'distillation.teachers=["its own"]',
            f'unlabelled="{file.as_posix()}"',
            "batch_size=16",
            "weight=0.7",
        ],
    )
    return recipe, training_rows(recipe, small_npz)[0]


@pytest.mark.parametrize("given", [0.0, 0.25])
def test_their_targets_are_the_teachers_and_those_they_came_with(lesson, given):
    recipe, learn = lesson
    recipe = override(recipe, [f"unlabelled_weight={given}"])
    extra = load_unlabelled(recipe.distillation.unlabelled, learn)
    assert extra.images.shape == (EXTRA, 48, 48)
    rows = LearnedRows.of(recipe, learn, extra)
    assert len(rows) == len(learn) + EXTRA
    batches = Batches(learn, recipe, 32, SoftTargets(Constant(), None), extra)
    targets = np.concatenate([batches[i][1] for i in range(len(batches))])
    order = BatchPlanner(recipe, len(rows), 32).order(0)
    unlabelled = order >= len(learn)
    assert unlabelled.sum() > EXTRA // 2
    expected = (1 - given) * Constant.predicted + given * np.eye(8)[7]
    np.testing.assert_allclose(
        targets[unlabelled], np.broadcast_to(expected, (unlabelled.sum(), 8)), atol=1e-3
    )
    own = 0.7 * Constant.predicted + 0.3 * learn.targets[order[~unlabelled]]
    np.testing.assert_allclose(targets[~unlabelled], own, atol=1e-6)


def test_mixed_with_a_labelled_face_each_brings_its_own_part(lesson):
    recipe, learn = lesson
    recipe = override(recipe, ["mixup=0.4"])
    extra = load_unlabelled(recipe.distillation.unlabelled, learn)
    batches = Batches(learn, recipe, 32, SoftTargets(Constant(), None), extra)
    for index in range(len(batches)):
        np.testing.assert_allclose(batches[index][1].sum(1), 1, atol=1e-5)


def test_a_run_tells_of_them_in_its_provenance(train, lesson, trained_run, small_npz, tmp_path):
    recipe, _ = lesson
    recipe = override(
        recipe, [f'distillation.teachers=["{trained_run.as_posix()}"]', "views=1", "epochs=1"]
    )
    file = write_teacher_targets(recipe, tmp_path / "targets.npz", data=small_npz)
    asked = override(
        recipe, ["distillation.teachers=[]", f'distillation.cache="{file.as_posix()}"']
    )
    lines = []
    result = train(asked, tmp_path / "run", data=small_npz, report=lines.append)
    assert any(f"80 faces train with {EXTRA} unlabelled" in line for line in lines)
    (facts,) = result.load_checkpoint().provenance.unlabelled
    assert facts.counts == {"unknown": {"train": EXTRA}}
    assert facts.name == "extra.npz"


def test_the_mean_of_several_files_is_learned(lesson, trained_run, small_npz, tmp_path):
    recipe, learn = lesson
    recipe = override(recipe, ["views=1", "distillation.unlabelled=''"])
    rows = LearnedRows.of(recipe, learn)
    files = []
    for label in (0, 3):
        cache = TeacherCache(recipe, rows, learn.names, 32, 16)
        for index in range(len(learn) // 16):
            cache.put(0, index, np.eye(8, dtype=np.float32)[[label] * 16])
        files.append(tmp_path / f"{label}.npz")
        cache.save(files[-1])
    both = TeacherCache(recipe, rows, learn.names, 32, 16)
    both.load(*files)
    np.testing.assert_allclose(both.get(0, 0)[:, [0, 3]], 0.5)


@pytest.mark.parametrize(
    ("arrays", "named"),
    [
        ({"faces": np.zeros(3)}, "images"),
        ({"images": np.zeros((3, 48, 48))}, "float64"),
        ({"images": np.zeros((3, 48, 40), np.uint8)}, "48×40"),
        (
            {"images": np.zeros((3, 48, 48), np.uint8), "targets": np.ones((3, 8))},
            "do not sum to 1",
        ),
        (
            {"images": np.zeros((3, 48, 48), np.uint8), "targets": np.ones((3, 7)) / 7},
            r"targets \[3, 7\]",
        ),
    ],
)
def test_a_file_of_something_else_is_refused(lesson, arrays, named, tmp_path):
    _, learn = lesson
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(RecipeError, match=named):
        load_unlabelled(tmp_path / "bad.npz", learn)


def test_a_damaged_file_is_refused_and_closed(lesson, tmp_path):
    recipe, learn = lesson
    whole = Path(recipe.distillation.unlabelled).read_bytes()
    np.savez_compressed(tmp_path / "packed.npz", images=golden_faces(64)[:EXTRA])
    packed = bytearray((tmp_path / "packed.npz").read_bytes())
    packed[100:104] = bytes(byte ^ 0xFF for byte in packed[100:104])  # zlib cannot go on
    with io.BytesIO() as array:
        np.save(array, golden_faces(64)[:EXTRA])
        single = array.getvalue()
    for content in (whole[:-60], packed, single, b""):
        (tmp_path / "damaged.npz").write_bytes(content)
        with pytest.raises(RecipeError, match=r"an npz file of images.*damaged\.npz: .*\w"):
            load_unlabelled(tmp_path / "damaged.npz", learn)
        assert str(tmp_path / "damaged.npz") not in open_files()


def test_without_teachers_there_is_nothing_to_learn_from_them(tiny_recipe):
    with pytest.raises(RecipeError, match="`teachers` or a `cache`"):
        load_recipe(tiny_recipe, ['distillation.unlabelled="extra.npz"'])


def test_the_targets_that_they_came_with_are_enough(train, lesson, small_npz, tmp_path):
    recipe, learn = lesson
    alone = override(recipe, ["distillation.teachers=[]", "unlabelled_weight=1", "epochs=1"])
    extra = load_unlabelled(recipe.distillation.unlabelled, learn)
    batches = Batches(learn, alone, 32, None, extra)
    order = BatchPlanner(alone, len(learn) + EXTRA, 32).order(0)
    targets = np.concatenate([batches[index][1] for index in range(len(batches))])
    every = np.concatenate([learn.targets, extra.targets])
    np.testing.assert_allclose(targets, every[order], atol=1e-6)
    lines = []
    result = train(alone, tmp_path / "run", data=small_npz, report=lines.append)
    provenance = result.load_checkpoint().provenance
    assert [teacher.name for teacher in provenance.teachers] == ["targets in extra.npz"]
    assert any(f"80 faces train with {EXTRA} unlabelled" in line for line in lines)
    np.savez(tmp_path / "bare.npz", images=extra.images)
    bare = override(alone, [f'unlabelled="{(tmp_path / "bare.npz").as_posix()}"'])
    with pytest.raises(RecipeError, match="a file with `targets`, where there are no teachers"):
        train(bare, tmp_path / "other", data=small_npz)
    assert not (tmp_path / "other").exists()
