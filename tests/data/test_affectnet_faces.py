"""AffectNet's later release, images and annotations, made of the golden faces."""

import os

import numpy as np
import pytest
from PIL import Image

from fer_mobile.data import DataWarning, load_dataset
from fer_mobile.data.layouts.affectnet import EXPRESSIONS
from fer_mobile.errors import DataError
from fer_mobile.golden import golden_faces


def write_face(folder, number, expression):
    """The golden face `number` of a split's folder, with all that AffectNet keeps of it."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    (folder / "annotations").mkdir(exist_ok=True)
    Image.fromarray(golden_faces(48)[number]).save(folder / "images" / f"{number}.png")
    values = {"exp": str(expression), "val": "0.2", "aro": "-0.1", "lnd": np.zeros(136)}
    for name, value in values.items():
        np.save(folder / "annotations" / f"{number}_{name}.npy", np.array(value))


@pytest.fixture
def affectnet(tmp_path):
    """66 faces in train_set and 22 in val_set, eight of each of AffectNet's numbers 0 to 10."""
    for i in range(88):
        write_face(tmp_path / ("train_set" if i < 66 else "val_set"), i, i % 11)
    return tmp_path


def test_every_face_has_its_label_and_split(affectnet):
    for split, numbers in (("train", range(66)), ("valid", range(66, 88))):
        faces = load_dataset(affectnet, split=split, side=48)
        kept = sorted((f"{i}_exp", i) for i in numbers if i % 11 < 8)  # in the order of files
        np.testing.assert_array_equal(faces.images[:], golden_faces(48)[[i for _, i in kept]])
        assert [faces.names[label] for label in faces.labels] == [
            EXPRESSIONS[i % 11] for _, i in kept
        ]


def test_what_is_left_out_is_counted(affectnet):
    (affectnet / "train_set/images/0.png").unlink()
    (affectnet / "train_set/annotations/1_exp.npy").unlink()
    Image.fromarray(golden_faces(48)[2]).save(affectnet / "train_set/images/2.webp")  # twice
    with pytest.warns(DataWarning, match="62 faces; left out: 8 of expression Non-Face"):
        faces = load_dataset(affectnet, split="all")
    assert {s.reason: (s.count, s.examples) for s in faces.skipped} == {
        "of expression Non-Face": (8, ()),
        "of expression None": (8, ()),
        "of expression Uncertain": (8, ()),
        "annotated and not there": (1, ("train_set/annotations/0_exp.npy",)),
        "without _exp.npy": (2, ("train_set/images/2.webp", "train_set/images/1.png")),
    }


@pytest.mark.parametrize("around", ["", "AffectNet", "AffectNet/Labelled"])
def test_folders_around_the_splits(around, tmp_path):
    for i in range(8):
        write_face(tmp_path / around / "train_set", i, i)
        write_face(tmp_path / around / "val_set", i + 8, i)
    assert len(load_dataset(tmp_path, split="train", side=48)) == 8
    assert len(load_dataset(tmp_path, split="valid", side=48)) == 8


def test_one_of_its_splits_alone(affectnet):
    """The faces of `val_set` are valid; those of a folder with any name are parted by a rule."""
    assert len(load_dataset(affectnet / "val_set", split="valid", side=48)) == 16
    (affectnet / "notes").mkdir()  # beside what was asked for
    assert len(load_dataset(affectnet / "val_set", split="valid", side=48)) == 16
    (affectnet / "train_set").rename(affectnet / "mine")
    mine = affectnet / "mine"
    parts = [load_dataset(mine, split=name, side=48) for name in ("train", "valid")]
    assert sum(map(len, parts)) == 48
    assert min(map(len, parts)) > 0


def test_numbers_are_read_too(tmp_path):
    for i in range(16):
        write_face(tmp_path / ("train_set" if i < 8 else "val_set"), i, 0)
    for file in tmp_path.rglob("*_exp.npy"):
        np.save(file, np.array(6))
    assert load_dataset(tmp_path, split="all", side=48).counts()["anger"] == 16


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (np.array("11"), "expected the number of an expression, 0 to 10, found 11"),
        (np.array("happy"), "expected the number of an expression, found .*'happy'"),
        (np.array(["1", "2"]), "expected the number of an expression, found "),
        (np.array({"a": 1}, object), "expected the number of an expression, found .*allow_pickle"),
        (b"", "expected the number of an expression, found "),
        (b"no array", "expected the number of an expression, found "),
    ],
)
def test_an_annotation_that_cannot_be_read_is_named(affectnet, content, found):
    file = affectnet / "train_set/annotations/3_exp.npy"
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        np.save(file, content)
    with pytest.raises(DataError, match=rf"3_exp\.npy.*{found}"):
        load_dataset(affectnet, split="all")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_among_the_annotations_is_named(affectnet):
    os.mkfifo(affectnet / "train_set/annotations/99_exp.npy")
    with pytest.raises(DataError, match=r"99_exp\.npy.*found .*a device or a pipe"):
        load_dataset(affectnet, split="all")


def test_a_split_without_annotations_is_an_error(affectnet):
    for file in (affectnet / "val_set/annotations").iterdir():
        file.unlink()
    with pytest.raises(DataError, match=r"val_set.*expected a folder with images/ and annotations"):
        load_dataset(affectnet, split="all")


def test_a_folder_beside_the_splits_that_is_none(affectnet):
    write_face(affectnet / "more", 0, 0)
    with pytest.raises(DataError, match=r"more.*expected only splits beside train_set, val_set"):
        load_dataset(affectnet, split="all")


def test_annotations_without_any_image(affectnet):
    for file in affectnet.rglob("*.png"):
        file.unlink()
    with pytest.raises(DataError, match=r"an image for each _exp\.npy, found none, the first"):
        load_dataset(affectnet, split="all")
