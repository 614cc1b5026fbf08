"""`--json` is one document with the promised keys, and bad input one line with exit code 2."""

import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from fer_mobile.labels import LABELS
from fer_mobile.model_file import split
from fer_mobile.models import DEFAULT, shipped_models
from fer_mobile.resources import photos_dir
from tests.command_line import CommandLine
from tests.conftest import TINY_RECIPE

SHIPPED = shipped_models()[DEFAULT]
PHOTO = photos_dir() / "astronaut-smile.jpg"
SEVERAL = photos_dir() / "meeting.jpg"


def test_models(fer_mobile):
    rows = {row["name"]: row for row in fer_mobile.json("models")}
    assert (rows["xcao"]["kind"], rows["xcao"]["parameters"]) == ("architecture", 6_970_728)
    assert (rows[DEFAULT]["kind"], rows[DEFAULT]["parameters"]) == ("shipped", 7_509_672)
    for precision in ("float16", "int8"):
        path = Path(rows[DEFAULT]["files"][precision])
        assert path.is_absolute()
        assert path.is_file()
    for row in rows.values():
        assert {"name", "kind", "parameters", "files"} <= set(row)


def test_evaluate(fer_mobile, small_npz):
    found = fer_mobile.json("evaluate", DEFAULT, "--data", small_npz, "--split", "test")
    assert (found["model"], found["protocol"], found["split"], found["n"]) == (
        DEFAULT,
        "ferplus-strict",
        "test",
        16,
    )
    assert 0 <= found["balanced_accuracy"] <= 1
    assert 0 <= found["accuracy"] <= 1
    assert tuple(found["recall"]) == LABELS
    seven = fer_mobile.json("evaluate", "--data", small_npz, "--protocol", "fer2013")
    assert tuple(seven["recall"]) == LABELS[:7]
    assert seven["n"] == 32
    environment = {"FER_MOBILE_DATA": str(small_npz)}
    done = fer_mobile("evaluate", SHIPPED.files["float16"], "--json", **environment)
    assert json.loads(done.stdout)["n"] == 32


def test_verify(fer_mobile):
    found = fer_mobile.json("verify", DEFAULT)
    assert found["verdict"] == "pass"
    assert found["precision"] == "int8"
    assert {"checksum", "parity", "contract and graph"} <= set(found["checks"])


def test_predict(fer_mobile):
    one, several = fer_mobile.json("predict", PHOTO, SEVERAL)
    for row in (one, several):
        assert {"path", "label", "confidence", "faces", "error"} <= set(row)
    assert one["path"] == str(PHOTO)
    (face,) = one["faces"]
    assert len(face["box"]) == 4
    assert face["label"] == one["label"] in LABELS
    assert face["confidence"] == one["confidence"] == max(face["probabilities"].values())
    assert tuple(face["probabilities"]) == LABELS
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=0.03)
    assert (several["label"], several["confidence"]) == ("multiple", None)
    assert len(several["faces"]) > 1
    (largest,) = fer_mobile.json("predict", SEVERAL, "--faces", "largest")
    assert largest["label"] in LABELS


def test_bench(fer_mobile):
    done = fer_mobile("bench", "--device", "cpu", "--repetitions", 1, "--json")
    assert done.returncode in (0, 1)
    found = json.loads(done.stdout)
    assert found["verdict"] == ("fail" if done.returncode else "pass")
    for stage in ("decode", "detect", "resize", "gray", "classify", "total"):
        assert set(found["stages"][stage]) >= {"n", "mean_ms", "std_ms", "p50_ms", "p90_ms"}


def test_filter(fer_mobile, tmp_path):
    for name in (PHOTO.name, SEVERAL.name, "cat.png"):
        (tmp_path / "photos").mkdir(exist_ok=True)
        shutil.copy(photos_dir() / name, tmp_path / "photos")
    found = fer_mobile.json("filter", tmp_path / "photos", "--show", "happiness,multiple")
    assert isinstance(found, dict)


def test_export(fer_mobile):
    found = fer_mobile.json("export", "compact", "--quantize", "int8")
    path = fer_mobile.folder / "compact_int8.tflite"
    assert fer_mobile.folder / found["path"] == path
    assert found["shipped"]
    assert path.read_bytes() == shipped_models()["compact"].files["int8"].read_bytes()
    assert found["bytes"] == path.stat().st_size
    assert found["verification"]["verdict"] == "pass"
    assert {p.name for p in fer_mobile.folder.iterdir()} == {
        path.name,
        path.with_suffix(".json").name,
    }


