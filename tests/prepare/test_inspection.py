"""What a look at a dataset says of made ones whose every fault is known."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_mobile.data import load_dataset
from fer_mobile.errors import DataError
from fer_mobile.golden import golden_faces
from fer_mobile.prepare import inspect_dataset
from fer_mobile.resources import photos_dir

FACES = golden_faces(64)


def put(root: Path, name: str, face: np.ndarray) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(face).save(root / name)


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    root = tmp_path / "own"
    for number in range(24):
        put(root, f"train/calm/{number:02}.png", FACES[number])
    for number in range(24, 30):
        put(root, f"train/wild/{number:02}.png", FACES[number])
    put(root, "train/calm/twice.png", FACES[0])
    put(root, "train/wild/contrary.png", FACES[1])
    put(root, "valid/calm/leak.png", (FACES[2] * 0.8).astype(np.uint8))
    put(root, "valid/wild/40.png", FACES[40])
    (root / "train/wild/broken.png").write_bytes(b"x")
    os.mkfifo(root / "train/wild/pipe.png")
    return root


def test_every_fault_is_counted(faulty):
    found = inspect_dataset(faulty)
    assert (found.protocol, found.kind) == ("own", "a folder for each class and split")
    assert found.counts == {
        "calm": {"train": 25, "valid": 1},
        "wild": {"train": 7, "valid": 1},
    }
    assert (found.copies, found.near_copies, found.leaks, found.contradictions) == (2, 3, 1, 2)
    assert [(reason, count) for reason, count, _ in found.skipped] == [
        ("that cannot be read, or too small", 2)
    ]
    assert found.shorter_side == (64, 64, 64)
    assert found.balance == pytest.approx(26 / 8)
    assert found.framing.is_framed
    said = " ".join(found.advice())
    assert "Faces of train that are also, or nearly, in valid or test: 1." in said
    assert "Fewer than 20 faces train wild" in said


def test_what_inspecting_refuses_or_advises(tmp_path):
    for number in range(8):
        put(tmp_path, f"raf/{1 + number % 2}/{number}.png", FACES[number])
        put(tmp_path, f"one/train/happy/{number}.png", FACES[number])
        put(tmp_path, f"two/{('HAPPY', 'Sad')[number % 2]}/{number}.png", FACES[number])
    assert "The classes are numbers" in inspect_dataset(tmp_path / "raf").advice()[-1]
    with pytest.raises(DataError, match="faces of at least 2 labels, found happiness alone"):
        inspect_dataset(tmp_path / "one")
    advice = inspect_dataset(tmp_path / "two").advice()
    assert "No face shows neutral, surprise, anger, disgust, fear, contempt." in advice
    assert "Fewer than 20 faces train happiness, sadness: expect low recall." in advice
    assert not any("No face validates" in each for each in advice)


def test_what_no_training_can_begin_with_is_said(tmp_path, small_npz):
    for number, name in enumerate(("calm", "wild")):
        put(tmp_path, f"few/{name}/{number}.png", FACES[number])
    found = inspect_dataset(tmp_path / "few")
    assert all("valid" not in splits or not splits["valid"] for splits in found.counts.values())
    assert any(each.startswith("No face validates") for each in found.advice())
    with pytest.raises(DataError, match="One face in ten validates: add faces"):
        load_dataset(tmp_path / "few", protocol="own", split="valid")
    with pytest.raises(DataError, match="labels: expected `protocol=own` with them"):
        inspect_dataset(tmp_path / "few", protocol="ferplus-strict", labels=["calm", "wild"])
    assert inspect_dataset(small_npz, protocol="own").protocol == "fer2013"


def test_photos_that_are_no_framed_faces_are_noticed(tmp_path):
    for number, path in enumerate(sorted(photos_dir().glob("*.jpg"))[:12]):
        with Image.open(path) as photo:
            scene = Image.new("L", (2 * photo.width, 2 * photo.height), 200)
            scene.paste(photo.convert("L"), (photo.width // 2, photo.height // 2))
        put(tmp_path, f"{'ab'[number % 2]}/{number}.png", np.asarray(scene))
    found = inspect_dataset(tmp_path)
    assert not found.framing.is_framed
    assert "Cut the faces out of their photos first" in " ".join(found.advice())


def test_the_eight_expressions_are_recognised(tmp_path):
    for number, name in enumerate(("Happy", "sad", "sad")):
        put(tmp_path, f"{name}/{number}.png", FACES[number])
    found = inspect_dataset(tmp_path)
    assert found.protocol == "expressions"
    assert found.counts["happiness"] == {"train": 1, "valid": 0}


def test_the_page_shows_samples_and_asks_for_nothing_from_outside(faulty, tmp_path, fer_mobile):
    page = tmp_path / "page.html"
    said = fer_mobile("data", "inspect", faulty, "--html", page).stdout
    assert "left out: 2 that cannot be read" in said
    text = page.read_text(encoding="utf-8")
    assert text.count("data:image/png;base64,") == 2
    assert not re.search(r"(src|href)=.(?!data:)", text)
    assert "<td>calm</td>" in text


def test_json_and_labels_in_an_order(faulty, fer_mobile):
    told = fer_mobile.json("data", "inspect", faulty, "--labels", "wild, calm")
    assert list(told["counts"]) == ["wild", "calm"]
    assert told["leaks"] == 1


def test_what_is_no_dataset_is_refused(tmp_path):
    with pytest.raises(DataError, match="found none of them"):
        inspect_dataset(tmp_path)


@pytest.mark.prove
def test_the_real_dataset(shared_data):
    found = inspect_dataset(shared_data)
    assert found.counts["happiness"] == {"train": 7287, "valid": 865}
    assert found.framing.is_framed
    assert found.copies == 1338
