"""Teachers: what they change of the targets, and that nothing of them stays in the student."""

import keras
import numpy as np
import pytest

from fer_mobile import zoo
from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.errors import ModelError, RecipeError
from fer_mobile.golden import golden_faces
from fer_mobile.labels import LABELS
from fer_mobile.predictor import load_network
from fer_mobile.preprocess import normalise
from fer_mobile.training import load_recipe
from fer_mobile.training.batches import Batches, LearnedRows
from fer_mobile.training.distillation import SoftTargets, Teachers
from fer_mobile.training.recipe import DistillationSection, override
from fer_mobile.training.split import training_rows
from fer_mobile.training.teacher_cache import TeacherCache
from tests.networks import brightness_classes, outputs


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    """A trained network on disk, with another input size than the student's."""
    keras.utils.set_random_seed(0)
    model = zoo.build("simple_cnn", size=16, classes=8)
    pixels = normalise(golden_faces(16))[..., None]
    model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy")
    model.fit(pixels, brightness_classes(), batch_size=32, epochs=12, verbose=0)
    path = tmp_path_factory.mktemp("teacher") / "teacher.keras"
    model.save(path)
    return path


def taught_by(*teachers):
    """Of a recipe: its teachers, and what those take that are files of weights alone."""
    names = ", ".join(f'"{teacher.as_posix()}"' for teacher in teachers)
    return f"distillation.teachers=[{names}]", 'distillation.value_range="0..1"'


@pytest.fixture
def lesson(teacher, tiny_recipe, small_npz):
    """A recipe whose batches of 32-px faces a teacher judges, and its training rows."""
    recipe = load_recipe(
        tiny_recipe,
        [*taught_by(teacher), "batch_size=16", "mixup=0.4"],
    )
    return recipe, training_rows(recipe, small_npz)[0]


def targets_of(recipe, dataset):
    """The soft targets of a recipe, with a cache where batches come again."""
    teachers = Teachers(recipe.distillation.teachers, dataset.names, value_range="0..1")
    cache = None
    if recipe.distillation.views:
        cache = TeacherCache(
            recipe, LearnedRows.of(recipe, dataset), dataset.names, 32, recipe.training.batch_size
        )
    return SoftTargets(teachers, cache)


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_the_target_is_shared_between_votes_and_teacher(lesson, teacher, share):
    recipe, dataset = lesson
    recipe = override(recipe, [f"distillation.weight={share}"])
    taught = Batches(dataset, recipe, 32, targets_of(recipe, dataset))
    alone = override(recipe, ["distillation.teachers=[]"])
    faces, votes, weights = Batches(dataset, alone, 32)[1]
    shrunk = keras.ops.image.resize(faces, (16, 16))
    predicted = outputs(load_checkpoint(teacher, value_range="0..1").model, np.asarray(shrunk))
    found = taught[1]
    np.testing.assert_array_equal(found[0], faces)
    np.testing.assert_allclose(found[1], (1 - share) * votes + share * predicted, atol=1e-5)
    np.testing.assert_array_equal(found[2], weights)


def test_several_teachers_are_learned_on_average(teacher, trained_run):
    faces = np.random.default_rng(0).random((4, 32, 32, 1)).astype(np.float32)
    one, other, both = (
        Teachers(names, LABELS, value_range="0..1")(faces)
        for names in ([teacher], [trained_run], [teacher, trained_run])
    )
    assert np.abs(one - other).max() > 0.01
    np.testing.assert_allclose(both, (one + other) / 2, atol=1e-6)


def test_teachers_see_maps_in_the_precision_of_the_training(teacher):
    faces = normalise(golden_faces(32))[..., None]
    exact, fast = (
        Teachers([teacher], LABELS, precision, "0..1")
        for precision in ("float32", "mixed_bfloat16")
    )
    for layer in fast.models[0].layers:
        shape = layer.output.shape
        assert layer.compute_dtype == ("bfloat16" if len(shape) == 4 else "float32"), layer.name
    expected, found = exact(faces), fast(faces)
    assert found.dtype == np.float32
    assert 0 < np.abs(found - expected).max() < 0.03