def test_export_prints_what_it_is_without_converter_chatter(fer_mobile):
    command = ("export", "compact", "--quantize", "float16", "--out", "models")
    done = fer_mobile(*command, "--rebuild")
    assert done.returncode == 0
    assert done.stderr == ""
    assert "shipped" not in done.stdout
    copied = fer_mobile("export", "compact", "--out", "models").stdout
    assert "the shipped file, --rebuild converts again" in copied
    assert "note: its results differ on a GPU (" in copied
    assert "next: fer-mobile android snippet kotlin" in copied
    assert "828,328 parameters" in done.stdout
    assert " reference faces: same label" in done.stdout
    assert len(done.stdout.splitlines()) < 6


def test_train_and_evaluate_a_run(fer_mobile, small_npz, tiny_recipe):
    done = fer_mobile(
        "train", tiny_recipe, "--data", small_npz, "--out", "run", "--set", "epochs=1",
        "--set", "batch_size=40", "--set", "model.architecture=simple_cnn",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "best epoch: accuracy" in done.stdout
    assert len(done.stdout.splitlines()) == 1
    assert "epoch   1" in done.stderr
    assert "ranges.json: activation ranges for int8 exports, from 80 " in done.stderr
    found = fer_mobile.json("evaluate", "run", "--data", small_npz)
    assert found["n"] == 32
    assert "Give another --out" in fer_mobile.refused("train", tiny_recipe, "--data", small_npz, "--out", "run")  # fmt: skip  # noqa: E501


@pytest.fixture
def bare_model(tmp_path):
    path = tmp_path / "bare.tflite"
    path.write_bytes(split(SHIPPED.files["int8"].read_bytes())[0])
    return path


@pytest.mark.parametrize("command", ["verify", "evaluate", "predict", "filter", "bench"])
def test_models_that_cannot_be_used(fer_mobile, bare_model, small_npz, command):
    arguments = {
        "verify": lambda model: [model],
        "evaluate": lambda model: [model, "--data", small_npz],
        "predict": lambda model: [PHOTO, "--model", model],
        "filter": lambda model: [photos_dir(), "--model", model],
        "bench": lambda model: ["--model", model],
    }[command]
    said = fer_mobile.refused(command, *arguments("xcao_two_steam"))
    assert "Did you mean 'xcao_two_stream'" in said
    said = fer_mobile.refused(command, *arguments(bare_model))
    assert "expected a model with an embedded contract, found none in it" in said
    assert "found no such name or file" in fer_mobile.refused(command, *arguments("no.tflite"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["export", "xcao_two_steam"], "Did you mean 'xcao_two_stream'"),
        (["export", "--quantize", "int4"], "Did you mean 'int8'"),
        (["train", "xcao_two_steam"], "Did you mean 'xcao_two_stream'"),
        (["train", "edited.toml"], "found 'training.epoch'. Did you mean 'epochs'"),
        (["train", "xcao_two_stream", "--set", "epoch=3"], "found 'epoch'"),
        (["train", "xcao_two_stream"], "--data: expected a dataset, found no path. Give its path"),
        (["evaluate"], "--data: expected a dataset, found no path. Give its path"),
        (["evaluate", "--data", "keys.npz"], "found images, split. Add votes, fer2013_label."),
        (["evaluate", "--data", "text.npz"], "expected a readable .npz file"),
        (["evaluate", "--data", "absent"], "expected a file or folder, found nothing there"),
        (["predict", "--faces", "all", PHOTO], "multiple or each or largest, found 'all'"),
        (["predict", PHOTO, "--orient", "up"], "--orient: expected auto or none, found 'up'"),
        (["filter", photos_dir(), "--orient", "up"], "expected auto or none, found 'up'"),
        (["bench", "--orient", "up"], "expected auto or none, found 'up'"),
        (["predict"], "Missing argument"),
        (["predict", PHOTO, "--jsn"], "No such option"),
        (["predict", PHOTO, "--threads", "0"], "Invalid value"),
        (["filter", "absent", "--show", "happiness"], "absent"),
        (["filter", photos_dir(), "--show", "hapiness"], "Did you mean 'happiness'"),
        (["bench", "--photos", "absent"], "absent"),
        (["prodict"], "prodict"),
    ],
    ids=str,
)
def test_bad_input_is_one_line(fer_mobile, arguments, message):
    columns = {"images": np.zeros((1, 48, 48), np.uint8), "split": np.ones(1, np.uint8)}
    np.savez(fer_mobile.folder / "keys.npz", **columns)
    (fer_mobile.folder / "text.npz").write_text("no data")
    (fer_mobile.folder / "edited.toml").write_text(TINY_RECIPE.replace("epochs", "epoch"))
    assert message in fer_mobile.refused(*arguments, FER_MOBILE_DATA="")


