"""A really trained tiny model: what a run leaves, and what kills and resumption do to it."""

import csv
import hashlib
import json
import shutil
import signal

import keras
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import fer_mobile.training
from fer_mobile.checkpoint.run_folder import HISTORY_COLUMNS, RunFolder
from fer_mobile.cli import app
from fer_mobile.contract import UNKNOWN, InitialWeights
from fer_mobile.errors import DataError, InputError, ModelError, RecipeError
from fer_mobile.evaluation import evaluate
from fer_mobile.metrics import score
from fer_mobile.model_file import read_contract
from fer_mobile.models import DEFAULT, tflite_file
from fer_mobile.training import load_recipe, train_side_by_side
from fer_mobile.training.callbacks import Callback
from fer_mobile.training.provenance import describe_provenance
from fer_mobile.training.run import Run
from fer_mobile.training.split import training_rows
from tests.command_line import KILLED_COMMAND
from tests.networks import outputs


def history(folder):
    with (folder / "history.csv").open(newline="") as file:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]


def test_a_run_learns_and_keeps_its_records(trained_run):
    rows = history(trained_run)
    assert tuple(rows[0]) == HISTORY_COLUMNS
    assert [row["epoch"] for row in rows] == [1, 2]
    assert rows[-1]["loss"] < 0.93 * rows[0]["loss"]
    with Image.open(trained_run / "curves.png") as picture:
        picture.load()
        assert picture.format == "PNG"
        assert min(picture.size) > 300
        assert len(picture.convert("RGB").getcolors(10**6)) > 20  # something is drawn
    state = RunFolder(trained_run).read_state()
    assert (state.epochs_done, state.stopped) == (2, None)
    assert sorted(path.name for path in trained_run.iterdir()) == [
        "best.keras", "curves.png", "history.csv", "last.keras",
        "provenance.json", "recipe.json", "state.json", "valid.json",
    ]  # fmt: skip


def test_the_best_weights_give_the_recorded_figures(trained_run, small_npz):
    model = keras.models.load_model(trained_run / "best.keras", compile=False)
    assert model.dtype_policy.name == "float32"
    recorded = json.loads((trained_run / "valid.json").read_text())
    found = evaluate(trained_run, small_npz)
    assert found.as_dict()["confusion"] == recorded["confusion"]
    assert recorded["accuracy"] == pytest.approx(
        max(row["accuracy"] for row in history(trained_run))
    )


def test_evaluation_in_training_is_that_of_evaluate(trained_run, small_npz):
    from fer_mobile.data import load_dataset
    from fer_mobile.preprocess import normalise, resize

    valid = load_dataset(small_npz, split="valid")
    model = keras.models.load_model(trained_run / "best.keras", compile=False)
    faces = normalise(np.stack([resize(image, 16) for image in valid.images]))[..., None]
    by_hand = score(outputs(model, faces), valid.labels, valid.names)
    assert by_hand.confusion == evaluate(trained_run, small_npz).scores.confusion


def test_a_finished_run_resumes_to_its_figures(
    train, trained_run, small_npz, tiny_recipe, tmp_path
):
    copy = shutil.copytree(trained_run, tmp_path / "copy")
    before = (copy / "history.csv").read_text()
    found = train(load_recipe(tiny_recipe), copy, data=small_npz, resume=True)
    assert (copy / "history.csv").read_text() == before
    assert found.scores.accuracy == json.loads((copy / "valid.json").read_text())["accuracy"]


def test_a_folder_with_a_run_is_not_overwritten(train, trained_run, small_npz, tiny_recipe):
    recipe = load_recipe(tiny_recipe)
    with pytest.raises(RecipeError, match=r"found a run\. Give another `out`.*`resume=True`"):
        train(recipe, trained_run, data=small_npz)
    other = load_recipe(tiny_recipe, ["learning_rate=1e-2"])
    with pytest.raises(RecipeError, match=r"a run of the same recipe to resume.*recipe\.json"):
        train(other, trained_run, data=small_npz, resume=True)


