"""AffectNet's folders and lists, made of the golden faces."""

import csv
import warnings

import numpy as np
import pytest
from PIL import Image

from fer_mobile.data import DataWarning, load_dataset, loading
from fer_mobile.data.face_files import FaceFiles, load_face
from fer_mobile.errors import DataError, PhotoError
from fer_mobile.golden import golden_faces
from fer_mobile.labels import LABELS_7
from fer_mobile.training import load_recipe, train
from fer_mobile.types import Box

HEAD = (
    "subDirectory_filePath", "face_x", "face_y", "face_width", "face_height",
    "facial_landmarks", "expression", "valence", "arousal",
)  # fmt: skip
BOX = (10, 6, 48, 48)


def write_list(path, rows, head=True):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([HEAD, *rows] if head else rows)


@pytest.fixture
def affectnet(tmp_path):
    """88 photos, eight of each of AffectNet's numbers 0 to 10; the face is in a box of each."""
    rows = []
    for i, face in enumerate(golden_faces(48)[:88]):
        photo = np.full((64, 72), 200, np.uint8)
        photo[6:54, 10:58] = face
        name = f"{i // 40}/face{i}.png"
        path = tmp_path / "Manually_Annotated_Images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photo).save(path)
        rows.append((name, *BOX, "", i % 11, 0.1, 0.2))
    lists = tmp_path / "Manually_Annotated_file_lists"
    write_list(lists / "training.csv", rows[:70])
    write_list(lists / "validation.csv", rows[70:], head=False)
    return tmp_path


def test_none_uncertain_and_no_face_are_left_out(affectnet):
    faces = load_dataset(affectnet, split="all", side=48)
    assert set(faces.counts().values()) == {8}
    assert len(faces) == 64
    assert faces.images.shape == (64, 48, 48)
    seven = load_dataset(affectnet, protocol="fer2013", split="all")
    assert (seven.names, len(seven)) == (LABELS_7, 56)


def test_the_face_is_what_the_box_holds(affectnet):
    faces = load_dataset(affectnet, split="all", side=48)
    expected = np.stack([face for i, face in enumerate(golden_faces(48)[:88]) if i % 11 < 8])
    np.testing.assert_array_equal(faces.images[:], expected)


def test_the_two_lists_are_train_and_valid(affectnet):
    parts = {name: load_dataset(affectnet, split=name, side=48) for name in ("train", "valid")}
    known = [face for i, face in enumerate(golden_faces(48)[:88]) if i % 11 < 8 and i >= 70]
    np.testing.assert_array_equal(parts["valid"].images[:], known)
    assert len(parts["train"]) == 64 - len(known)


def test_what_is_left_out_is_counted(affectnet):
    with pytest.warns(DataWarning, match="64 faces; left out: 8 of expression Non-Face; 8 of"):
        faces = load_dataset(affectnet, split="all")
    assert [(s.reason, s.count) for s in faces.skipped] == [
        ("of expression Non-Face", 8),
        ("of expression None", 8),
        ("of expression Uncertain", 8),
    ]


def test_nothing_of_a_large_source_is_decoded_before_it_is_used(affectnet, monkeypatch):
    monkeypatch.setattr(loading, "MOST_DECODED", 10)
    for path in sorted((affectnet / "Manually_Annotated_Images").rglob("*.png"))[:3]:
        path.write_bytes(b"damaged")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DataWarning)
        faces = load_dataset(affectnet, split="all", side=48)
        some = faces.take(np.arange(10, 20)).take(np.array([3, 1]))
    assert isinstance(some.images, FaceFiles)
    assert some.images[:].shape == (2, 48, 48)
    with pytest.warns(UserWarning, match="a gray face in place of"):
        every = faces.images[:]
    assert 1 <= (every == 128).all((1, 2)).sum() <= 3


def test_a_recipe_learns_from_a_tenth_of_every_label(affectnet, tiny_recipe, tmp_path):
    changes = (
        "model.architecture=simple_cnn", "model.options={size = 16}", "optimizer.ema=0.0",
        "training.fraction=0.5", "epochs=1",
    )  # fmt: skip
    said = []
    train(load_recipe(tiny_recipe, changes), tmp_path / "run", data=affectnet, report=said.append)
    counts = load_dataset(affectnet, split="train").counts().values()
    assert f"{sum(max(1, round(n / 2)) for n in counts)} faces train" in said[0]


def test_rows_without_a_photo_and_without_a_box(tmp_path):
    face = golden_faces(48)[0]
    Image.fromarray(face).save(tmp_path / "there.png")
    rows = [("there.png", "", "", "", "", "", 1, 0, 0), ("gone.png", *BOX, "", 1, 0, 0)]
    write_list(tmp_path / "training.csv", rows)
    faces = load_dataset(tmp_path, split="all", side=48)
    np.testing.assert_array_equal(faces.images[:], face[None])
    assert faces.counts()["happiness"] == 1


def test_a_list_that_cannot_be_read_is_named(tmp_path):
    write_list(tmp_path / "training.csv", [("a.png", *BOX, "", "happy", 0, 0)])
    with pytest.raises(DataError, match=r"AffectNet's columns.*'happy'.* in line 2"):
        load_dataset(tmp_path, split="all")
    write_list(tmp_path / "training.csv", [("gone.png", *BOX, "", 1, 0, 0)])
    with pytest.raises(DataError, match=r"photos of AffectNet's lists.*found none"):
        load_dataset(tmp_path, split="all")


@pytest.mark.parametrize(
    ("number", "again", "message"),
    [
        (15, False, r"found expression 15 in line 2"),
        (1, True, r"each face in one list, found a\.png in both"),
    ],
)
def test_lists_that_contradict_are_refused(tmp_path, number, again, message):
    Image.fromarray(golden_faces(48)[0]).save(tmp_path / "a.png")
    rows = [("a.png", *BOX, "", number, 0, 0)]
    write_list(tmp_path / "training.csv", rows)
    if again:
        write_list(tmp_path / "validation.csv", rows)
    with pytest.raises(DataError, match=message):
        load_dataset(tmp_path, split="all")


def test_a_box_far_larger_than_its_photo_is_refused(tmp_path):
    """It would be cut out as gigabytes of repeated edge."""
    path = tmp_path / "photo.png"
    Image.new("RGB", (40, 30)).save(path)
    huge = Box(-5e8, -5e8, 1e9, 1e9)
    with pytest.raises(PhotoError, match="boxes in this photo of 40×30 pixels"):
        load_face(path, huge, 48)
    assert load_face(path, Box(-10, -10, 60, 50), 48).shape == (48, 48)