def test_protocol_and_split_are_named(fer_mobile, small_npz):
    for option, wrong, right in (
        ("--protocol", "ferplus_strict", "ferplus-strict"),
        ("--split", "tset", "test"),
    ):
        said = fer_mobile.refused("evaluate", "--data", small_npz, option, wrong)
        assert f"Did you mean '{right}'" in said


def test_a_damaged_model_fails_its_verdict(fer_mobile, tmp_path):
    path = tmp_path / "damaged.tflite"
    content = bytearray(SHIPPED.files["int8"].read_bytes())
    content[5000] ^= 1
    path.write_bytes(content)
    found = fer_mobile.json("verify", path, code=1)
    assert found["verdict"] == "fail"
    assert not found["checks"]["checksum"]["passed"]
    assert "was changed or damaged" in fer_mobile.refused("predict", PHOTO, "--model", path)


def test_one_unreadable_photo_is_a_row(fer_mobile, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 nothing")
    rows = fer_mobile.json("predict", broken, PHOTO, tmp_path / "absent.jpg")
    assert [row["error"] is None for row in rows] == [False, True, False]
    assert rows[0]["label"] is None
    assert rows[0]["faces"] == []
    assert "broken.jpg" in rows[0]["error"]
    done = fer_mobile("predict", broken, PHOTO)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 2


def test_no_readable_photo_is_an_error(fer_mobile, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"nothing")
    done = fer_mobile("predict", tmp_path / "broken.jpg", tmp_path, "--json")
    assert done.returncode == 2
    assert [row["error"] is not None for row in json.loads(done.stdout)] == [True, True]
    assert "at least one photo that can be read, found none of 2" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "name",
    ["a b.jpg", "ünï 😀.jpg", "new\nline.jpg", "[red]x.jpg", "-dash.jpg", "%s {0}.jpg",
     os.fsdecode(b"latin-\xe9.jpg")],
    ids=ascii,
)  # fmt: skip
def test_photos_with_odd_names(fer_mobile, name):
    shutil.copy(PHOTO, fer_mobile.folder / name)
    (row,) = json_rows(fer_mobile, name)
    assert row["path"] == name
    assert row["label"] in LABELS
    done = fer_mobile("predict", "--", name)
    assert done.returncode == 0, done.stderr
    assert row["label"] in done.stdout


def json_rows(fer_mobile, name):
    done = fer_mobile("predict", "--json", "--", name)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


BLOCKER = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("tensorflow", "keras"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocker())
"""


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["export", "--rebuild"], "export"),
        (["train", "xcao_two_stream"], "train"),
        (["evaluate", SHIPPED.checkpoint], "export"),
    ],
    ids=["export", "train", "evaluate"],
)
def test_without_tensorflow_the_one_command_that_adds_it_is_named(
    fer_mobile, tmp_path, small_npz, arguments, extra
):
    (tmp_path / "sitecustomize.py").write_text(BLOCKER)
    said = fer_mobile.refused(*arguments, PYTHONPATH=str(tmp_path), FER_MOBILE_DATA=str(small_npz))
    assert "expected the package keras, found it is not installed" in said
    assert said.endswith(f"Install it with: pip install 'fer-mobile[{extra}]'")
    assert list(fer_mobile.folder.iterdir()) == []


def test_the_runtime_needs_no_tensorflow(fer_mobile, tmp_path, small_npz):
    (tmp_path / "sitecustomize.py").write_text(BLOCKER)
    for arguments in (
        ["models"], ["verify", DEFAULT], ["predict", PHOTO], ["evaluate", "--data", small_npz],
        ["export", "--out", "assets"],
    ):  # fmt: skip
        done = fer_mobile(*arguments, PYTHONPATH=str(tmp_path))
        assert done.returncode == 0, done.stderr


def test_debug_shows_the_traceback(fer_mobile):
    done = fer_mobile("--debug", "verify", "absent")
    assert done.returncode != 0
    assert "Traceback" in done.stderr
    assert "ModelError" in done.stderr


def test_output_cut_off_by_its_reader_is_no_error(fer_mobile):
    import subprocess

    command = f"{sys.executable} -c '{CommandLine.command[-1]}' models --json | head -c 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[", "")