@pytest.mark.parametrize("flip", [0.0, 0.5])
def test_with_views_batches_come_again_and_teachers_are_asked_once(
    flip, lesson, tmp_path, monkeypatch
):
    recipe, dataset = lesson
    recipe = override(
        recipe, ["distillation.views=2", f"augmentation.flip={flip}", "augmentation.noise=0"]
    )
    asked = []
    ask = Teachers.__call__
    monkeypatch.setattr(
        Teachers, "__call__", lambda self, faces: asked.append(len(faces)) or ask(self, faces)
    )

    def epochs(batches, numbers):
        found = []
        for number in numbers:
            batches.set_epoch(number)
            found.append([batches[i] for i in range(len(batches))])
        return found

    targets = targets_of(recipe, dataset)
    batches = Batches(dataset, recipe, 32, targets)
    found = epochs(batches, [0, 1, 2, 3])
    assert len(asked) == 2 * len(batches)
    targets.cache.save(tmp_path / "targets.npz")
    kept = targets_of(recipe, dataset)
    kept.cache.load(tmp_path / "targets.npz")
    resumed = Batches(dataset, recipe, 32, kept)
    again = epochs(resumed, [4, 5])
    assert len(asked) == 2 * len(batches)
    for first, second in ((0, 2), (1, 3)):
        for then, now, later in zip(found[first], found[second], again[first], strict=True):
            np.testing.assert_array_equal(then[0], now[0][:, :, ::-1] if flip else now[0])
            for a, b in zip([*then, *then[1:]], [*later, *now[1:]], strict=True):
                np.testing.assert_array_equal(a, b)
    assert np.abs(found[0][0][0] - found[1][0][0]).max() > 0.1


@pytest.mark.parametrize("flip", [0.0, 0.5])
def test_teachers_judge_faces_without_the_noise_that_the_student_gets(flip, lesson):
    recipe, dataset = lesson
    recipe = override(
        recipe, ["distillation.views=1", "distillation.weight=1", f"augmentation.flip={flip}"]
    )
    clean, dirty = (
        Batches(dataset, part, 32, targets_of(recipe, dataset))
        for part in (override(recipe, [f"augmentation.noise={n}"]) for n in (0.0, 0.2))
    )
    faces, predicted, _ = clean[0]
    noises = []
    for epoch in (
        0,
        1,
    ):  # the second has the first's faces mirrored, with other noise
        dirty.set_epoch(epoch)
        found, same, _ = dirty[0]
        np.testing.assert_array_equal(predicted, same)
        np.testing.assert_array_equal(found, dirty[0][0])
        noises.append((found[:, :, ::-1] if flip and epoch else found) - faces)
        spread = noises[-1].std(axis=(1, 2, 3))
        assert 0.05 < spread.mean() < 0.15
        assert spread.max() < 0.2
    assert abs(np.corrcoef(noises[0].ravel(), noises[1].ravel())[0, 1]) < 0.1


def test_epochs_may_be_set_in_any_order(lesson):
    recipe, dataset = lesson
    forwards, backwards = Batches(dataset, recipe, 32), Batches(dataset, recipe, 32)
    forwards.set_epoch(1)
    second = forwards[2]
    backwards.set_epoch(4)
    backwards[0]
    backwards.set_epoch(1)
    for one, two in zip(second, backwards[2], strict=True):
        np.testing.assert_array_equal(one, two)
    backwards.set_epoch(0)
    for one, two in zip(Batches(dataset, recipe, 32)[0], backwards[0], strict=True):
        np.testing.assert_array_equal(one, two)


def test_targets_of_half_an_epoch_are_not_kept(lesson, tmp_path):
    recipe, dataset = lesson
    recipe = override(recipe, ["distillation.views=1"])
    targets = targets_of(recipe, dataset)
    Batches(dataset, recipe, 32, targets)[0]
    targets.cache.save(tmp_path / "targets.npz")
    assert not list(tmp_path.iterdir())


def test_a_student_comes_to_answer_as_its_teacher(teacher):
    keras.utils.set_random_seed(1)
    pupil = zoo.build("simple_cnn", size=16, classes=8)
    faces = normalise(golden_faces(16))[..., None]
    taught = Teachers([teacher], LABELS, value_range="0..1")(faces)
    pupil.compile(keras.optimizers.Adam(3e-3), "categorical_crossentropy")
    pupil.fit(faces, taught, batch_size=32, epochs=25, verbose=0)
    same = outputs(pupil, faces).argmax(1) == taught.argmax(1)
    assert same.mean() > 0.8


