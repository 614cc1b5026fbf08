"""Temperature and class offsets: found again where known, folded exactly, told to everyone."""

import json
import shutil

import keras
import numpy as np
import pytest
from keras import layers

from fer_mobile.checkpoint import RunFolder, load_checkpoint
from fer_mobile.checkpoint.fold_calibration import fold_calibration
from fer_mobile.contract import OutputCalibration
from fer_mobile.convert import export
from fer_mobile.errors import ModelError, RecipeError
from fer_mobile.evaluation import evaluate
from fer_mobile.golden import golden_faces
from fer_mobile.labels import LABELS
from fer_mobile.metrics import score
from fer_mobile.model_file import read_contract
from fer_mobile.preprocess import normalise
from fer_mobile.runtime.classifier import load_classifier
from fer_mobile.training import Callback, Recipe, callbacks, load_recipe
from fer_mobile.training.output_calibration import (
    calibrated,
    cross_fitted,
    fit_temperature,
    prior_offsets,
)
from tests.networks import SIZE, outputs, trained_two_streams, two_streams

PLAIN = OutputCalibration(origin="nothing")
CALIBRATED = [
    "model.architecture=simple_cnn", "model.options={size=16}",
    "calibration.temperature=true", "prior=0.5", "epochs=1",
]  # fmt: skip
SKEWED = OutputCalibration(
    temperature=1.7, offsets={"contempt": 1.5, "neutral": -0.5}, origin="a test"
)


def softmax(logits):
    exponents = np.exp(logits - logits.max(1, keepdims=True))
    return exponents / exponents.sum(1, keepdims=True)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_a_known_temperature_is_found_again(temperature):
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 2, (20_000, 8))
    labels = np.array([rng.choice(8, p=p) for p in softmax(logits)])
    wrong = softmax(logits * temperature)
    fitted = fit_temperature(wrong, labels, LABELS, PLAIN)
    assert fitted.temperature == pytest.approx(temperature, rel=0.04)
    before, after = (score(p, labels, LABELS) for p in (wrong, calibrated(wrong, fitted, LABELS)))
    assert after.accuracy == before.accuracy
    assert after.calibration_error < 0.012
    crossed = score(cross_fitted(wrong, labels, LABELS, PLAIN), labels, LABELS)
    assert crossed.calibration_error < 0.015


def test_rarer_labels_get_larger_offsets():
    shares = np.array([0.5, 0.3, 0.1, 0.05, 0.03, 0.01, 0.008, 0.002])
    offsets = list(prior_offsets(shares, 0.5, LABELS).values())
    assert offsets == sorted(offsets)
    assert np.mean(offsets) == pytest.approx(0, abs=1e-3)
    assert offsets[-1] - offsets[0] == pytest.approx(0.5 * np.log(0.5 / 0.002), abs=1e-3)
    exact = prior_offsets(shares.astype(np.float32), 0.5, LABELS)
    assert all(value == round(value, 4) for value in exact.values())


def compact():
    from fer_mobile import zoo

    return zoo.build("compact")


@pytest.mark.parametrize("build", [two_streams, compact])
def test_folding_is_exact(build):
    model = build()
    faces = normalise(golden_faces(model.input_shape[1]))[..., None]
    before = outputs(model, faces)
    fold_calibration(model, SKEWED, LABELS)
    found = outputs(model, faces)
    assert np.abs(found - calibrated(before, SKEWED, LABELS)).max() < 1e-5
    assert np.abs(found - before).max() > 0.01


def test_a_model_without_logits_or_bias_is_refused():
    image = keras.Input((SIZE, SIZE, 1))
    flat = layers.Flatten()(image)
    with pytest.raises(ModelError, match="before a softmax"):
        fold_calibration(keras.Model(image, layers.Dense(8)(flat)), SKEWED, LABELS)
    bare = keras.Model(image, layers.Dense(8, "softmax", use_bias=False)(flat))
    with pytest.raises(ModelError, match="without"):
        fold_calibration(bare, SKEWED, LABELS)