XCAO = ["model.architecture=xcao", "model.options={size = 56}"]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ("model.architecture=xcao_three", ModelError, "Did you mean 'xcao"),
        ("model.options.size=57", ModelError, "Set size to 56"),
        ("model.options.sise=3", ModelError, "option of xcao, found no such name.*mean 'size'"),
        ("model.options.classes=3", ModelError, "option of xcao, found no such name"),
        ("model.options.size=big", ModelError, "xcao 'size': .* be a valid integer, found 'big'"),
        ("model.options.dropout=[0.5]", RecipeError, "arguments of xcao"),
        ("model.options.dropout=[3, 0, 0]", RecipeError, "arguments of xcao"),
        ("model.options.pools=3", ModelError, "xcao 'pools': .* be a valid array, found 3"),
        ("train_protocol=fer2013", DataError, "the 8 labels of ferplus-strict, found 7"),
        ("data.protocol=ferplus", DataError, "Did you mean"),
    ],
)
def test_a_recipe_that_cannot_be_trained_leaves_no_run(
    train, tiny_recipe, small_npz, tmp_path, change, error, message
):
    recipe = load_recipe(tiny_recipe, [*XCAO, change])
    with pytest.raises(error, match=message):
        train(recipe, tmp_path / "run", data=small_npz)
    assert not (tmp_path / "run").exists()


def test_mixed_precision_balance_and_mixup_train_too(train, tiny_recipe, small_npz, tmp_path):
    recipe = load_recipe(
        tiny_recipe,
        ["model.architecture=compact", "model.options={size = 16, width = 0.25}",
         "epochs=1", "batch_size=16", "precision=mixed_bfloat16", "mixup=0.2", "balance=0.5",
         "label_smoothing=0.1", "optimizer.name=sgd", "fraction=0.5", "protocol=fer2013"],
    )  # fmt: skip
    run = tmp_path / "run"
    found = train(recipe, run, data=small_npz)
    assert set(found.scores.recall) == set(read_contract(tflite_file(DEFAULT)).labels) - {
        "contempt"
    }
    assert np.isfinite(history(run)[0]["loss"])
    model = keras.models.load_model(run / "best.keras", compile=False)
    assert {w.dtype for w in model.weights} == {"float32"}
    assert model.get_layer("stem_conv").compute_dtype == "float32"
    assert keras.mixed_precision.dtype_policy().name == "float32"  # the caller's again


def test_a_kill_costs_at_most_the_epoch_it_falls_into(
    train, fer_mobile, trained_run, small_npz, tiny_recipe, tmp_path
):
    folder = tmp_path / "killed"
    fer_mobile.command = KILLED_COMMAND
    done = fer_mobile("train", tiny_recipe, "--data", small_npz, "--out", folder)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert RunFolder(folder).read_state().epochs_done == 1
    (killed,) = history(folder)

    lines = []
    train(load_recipe(tiny_recipe), folder, data=small_npz, resume=True, report=lines.append)
    assert "epochs 2 to 2" in lines[-2]
    assert lines[-1].startswith("epoch ")
    rows, undisturbed = history(folder), history(trained_run)
    assert [row["epoch"] for row in rows] == [1, 2]
    assert rows[0] == killed  # what was done is not done again
    for row, expected in zip(rows, undisturbed, strict=True):
        # Batches, weights, averages and the optimizer's state are those of an undisturbed run
        # (dropout, which this recipe does without, draws other masks after a resumption).
        assert row["loss"] == pytest.approx(expected["loss"], rel=1e-3)
        assert row["valid_loss"] == pytest.approx(expected["valid_loss"], rel=1e-3)
    best = max(rows, key=lambda row: row["accuracy"] + 0.1 * row["balanced_accuracy"])
    assert evaluate(folder, small_npz).as_dict()["accuracy"] == best["accuracy"]
    assert json.loads((folder / "valid.json").read_text())["accuracy"] == best["accuracy"]
    assert not list(folder.glob(".*part*"))