TINY = ["model.architecture=simple_cnn", "model.options={size=16}", "epochs=1"]


def test_a_run_with_teachers_holds_the_student_alone(
    train, teacher, trained_run, tiny_recipe, small_npz, tmp_path
):
    teachers = taught_by(teacher, trained_run)
    lines = []
    run = tmp_path / "run"
    train(
        load_recipe(tiny_recipe, [*TINY, *teachers]),
        run,
        data=small_npz,
        throughput=True,
        report=lines.append,
    )
    assert (
        load_checkpoint(run).parameters == load_checkpoint(teacher, value_range="0..1").parameters
    )
    valid = training_rows(load_recipe(tiny_recipe), small_npz)[1]
    networks = (load_network(teacher, LABELS, "0..1"), load_network(trained_run))
    mean = np.mean([network(valid.images) for network in networks], axis=0)
    accuracy = (mean.argmax(1) == valid.labels).mean()
    (together,) = [line for line in lines if line.startswith("teachers together on ferplus-strict")]
    assert f"valid: accuracy {accuracy:.4f}  balanced " in together
    # The last weights with two moments of Adam and an average; a teacher has thrice its weights.
    assert (run / "last.keras").stat().st_size < 5 * (run / "best.keras").stat().st_size
    (throughput,) = [line for line in lines if line.startswith("throughput")]
    assert " of the bare training step's " in throughput
    longer = load_recipe(tiny_recipe, [*TINY, *teachers, "epochs=2"])
    (run / "recipe.json").write_text(longer.model_dump_json())
    found = train(longer, run, data=small_npz, resume=True)
    assert np.isfinite(found.scores.accuracy)
    # A finished run can be read where its teachers are no more.
    gone = longer.model_copy(update={"distillation": DistillationSection(teachers=("gone",))})
    (run / "recipe.json").write_text(gone.model_dump_json())
    again = train(gone, run, data=small_npz, resume=True)
    assert again.scores == found.scores


def test_teachers_that_cannot_teach_are_refused(
    train, teacher, trained_run, tiny_recipe, small_npz, tmp_path
):
    unsaid = load_recipe(tiny_recipe, taught_by(teacher)[:1])
    with pytest.raises(ModelError, match="teacher: expected `value_range`"):
        train(unsaid, tmp_path / "run", data=small_npz)
    nobody = load_recipe(tiny_recipe, ['distillation.teachers=["nobody"]'])
    with pytest.raises(ModelError, match="nobody"):
        train(nobody, tmp_path / "run", data=small_npz)
    seven = ["data.protocol=fer2013", f'distillation.teachers=["{trained_run.as_posix()}"]']
    with pytest.raises(RecipeError, match=r"models of 7 labels.*with 8"):
        train(load_recipe(tiny_recipe, seven), tmp_path / "run", data=small_npz)


def test_a_start_is_taken_where_it_fits(train, teacher, tiny_recipe, small_npz, tmp_path):
    start = f"start={teacher.as_posix()}"
    lines = []
    recipe = load_recipe(tiny_recipe, [*TINY, start, "protocol=fer2013", "learning_rate=1e-9"])
    train(recipe, tmp_path / "run", data=small_npz, report=lines.append)
    theirs, ours = (
        load_checkpoint(source, value_range="0..1").model for source in (teacher, tmp_path / "run")
    )
    layers = sum(bool(layer.weights) for layer in ours.layers)
    begun = f"{layers - 1} of {layers} layers start from the weights of "
    assert any(line.startswith(begun) for line in lines)
    kernels = [m.get_layer("conv2").get_weights()[0] for m in (theirs, ours)]
    assert np.abs(kernels[0] - kernels[1]).max() < 1e-5
    assert ours.output_shape[-1] == 7
    other = load_recipe(
        tiny_recipe, [*TINY, start, "model.architecture=xcao", "model.options={size=56}"]
    )
    with pytest.raises(RecipeError, match="fit a layer of xcao"):
        train(other, tmp_path / "other", data=small_npz)