@pytest.fixture(autouse=True, scope="module")
def few_faces():
    """small_npz has 32 faces to validate."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(callbacks, "FEWEST_CALIBRATED", 32)
        yield


@pytest.fixture(scope="module")
def calibrated_run(train, tmp_path_factory, tiny_recipe, small_npz):
    folder = tmp_path_factory.mktemp("run") / "calibrated"
    lines = []
    recipe = load_recipe(tiny_recipe, CALIBRATED)
    train(recipe, folder, data=small_npz, report=lines.append)
    return folder, lines


def test_few_faces_give_no_temperature(train, tmp_path, tiny_recipe, small_npz, monkeypatch):
    monkeypatch.setattr(callbacks, "FEWEST_CALIBRATED", 33)
    lines = []
    recipe = load_recipe(tiny_recipe, [*CALIBRATED, "training.epochs=1"])
    train(recipe, tmp_path / "run", data=small_npz, report=lines.append)
    assert any("no temperature: 32 faces of valid: too few" in line for line in lines)
    stored = json.loads((tmp_path / "run" / "calibration.json").read_text())
    assert stored["temperature"] == 1
    assert any("calibrated: temperature 1.0, offsets {" in line for line in lines)


def test_what_is_not_calibrated_is_not_said_to_be(
    train, tmp_path, tiny_recipe, small_npz, monkeypatch
):
    monkeypatch.setattr(callbacks, "FEWEST_CALIBRATED", 33)
    lines = []
    recipe = load_recipe(tiny_recipe, [*CALIBRATED, "prior=0"])
    train(recipe, tmp_path / "run", data=small_npz, report=lines.append)
    assert any("no temperature" in line for line in lines)
    assert not any("calibrated" in line for line in lines)
    assert load_checkpoint(tmp_path / "run").output_calibration is None


def test_a_run_is_calibrated_and_everyone_reads_it_so(calibrated_run, small_npz):
    folder, lines = calibrated_run
    stored = OutputCalibration.model_validate_json((folder / "calibration.json").read_text())
    assert stored.offsets["contempt"] > 0 > stored.offsets["neutral"]
    assert any(f"calibrated: temperature {stored.temperature}" in line for line in lines)
    recorded = json.loads((folder / "valid.json").read_text())
    found = evaluate(folder, small_npz).as_dict()
    assert found["confusion"] == recorded["confusion"]
    assert found["calibration_error"] == pytest.approx(recorded["calibration_error"], abs=1e-4)
    assert "valid, n=32 (from one half of it" in stored.origin
    faces = normalise(golden_faces(16))[..., None]
    best = keras.saving.load_model(folder / "best.keras", compile=False)
    expected = calibrated(outputs(best, faces), stored, LABELS)
    assert np.abs(outputs(load_checkpoint(folder).model, faces) - expected).max() < 1e-5


def test_an_exported_file_is_calibrated_and_says_so(calibrated_run, tmp_path):
    run = shutil.copytree(calibrated_run[0], tmp_path / "run")
    trained_two_streams().save(run / "best.keras")
    (run / "calibration.json").write_text(SKEWED.model_dump_json())
    exported = export(run, quantize="none", out=tmp_path)
    assert read_contract(exported.path).output_calibration == SKEWED
    faces = golden_faces(SIZE)
    raw = outputs(trained_two_streams(), normalise(faces)[..., None])
    found = load_classifier(exported.path).classify(faces)
    assert np.abs(found - calibrated(raw, SKEWED, LABELS)).max() < 1e-4


def test_a_run_folder_of_version_0_1_is_read(calibrated_run, tmp_path):
    run = shutil.copytree(calibrated_run[0], tmp_path / "run")
    (run / "calibration.json").rename(run / "adjustment.json")
    recipe = json.loads((run / "recipe.json").read_text())
    recipe["adjustment"] = recipe.pop("calibration")
    old = json.dumps(recipe)
    assert Recipe.model_validate_json(old).calibration.prior == 0.5
    (run / "recipe.json").write_text(old)
    now, then = load_checkpoint(calibrated_run[0]), load_checkpoint(run)
    assert then.output_calibration == now.output_calibration
    faces = normalise(golden_faces(16))[..., None]
    np.testing.assert_array_equal(*(outputs(c.model, faces) for c in (now, then)))


def test_the_former_name_of_the_section_works_with_a_warning(tiny_recipe, tmp_path):
    old = tmp_path / "old.toml"
    old.write_text(tiny_recipe.read_text() + "[adjustment]\nprior = 0.5\n")
    with pytest.warns(DeprecationWarning, match=r"\[adjustment\] is now \[calibration\]"):
        assert load_recipe(old).calibration.prior == 0.5
    old.write_text(old.read_text() + "[calibration]\nprior = 0.5\n")
    with pytest.raises(RecipeError, match=r"\[calibration\] alone"):
        load_recipe(old)


def test_resuming_a_finished_run_calibrates_it_once(train, calibrated_run, tiny_recipe, small_npz):
    folder, _ = calibrated_run
    before = {name: (folder / name).read_bytes() for name in ("calibration.json", "valid.json")}
    recipe = load_recipe(tiny_recipe, CALIBRATED)
    train(recipe, folder, data=small_npz, resume=True)
    assert {name: (folder / name).read_bytes() for name in before} == before


def test_new_weights_have_no_calibration_of_old_ones(
    train, calibrated_run, tiny_recipe, small_npz, tmp_path
):
    class Look(Callback):
        def on_best(self, run, scores):
            found.append(load_checkpoint(run.folder.path).output_calibration)

    found, run = [], shutil.copytree(calibrated_run[0], tmp_path / "run")
    (run / "calibration.json").rename(run / "adjustment.json")
    rows = RunFolder(run).read_history()
    RunFolder(run).write_history(
        [row | {"accuracy": 0.0, "balanced_accuracy": 0.0} for row in rows]
    )
    recipe = load_recipe(tiny_recipe, [*CALIBRATED, "epochs=2"])
    train(recipe, run, data=small_npz, resume=True, callbacks=[Look()])
    assert found == [None]
    assert load_checkpoint(run).output_calibration is not None


def test_fine_tuning_for_int8_takes_no_calibration(train, tiny_recipe, small_npz, tmp_path):
    recipe = load_recipe(tiny_recipe, ["quantization.aware=true", "calibration.prior=0.5"])
    with pytest.raises(RecipeError, match="Calibrate the run that it starts from"):
        train(recipe, tmp_path / "run", data=small_npz)
    assert not (tmp_path / "run").exists()


def test_the_calibration_of_a_trained_network_moves_its_labels():
    model = trained_two_streams()
    faces = normalise(golden_faces(SIZE))[..., None]
    before = outputs(model, faces)
    strong = OutputCalibration(offsets={LABELS[3]: 30.0}, origin="a test")
    assert set(calibrated(before, strong, LABELS).argmax(1)) == {3}
    assert len(set(before.argmax(1))) >= 4  # the four classes that it learned
