"""Teachers: what they change of the loss, and that nothing of them stays in the student."""

import keras
import numpy as np
import pytest

from fer_mobile import zoo
from fer_mobile.errors import ModelError, RecipeError
from fer_mobile.golden import golden_faces
from fer_mobile.network.source import load_source
from fer_mobile.preprocess import normalise
from fer_mobile.train import load_recipe
from fer_mobile.train.distillation import student
from fer_mobile.train.fit import train
from tests.networks import brightness_classes


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


def small():
    keras.utils.set_random_seed(1)
    return zoo.build("simple_cnn", size=32, classes=8)


def cross_entropy(targets, found):
    return float(-(targets * np.log(np.maximum(found, 1e-7))).sum(1).mean())


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_the_target_is_shared_between_votes_and_teacher(teacher, share):
    plain = small()
    faces = normalise(golden_faces(32))[:, :, :, None]
    votes = np.random.default_rng(0).dirichlet(np.ones(8), len(faces)).astype(np.float32)
    shrunk = keras.ops.image.resize(faces, (16, 16))
    taught = load_source(teacher).model.predict(np.asarray(shrunk), verbose=0)
    expected = cross_entropy((1 - share) * votes + share * taught, plain.predict(faces, verbose=0))
    pupil = student(plain, [teacher], share)
    pupil.compile(loss="categorical_crossentropy")
    assert pupil.evaluate(faces, votes, verbose=0) == pytest.approx(expected, rel=1e-4)


def test_a_student_comes_to_answer_as_its_teacher(teacher):
    faces = normalise(golden_faces(32))[..., None]
    taught = load_source(teacher).model.predict(
        np.asarray(keras.ops.image.resize(faces, (16, 16))), verbose=0
    )
    nonsense = np.full((len(faces), 8), 1 / 8, np.float32)
    pupil = student(small(), [teacher], 1.0)
    pupil.compile(keras.optimizers.Adam(3e-3), "categorical_crossentropy")
    pupil.fit(faces, nonsense, batch_size=32, epochs=25, verbose=0)
    same = pupil.predict(faces, verbose=0).argmax(1) == taught.argmax(1)
    assert same.mean() > 0.8


TINY = ["model.architecture=simple_cnn", "model.options={size=16}", "epochs=1"]


def test_a_run_with_teachers_holds_the_student_alone(
    teacher, trained_run, tiny_recipe, small_npz, tmp_path
):
    teachers = f'distillation.teachers=["{teacher.as_posix()}", "{trained_run.as_posix()}"]'
    lines = []
    run = tmp_path / "run"
    train(load_recipe(tiny_recipe, [*TINY, teachers]), run, data=small_npz, report=lines.append)
    assert load_source(run).parameters == load_source(teacher).parameters
    # The last weights with two moments of Adam and an average; a teacher has thrice its weights.
    assert (run / "last.keras").stat().st_size < 5 * (run / "best.keras").stat().st_size
    (throughput,) = [line for line in lines if line.startswith("throughput")]
    assert " of the bare training step's " in throughput
    longer = load_recipe(tiny_recipe, [*TINY, teachers, "epochs=2"])
    (run / "recipe.json").write_text(longer.model_dump_json())
    found = train(longer, run, data=small_npz, resume=True, report=lambda line: None)
    assert np.isfinite(found.accuracy)


def test_teachers_that_cannot_teach_are_refused(trained_run, tiny_recipe, small_npz, tmp_path):
    nobody = load_recipe(tiny_recipe, ['distillation.teachers=["nobody"]'])
    with pytest.raises(ModelError, match="nobody"):
        train(nobody, tmp_path / "run", data=small_npz)
    seven = ["data.protocol=fer2013", f'distillation.teachers=["{trained_run.as_posix()}"]']
    with pytest.raises(RecipeError, match=r"models of 7 labels.*with 8"):
        train(load_recipe(tiny_recipe, seven), tmp_path / "run", data=small_npz)


def test_a_start_is_taken_where_it_fits(teacher, tiny_recipe, small_npz, tmp_path):
    start = f"start={teacher.as_posix()}"
    lines = []
    recipe = load_recipe(tiny_recipe, [*TINY, start, "protocol=fer2013", "learning_rate=1e-9"])
    train(recipe, tmp_path / "run", data=small_npz, report=lines.append)
    theirs, ours = (load_source(source).model for source in (teacher, tmp_path / "run"))
    layers = sum(bool(layer.weights) for layer in ours.layers)
    assert lines[0].startswith(f"{layers - 1} of {layers} layers begin with the weights of ")
    kernels = [m.get_layer("conv2").get_weights()[0] for m in (theirs, ours)]
    assert np.abs(kernels[0] - kernels[1]).max() < 1e-5
    assert ours.output_shape[-1] == 7
    other = load_recipe(
        tiny_recipe, [*TINY, start, "model.architecture=xcao", "model.options={size=56}"]
    )
    with pytest.raises(RecipeError, match="fit a layer of xcao"):
        train(other, tmp_path / "other", data=small_npz)
