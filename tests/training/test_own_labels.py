"""Recipes for labels of one's own: what they begin with, what is told of the data."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from fer_mobile.checkpoint import load_checkpoint
from fer_mobile.data import load_dataset
from fer_mobile.errors import DataError
from fer_mobile.golden import golden_faces
from fer_mobile.labels import LABELS, LABELS_7
from fer_mobile.resources import photos_dir
from fer_mobile.training import find_recipe, load_recipe
from fer_mobile.training.network import start_from
from fer_mobile.training.split import training_rows
from fer_mobile.training.trainer import report_data


@pytest.fixture
def own(tmp_path):
    for number, face in enumerate(golden_faces(64)[:24]):
        folder = tmp_path / "own" / ("calm", "Wild", "odd")[number % 3]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(face).save(folder / f"{number}.png")
    return tmp_path / "own"


def recipe(*changes):
    return load_recipe(find_recipe("finetune"), changes)


def test_labels_are_the_alphabet_s_or_as_stated(own):
    learn, valid = training_rows(recipe(), own)
    assert learn.names == valid.names == ("calm", "odd", "Wild")
    assert set(valid.counts().values()) <= {1, 2, 3}
    assert min(valid.counts().values()) == 1
    learn, _ = training_rows(recipe('data.labels=["odd","calm","Wild"]'), own)
    assert learn.names == ("odd", "calm", "Wild")
    with pytest.raises(DataError, match="faces of 'mad', found none"):
        training_rows(recipe('data.labels=["odd","calm","mad"]'), own)


def test_what_cannot_be_told_apart_is_not_trained(own):
    for path in (own / "odd").glob("*.png"):
        path.write_bytes(path.name.encode())
    found = r"none in train \(left out: \d+ that cannot be read\)"
    with pytest.raises(DataError, match=f"faces of 'odd' to train, found {found}"):
        training_rows(recipe(), own)
    for path in (own / "Wild").glob("*.png"):
        path.write_bytes(b"broken")
    with pytest.raises(DataError, match="at least 2 labels to train, found calm alone"):
        training_rows(recipe(), own)


def test_a_label_that_only_validates_is_told_as_that(tmp_path):
    for number, folder in enumerate(("train/calm", "train/Wild", "valid/calm", "valid/odd")):
        (tmp_path / folder).mkdir(parents=True)
        Image.fromarray(golden_faces(64)[number]).save(tmp_path / folder / f"{number}.png")
    with pytest.raises(DataError, match=r"faces of 'odd' to train, found none in train\.$"):
        training_rows(recipe(), tmp_path)


def test_none_is_a_start_from_nothing():
    assert recipe().model.start == "compact"
    assert recipe("model.start=none").model.start is None


def test_a_head_of_as_many_other_labels_begins_anew():
    def fresh():
        return load_checkpoint("xcao_two_stream").model

    def head(model):
        return [layer for layer in model.layers if layer.weights][-1].get_weights()[0]

    model = fresh()
    for layer in model.layers:
        layer.set_weights([np.zeros_like(w) for w in layer.get_weights()])
    start_from("xcao_two_stream", model, [f"own {n}" for n in range(8)])
    assert not head(model).any()
    start_from("xcao_two_stream", model, LABELS)
    np.testing.assert_array_equal(head(model), head(fresh()))


def test_a_training_tells_what_its_data_is(own, tmp_path):
    said = []
    report_data(*training_rows(recipe(), own), said.append)
    assert len(said) == 1
    assert said[0].startswith("own: a folder for each class; faces to train/validate: calm ")
    for number, path in enumerate(sorted(photos_dir().glob("*.jpg"))[:12]):
        folder = tmp_path / "wide" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        with Image.open(path) as photo:
            scene = Image.new("L", (2 * photo.width, 2 * photo.height), 200)
            scene.paste(photo.convert("L"), (photo.width // 2, photo.height // 2))
        scene.save(folder / f"{number}.png")
    photos = load_dataset(tmp_path / "wide", split="all", protocol="own")
    report_data(photos, photos, said.append)
    assert "are framed faces" in said[-1]


@pytest.mark.parametrize("missing", [(), ("disgust", "fear")])
def test_a_label_of_the_protocol_without_faces_to_train_is_told(missing, tmp_path):
    for number, name in enumerate(LABELS_7):
        for split, first in (("train", 0), ("valid", len(LABELS_7))):
            folder = tmp_path / split / name
            folder.mkdir(parents=True)
            if split == "valid" or name not in missing:
                Image.fromarray(golden_faces(64)[first + number]).save(folder / "face.png")
    said: list[str] = []
    report_data(*training_rows(recipe("data.protocol=fer2013"), tmp_path), said.append)
    told = [line.partition("no face of ")[2] for line in said if "to train" in line]
    expected = "disgust, fear to train, so the model will hardly predict it"
    assert told == ([expected] if missing else [])


def test_the_average_leaves_a_new_head_s_first_weights_behind_on_sixty_faces():
    finetune = recipe()
    steps = finetune.training.patience * (60 // finetune.training.batch_size + 1)
    assert finetune.optimizer.ema**steps < 0.2  # before early stopping may end it