def test_the_command_line_leaves_the_files_that_the_function_leaves(
    quick, tiny_recipe, small_npz, tmp_path
):
    recipe = quick("epochs=1", "calibration.prior=0.5", "data.protocol=own")
    result = fer_mobile.training.train(
        recipe, tmp_path / "api", data=small_npz, report=lambda line: None
    )
    changes = ["model.architecture=simple_cnn", "model.options={size = 16}", "optimizer.ema=0.0",
               "epochs=1", "calibration.prior=0.5", "data.protocol=own"]  # fmt: skip
    flags = [part for change in changes for part in ("--set", change)]
    out = ["--out", str(tmp_path / "cli")]
    done = CliRunner().invoke(
        app, ["train", str(tiny_recipe), "--data", str(small_npz), *out, *flags]
    )
    assert done.exit_code == 0, done.output
    api, cli = (
        {path.name: path for path in (tmp_path / name).iterdir()} for name in ("api", "cli")
    )
    assert api.keys() == cli.keys() > {"ranges.json", "calibration.json", "curves.png"}
    for name in ("recipe.json", "provenance.json", "state.json", "calibration.json", "valid.json"):
        assert api[name].read_bytes() == cli[name].read_bytes(), name
    limits = [json.loads(files["ranges.json"].read_text())["limits"] for files in (api, cli)]
    assert limits[0].keys() == limits[1].keys()
    assert f"accuracy {result.scores.accuracy:.4f}" in done.stdout
    assert result.measured_on == "fer2013 valid"  # whatever the recipe calls it
    assert "(fer2013 valid, n=32)" in done.stdout
    assert result.epochs == result.load_checkpoint().provenance.epochs == 1
    assert result.folder == tmp_path / "api"


def test_a_run_says_where_its_weights_come_from(train, trained_run, quick, small_npz, tmp_path):
    start = trained_run / "best.keras"
    recipe = quick("epochs=1", f"start={start.as_posix()}", "model.architecture=simpler_cnn",
                   f'distillation.teachers=["{trained_run.as_posix()}"]')  # fmt: skip
    train(recipe, tmp_path / "run", data=small_npz)
    facts = RunFolder(tmp_path / "run").read_provenance()
    checksum = hashlib.sha256(start.read_bytes()).hexdigest()
    (begun_with,) = facts.initial_weights
    assert begun_with.name == "best.keras"
    assert begun_with.origin == f"best.keras, sha256 {checksum}"
    assert begun_with.licence == facts.dataset.licence == UNKNOWN
    (teacher,) = facts.teachers
    assert (teacher.name, teacher.weight, teacher.initial_weights) == (trained_run.name, 0.7, ())
    assert sum(counts["train"] for counts in facts.dataset.counts.values()) == 80
    assert sum(counts["valid"] for counts in facts.dataset.counts.values()) == 32
    assert (facts.protocol, facts.epochs, facts.seeds) == ("ferplus-strict", 1, (0,))
    assert facts.backend.startswith(f"keras: keras {keras.__version__}, {keras.backend.backend()}")
    assert " core" in facts.device
    first = RunFolder(trained_run).read_provenance()
    assert facts.dataset == first.dataset
    assert first.initial_weights == first.teachers == ()


@pytest.mark.parametrize("file", ["", "best.keras"])
def test_weights_that_a_run_began_with_stay_known(trained_run, quick, tmp_path, file):
    first = shutil.copytree(trained_run, tmp_path / "first")
    facts = RunFolder(first).read_provenance()
    compact = InitialWeights(name="compact", licence="research and evaluation only")
    RunFolder(first).write_provenance(facts.model_copy(update={"initial_weights": (compact,)}))
    recipe = quick(f"start={(first / file).as_posix()}")
    begun_with, earlier = describe_provenance(recipe, facts.dataset, "own", "keras").initial_weights
    assert begun_with.name == (file or "first")
    assert begun_with.origin.startswith("best.keras, sha256 ")
    assert earlier == compact


