"""From a folder of photos to a model in an app, under labels of one's own: ten commands."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from fer_mobile.contract import UNKNOWN
from fer_mobile.model_file import read_contract
from fer_mobile.resources import photos_dir
from tests.command_line import CommandLine

LABELS = ("calm", "wild", "odd")
TINY = (
    "--set",
    "epochs=1",
    "--set",
    "batch_size=8",
    "--set",
    "model.options={size=56,blocks=[1,1,1]}",
)


@pytest.fixture(scope="module")
def here(tmp_path_factory) -> CommandLine:
    """A folder with photos in three folders, whose names are no expressions."""
    folder = tmp_path_factory.mktemp("own")
    for number, path in enumerate(sorted(photos_dir().glob("*.jpg"))):
        target = folder / "photos" / LABELS[number % 3]
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return CommandLine(folder)


def done(here: CommandLine, *command: object) -> str:
    result = here(*command)
    assert result.returncode == 0, result.stderr
    return result.stdout + result.stderr


def test_ten_commands(here):
    assert "faces written" in done(here, "data", "crop", "photos", "faces")
    told = here.json("data", "inspect", "faces", "--labels", ",".join(LABELS))
    assert list(told["counts"]) == list(LABELS)
    assert told["framing"]["framed"] * 2 >= told["framing"]["looked_at"]
    order = f'data.labels=["{LABELS[0]}","{LABELS[1]}","{LABELS[2]}"]'
    said = done(here, "train", "finetune", "--data", "faces", "--out", "run", "--set", order, *TINY)
    assert "a folder for each class; faces to train/validate: calm " in said
    assert "are too few to fit one" in said
    figures = here.json("evaluate", "run", "--data", "faces", "--protocol", "own")
    assert set(figures["recall"]) == set(LABELS)
    assert "run_" not in done(here, "export", "run", "--quantize", "float16", "--out", "app")
    file = here.folder / "app" / "finetune_float16.tflite"
    contract = read_contract(file)
    assert contract.labels == LABELS
    facts = contract.provenance
    assert (facts.dataset.name, facts.dataset.kind) == ("faces", "a folder for each class")
    assert facts.dataset.licence == contract.licence == UNKNOWN
    assert facts.initial_weights[0].name == "compact"
    assert "research" in facts.initial_weights[0].licence
    assert set(facts.dataset.counts) == set(LABELS)
    verdict = json.loads(here("verify", file, "--json").stdout)
    assert {k for k, v in verdict["checks"].items() if not v["passed"]} <= {"not constant"}
    photo = next((here.folder / "photos" / "calm").iterdir())
    (row,) = here.json("predict", photo, "--model", file)
    assert set(row["faces"][0]["probabilities"]) == set(LABELS)
    here.json("filter", "photos", "--model", file, "--show", "calm", "--no-resume")
    timed = here.json("bench", "--model", file, "--photos", "photos", "--repetitions", "1")
    assert timed["model"]["contract"]["labels"] == list(LABELS)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda f: (f / "calm").mkdir(), "none of them"),
        (lambda f: shutil.copytree(photos_dir(), f / "calm"), "2 to 100 labels, found 1"),
        (lambda f: (f / "manifest.csv").write_text("path,mood\na.png,x\n"), "the column label"),
    ],
    ids=["no images", "one class", "no label column"],
)
def test_a_broken_dataset_is_one_line_and_leaves_nothing(here, tmp_path, make, message):
    data = tmp_path / "data"
    data.mkdir()
    make(data)
    run = tmp_path / "run"
    assert message in here.refused("train", "finetune", "--data", data, "--out", run)
    assert not Path(run).exists()
