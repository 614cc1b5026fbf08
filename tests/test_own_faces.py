"""From a folder of photos to a model in an app, under labels of one's own: ten commands."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import pytest

from fer_mobile.contract import UNKNOWN
from fer_mobile.model_file import read_contract
from fer_mobile.resources import photos_dir
from tests.command_line import CommandLine

LABELS = ("calm", "wild", "odd")
PAGE = Path(__file__).parents[1] / "docs" / "own-faces.md"

TOY = {
    "train": (
        *("--set", "epochs=1", "--set", "batch_size=8"),
        *("--set", "model.options={size=56,blocks=[1,1,1]}"),
        *("--set", f"data.labels={json.dumps(LABELS)}"),
    ),
    "export": ("--quantize", "float16"),
    "bench": ("--repetitions", "1"),
}
"""What makes the page's commands cheap."""


@pytest.fixture(scope="module")
def here(tmp_path_factory) -> CommandLine:
    """A folder with photos in three folders, whose names are no expressions."""
    folder = tmp_path_factory.mktemp("own")
    for number, path in enumerate(sorted(photos_dir().glob("*.jpg"))):
        target = folder / "photos" / LABELS[number % 3]
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return CommandLine(folder)


def page_commands() -> list[list[str]]:
    """The words of the page's commands, with the cheapest precision in place of int8."""
    block = PAGE.read_text(encoding="utf-8").split("```sh\n")[1].split("```")[0]
    lines = block.replace("_int8", "_float16").splitlines()
    return [shlex.split(line, comments=True) for line in lines]


def test_the_ten_commands_of_the_page(here):
    shutil.copy(next((here.folder / "photos" / "calm").iterdir()), here.folder / "photo.jpg")
    said = {}
    commands = page_commands()
    assert len(commands) == 10
    for program, *words in commands:
        assert program == "fer-mobile"
        done = here(*words, *TOY.get(words[0], ()))
        # Two commands end in a verdict: one epoch teaches little, and this machine may be slow.
        verdict = {"verify": "not constant", "bench": "FAIL: 90%"}.get(words[0])
        assert done.returncode == 0 or (verdict and verdict in done.stdout), done.stderr
        said[" ".join(words[:2])] = done.stdout + done.stderr
    assert "faces written" in said["data crop"]
    assert "framed faces: " in said["data inspect"]
    assert "a folder for each class; faces to train/validate: calm " in said["train finetune"]
    assert "too few to fit one" in said["train finetune"]
    assert all(label in said["evaluate runs/mine"] for label in LABELS)
    assert (here.folder / "faces.html").is_file()
    assert (here.folder / "report.html").is_file()
    file = here.folder / "app/src/main/assets/models/finetune_float16.tflite"
    assert file.read_bytes() == (here.folder / "exported" / file.name).read_bytes()
    contract = read_contract(file)
    assert contract.labels == LABELS
    facts = contract.provenance
    assert (facts.dataset.name, facts.dataset.kind) == ("faces", "a folder for each class")
    assert facts.dataset.licence == contract.licence == UNKNOWN
    assert facts.initial_weights[0].name == "compact"
    assert "research" in facts.initial_weights[0].licence
    assert set(facts.dataset.counts) == set(LABELS)


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