def test_callbacks_may_watch_and_stop_a_run(train, quick, small_npz, tmp_path, monkeypatch):
    traced, step = [], keras.Model.train_step
    monkeypatch.setattr(
        keras.Model, "train_step", lambda self, data: traced.append(self) or step(self, data)
    )

    class Watcher(Callback):
        def __init__(self):
            self.seen = []

        def on_epoch_begin(self, run):
            self.seen.append(("begin", run.epochs_done))

        def on_batch_end(self, run, batch, batches):
            self.seen.append((batch, batches))

        def on_best(self, run, scores):
            self.seen.append("best")

        def reason_to_stop(self, run):
            return "seen enough" if run.epochs_done == 2 else None

        def on_epoch_end(self, run, epoch):
            self.seen.append(("end", epoch.epoch, run.stopped))

        def on_train_end(self, run):
            self.seen.append("over")

    watcher = Watcher()
    result = train(quick("epochs=4", "batch_size=40", "learning_rate=1e-12"), tmp_path / "run",
                   data=small_npz, callbacks=[watcher])  # fmt: skip
    epoch = [(1, 2), (2, 2)]
    assert watcher.seen == [
        ("begin", 0), *epoch, "best", ("end", 1, None),
        ("begin", 1), *epoch, ("end", 2, "seen enough"), "over",
    ]  # fmt: skip
    assert (result.epochs, result.stopped) == (2, "seen enough")
    assert len(traced) == 1
    again = train(result.recipe, tmp_path / "run", data=small_npz, resume=True)
    assert again == result


def test_a_run_refuses_reports_out_of_order(quick, small_npz, tmp_path):
    recipe = quick()
    learn, valid = training_rows(recipe, small_npz)
    run = Run(recipe, RunFolder(tmp_path), learn, valid, (), print)
    with pytest.raises(RuntimeError, match="no epoch has begun"):
        run.end_epoch(1.0, 0.5, 1.0)
    run.begin_epoch()
    with pytest.raises(RuntimeError, match="no epoch can begin"):
        run.begin_epoch()


def test_each_recipe_needs_a_folder_of_its_own(tiny_recipe, small_npz, tmp_path):
    for folders in ([], [tmp_path / "a", tmp_path / "a"]):
        with pytest.raises(InputError, match="out: expected a run folder of its own"):
            train_side_by_side([tiny_recipe, tiny_recipe], folders, data=small_npz)
    with pytest.raises(InputError, match="recipes: expected one for the backend keras, found 2"):
        train_side_by_side(
            [tiny_recipe, tiny_recipe], [tmp_path / "a", tmp_path / "b"], backend="keras"
        )
    with pytest.raises(InputError, match=r"backend: .*found 'kerras'. Did you mean 'keras'"):
        train_side_by_side([tiny_recipe], [tmp_path / "a"], backend="kerras")
    assert not list(tmp_path.iterdir())


def test_a_training_that_diverges_stops_and_keeps_what_was_good(train, quick, small_npz, tmp_path):
    class Break(Callback):
        def on_epoch_begin(self, run):
            if run.epochs_done == 1:
                run.network.model.set_weights(
                    [np.full_like(weight, np.nan) for weight in run.network.model.get_weights()]
                )

    folder, recipe = tmp_path / "run", quick("epochs=3", "optimizer.learning_rate=2e-3")
    with pytest.raises(RecipeError) as raised:
        train(recipe, folder, data=small_npz, callbacks=[Break()])
    assert str(raised.value) == (
        "tiny: expected a loss that stays finite, found nan, valid loss nan in epoch 2. Train into "
        "another `out` with a smaller optimizer.learning_rate, such as 0.0002."
    )
    assert RunFolder(folder).read_state().epochs_done == len(history(folder)) == 1
    assert np.isfinite(evaluate(folder, small_npz).scores.loss)


def test_a_training_that_diverges_at_once_leaves_no_weights(train, quick, small_npz, tmp_path):
    with pytest.raises(RecipeError, match=r"found .* in epoch 1\. .* such as 0\.002"):
        train(quick("optimizer.learning_rate=1e30"), tmp_path / "run", data=small_npz)
    assert not RunFolder(tmp_path / "run").has_weights


@pytest.mark.parametrize(
    "flags",
    [
        ["--out", "run"], ["--resume"], ["--base", "none"], ["--backend", "device"],
        ["--parallel", "data"], ["--no-parameter-cap"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_asking_teachers_takes_no_options_of_a_training(tiny_recipe, flags):
    done = CliRunner().invoke(
        app, ["train", str(tiny_recipe), "--teacher-targets", "targets.npz", *flags]
    )
    assert isinstance(done.exception, InputError)
    assert str(done.exception) == f"{flags[0]}: expected none with --teacher-targets, found one."
