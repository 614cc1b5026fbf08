"""Every source of faces, whole and damaged."""

import contextlib
import csv
import io
import zipfile
from functools import partial

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from fer_mobile.data import load_dataset
from fer_mobile.data.copies import find_copies
from fer_mobile.errors import DataError
from fer_mobile.golden import golden_faces
from fer_mobile.labels import FERPLUS_VOTES
from fer_mobile.prepare import inspect_dataset
from fer_mobile.preprocess import resize
from tests.command_line import open_files
from tests.conftest import small_columns


@pytest.fixture
def columns():
    return small_columns()


def saved(folder, columns, name="faces.npz"):
    path = folder / name
    np.savez_compressed(path, **columns)
    return path


def test_splits_of_an_npz(small_npz):
    sizes = {s: len(load_dataset(small_npz, split=s)) for s in ("train", "valid", "test", "all")}
    assert sizes["all"] == sizes["train"] + sizes["valid"] + sizes["test"]
    assert (sizes["train"], sizes["valid"], sizes["test"]) == (80, 32, 16)
    test = load_dataset(small_npz, split="test")
    np.testing.assert_array_equal(test.images, golden_faces(48)[112:])
    assert (test.protocol, test.split) == ("ferplus-strict", "test")
    assert sum(test.counts().values()) == 16


def test_a_folder_stands_for_the_npz_in_it(tmp_path, columns):
    saved(tmp_path, columns, "fer_train_valid.npz")
    assert len(load_dataset(tmp_path, split="train")) == 80


def test_the_environment_names_the_data(small_npz, monkeypatch):
    monkeypatch.setenv("FER_MOBILE_DATA", str(small_npz))
    assert len(load_dataset(split="valid")) == 32
    monkeypatch.delenv("FER_MOBILE_DATA")
    with pytest.raises(DataError, match="Give its path, or set FER_MOBILE_DATA"):
        load_dataset(split="valid")


def test_labels_of_ones_own_are_refused_for_fer2013(small_npz):
    for look in (load_dataset, inspect_dataset):
        with pytest.raises(DataError, match=r"labels: expected a dataset that names.*FER2013 in"):
            look(small_npz, protocol="own", labels=["calm", "wild"])


def test_a_side_of_nothing_is_refused(small_npz):
    with pytest.raises(DataError, match="side: expected 1 px or more, found 0"):
        load_dataset(small_npz, side=0)


def test_copies_are_never_learned_from(tmp_path, columns):
    columns["copy_of"][[0, 1, 100]] = 1, 2, 1
    columns["label_certain"][[2, 3]] = False
    path = saved(tmp_path, columns)
    assert len(load_dataset(path, split="train")) == 80
    assert len(load_dataset(path, split="train", training=True)) == 78
    assert len(load_dataset(path, split="valid", training=True)) == 32
    assert len(load_dataset(path, protocol="fer2013", split="train", training=True)) == 76


def test_optional_keys_may_be_absent_and_unknown_ones_are_left_alone(tmp_path, columns):
    for key in ("row", "copy_of", "label_certain"):
        del columns[key]
    columns["note"] = np.array([{"an": "object"}], dtype=object)
    path = tmp_path / "faces.npz"
    np.savez(path, allow_pickle=True, **columns)
    assert len(load_dataset(path, split="train", training=True)) == 80


@pytest.mark.parametrize("key", ["images", "split", "votes", "fer2013_label"])
def test_a_missing_key_is_named(tmp_path, columns, key):
    del columns[key]
    with pytest.raises(DataError, match=rf"expected the keys images, split.*Add {key}\."):
        load_dataset(saved(tmp_path, columns))


@pytest.mark.parametrize(
    ("key", "change", "found"),
    [
        ("images", lambda a: a.astype(np.float32), r"images: uint8 \[N, H, W\].*float32"),
        ("images", lambda a: a.astype(np.uint16), "uint16"),
        ("images", lambda a: a[..., None], r"uint8 \[128, 48, 48, 1\]"),
        ("images", lambda a: a[:-1], r"\(128\), found uint8 \[127, 48, 48\]"),
        ("split", lambda a: a[:-1], r"images.*\(127\), found uint8 \[128, 48, 48\]"),
        ("split", lambda a: a.astype(str), "split: integers"),
        ("split", lambda a: a.reshape(2, -1), "split: integers"),
        ("split", lambda a: a[0], r"images.*\(1\)"),
        ("votes", lambda a: a[:, :8], r"votes: integers \[N, 10\].*\[128, 8\]"),
        ("votes", lambda a: a / 10, "votes: integers.*float64"),
        ("fer2013_label", lambda a: a[1:], r"fer2013_label.*int8 \[127\]"),
        ("copy_of", lambda a: a[1:], r"copy_of.*uint8 \[127\]"),
        ("label_certain", lambda a: a.astype(np.float32), "label_certain: booleans"),
    ],
)
def test_a_wrong_column_is_named(tmp_path, columns, key, change, found):
    columns[key] = change(columns[key])
    with pytest.raises(DataError, match=found):
        load_dataset(saved(tmp_path, columns))


def test_no_pickle_is_opened(tmp_path, columns):
    columns["votes"] = columns["votes"].astype(object)
    path = tmp_path / "faces.npz"
    np.savez(path, allow_pickle=True, **columns)
    with pytest.raises(DataError, match=r"a readable \.npz file.*allow_pickle"):
        load_dataset(path)


def damage(kind, content):
    if kind == "cut":
        return content[: len(content) // 2]
    if kind == "flipped":
        middle = len(content) // 2
        return content[:middle] + bytes(255 - b for b in content[middle : middle + 64]) + content[middle + 64 :]  # fmt: skip  # noqa: E501
    return {"empty": b"", "text": b"faces", "nothing in it": b"PK\5\6" + bytes(18)}[kind]


@pytest.mark.parametrize("kind", ["cut", "flipped", "empty", "text", "nothing in it"])
def test_a_damaged_npz_is_refused(tmp_path, small_npz, columns, kind):
    whole = saved(tmp_path, columns, "whole.npz").read_bytes()
    path = tmp_path / "damaged.npz"
    path.write_bytes(damage(kind, whole))
    with pytest.raises(DataError, match=r"damaged\.npz"):
        load_dataset(path)
    assert str(path) not in open_files()


@given(st.data())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_byte_becomes_the_npz_is_read_or_refused(tmp_path, data):
    content = io.BytesIO()
    np.savez_compressed(content, **{key: column[:4] for key, column in small_columns().items()})
    changed = bytearray(content.getvalue())
    changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "faces.npz").write_bytes(changed)
    with contextlib.suppress(DataError):
        load_dataset(tmp_path / "faces.npz", split="all")


def test_a_single_array_is_no_npz(tmp_path):
    with (tmp_path / "array.npz").open("wb") as file:
        np.save(file, golden_faces(48))
    with pytest.raises(DataError, match=r"expected a readable \.npz file"):
        load_dataset(tmp_path / "array.npz")


def test_a_zip_of_other_things_lists_what_is_in_it(tmp_path):
    with zipfile.ZipFile(tmp_path / "other.npz", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(DataError, match=r"found readme\.txt"):
        load_dataset(tmp_path / "other.npz")


def test_an_empty_split_is_an_error(tmp_path, columns):
    columns["split"][:] = 0
    with pytest.raises(DataError, match="expected faces in split 'test', found none"):
        load_dataset(saved(tmp_path, columns), split="test")


def test_other_files_and_names_are_refused(tmp_path, small_npz):
    (tmp_path / "faces.csv").write_text("x")
    with pytest.raises(DataError, match=r"faces\.csv: expected the column path, found x"):
        load_dataset(tmp_path / "faces.csv")
    with pytest.raises(DataError, match="nothing there"):
        load_dataset(tmp_path / "absent")
    with pytest.raises(DataError, match="found none of them"):
        load_dataset(tmp_path)
    faces = tmp_path / "faces"
    faces.mkdir()
    for name in ("1.jpg", "2.png"):
        (faces / name).touch()
    with pytest.raises(DataError, match="found 2 images side by side"):
        load_dataset(faces)
    with pytest.raises(DataError, match="Did you mean 'valid'"):
        load_dataset(small_npz, split="validd")
    with pytest.raises(DataError, match="Did you mean 'fer2013'"):
        load_dataset(small_npz, protocol="fer-2013")


class Csv:
    """The original csv pair in a folder, row by row."""

    usage = ("Training", "PublicTest", "PrivateTest")

    def __init__(self, folder):
        self.folder = folder
        self.faces = [["emotion", "pixels", "Usage"]]
        self.crowd = [["Usage", "Image name", *FERPLUS_VOTES]]

    def add(self, image, split, emotion=3, name="fer.png", **votes):
        pixels = " ".join(map(str, image.ravel()))
        self.faces.append([str(emotion), pixels, self.usage[split]])
        cast = [str(votes.get(n, 0)) for n in FERPLUS_VOTES]
        self.crowd.append([self.usage[split], name, *cast])

    def write(self):
        for name, rows in (("fer2013.csv", self.faces), ("fer2013new.csv", self.crowd)):
            with (self.folder / name).open("w", newline="") as file:
                csv.writer(file).writerows(rows)
        return self.folder


@pytest.fixture
def pair(tmp_path):
    return Csv(tmp_path)


def test_the_csv_pair_is_joined_by_row(pair):
    first, second, third, fourth = golden_faces(48)[:4]
    pair.add(first, 0, happiness=10)
    pair.add(second, 0, name="", NF=10)  # no face
    pair.add(third, 1, emotion=4, sadness=8, fear=1, neutral=1)
    pair.add(fourth, 2, surprise=7, unknown=3)
    folder = pair.write()
    train, valid, test = (load_dataset(folder, split=s) for s in ("train", "valid", "test"))
    np.testing.assert_array_equal(train.images, [first])
    np.testing.assert_array_equal(valid.images, [third])
    np.testing.assert_array_equal(test.images, [fourth])
    assert [d.names[d.labels[0]] for d in (train, valid, test)] == [
        "happiness",
        "sadness",
        "surprise",
    ]
    assert valid.targets[0, 3] == 1  # single votes are outliers
    assert load_dataset(folder, protocol="fer2013", split="valid").counts()["sadness"] == 1


def test_copies_in_the_csv_pair_are_found(pair):
    a, b, c, d, e = golden_faces(48)[:5]
    for image, split, emotion in (
        (a, 0, 3), (a, 1, 3),  # in train and valid
        (b, 0, 3), (b, 2, 3),  # in train and test
        (c, 0, 3), (c, 0, 4),  # twice in train under different labels
        (d, 0, 3), (d, 0, 3),  # twice in train under one label
        (e, 0, 3),
    ):  # fmt: skip
        pair.add(image, split, emotion, happiness=10)
    folder = pair.write()
    learned = load_dataset(folder, split="train", training=True)
    np.testing.assert_array_equal(learned.images, [c, c, d, d, e])
    learned = load_dataset(folder, protocol="fer2013", split="train", training=True)
    np.testing.assert_array_equal(learned.images, [d, d, e])
    assert len(load_dataset(folder, split="train")) == 7


def test_kaggles_train_csv_keeps_equal_faces_together(tmp_path):
    """A hundred faces, each three times; the tenth under several labels."""
    with (tmp_path / "train.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["emotion", "pixels"])
        for copy in range(3):
            for number, face in enumerate(golden_faces(48)[:100]):
                emotion = copy if number % 10 == 0 else number % 7
                rows.writerow([emotion, " ".join(map(str, face.ravel()))])
    load = partial(load_dataset, tmp_path / "train.csv", protocol="fer2013")
    train, valid = load(split="train"), load(split="valid")
    seen, kept = ({face.tobytes() for face in part.images} for part in (train, valid))
    assert len(train) + len(valid) == 300
    assert kept
    assert not seen & kept
    learned = load(split="train", training=True)
    several = {face.tobytes() for face in golden_faces(48)[:100:10]}
    assert {face.tobytes() for face in learned.images} == seen - several
    assert inspect_dataset(tmp_path / "train.csv").leaks == 0


def test_fer2013_without_valid_validates_a_tenth(tmp_path, columns, pair):
    columns["split"][columns["split"] == 1] = 0
    del columns["copy_of"]
    paths = [saved(tmp_path, columns)]
    for row, image in enumerate(columns["images"]):
        pair.add(image, columns["split"][row], columns["fer2013_label"][row], happiness=10)
    paths.append(pair.write())
    columns["split"][:] = 0
    paths.append(saved(tmp_path, columns, "train.npz"))
    for path, tests in zip(paths, (16, 16, 0), strict=True):
        parts = {s: load_dataset(path, protocol="fer2013", split=s) for s in ("train", "valid")}
        assert len(parts["train"]) + len(parts["valid"]) == 128 - tests
        assert 1 <= len(parts["valid"]) <= 30
        counts = inspect_dataset(path, protocol="fer2013").counts
        for split, part in parts.items():
            assert sum(own.get(split, 0) for own in counts.values()) == len(part)


def test_copies_that_an_npz_does_not_state_are_found(tmp_path, columns):
    del columns["copy_of"]
    columns["images"][0] = columns["images"][100]  # of valid
    assert columns["split"][100] == 1
    path = saved(tmp_path, columns)
    assert len(load_dataset(path, split="train", training=True)) == 79


def test_copies_are_numbered_as_in_the_npz():
    a, b, c = golden_faces(48)[:3]
    images = np.stack([a, a, b, b, c, c, c])
    splits = np.array([0, 1, 0, 2, 0, 1, 2])
    copy_of, certain = find_copies([i.tobytes() for i in images], splits, [0] * 7)
    assert copy_of.tolist() == [1, 0, 2, 0, 3, 0, 0]
    assert certain.all()


def test_copies_of_the_real_data_are_those_that_its_own_columns_state(shared_data):
    with np.load(shared_data / "fer_train_valid.npz") as data:
        keys = [image.tobytes() for image in data["images"]]
        copy_of, certain = find_copies(keys, data["split"], data["fer2013_label"].tolist())
        np.testing.assert_array_equal(copy_of, data["copy_of"] & 1)  # its test split is elsewhere
        np.testing.assert_array_equal(certain, data["label_certain"])


def damaged_row(pair, kind):
    faces, crowd = pair.faces, pair.crowd
    if kind == "pixels missing":
        faces[2][1] = faces[2][1].rpartition(" ")[0]
    elif kind == "pixel too large":
        faces[2][1] = "256" + faces[2][1].partition(" ")[1] + faces[2][1].partition(" ")[2]
    elif kind == "no number":
        faces[2][0] = "happy"
    elif kind == "usage":
        faces[2][2] = "Somewhere"
    elif kind == "row too short":
        del crowd[2][6:]
    elif kind == "fewer rows":
        del crowd[-1]
    elif kind == "header":
        faces[0][1] = "image"
    elif kind == "half a vote":
        crowd[2][3] = "2.5"


@pytest.mark.parametrize(
    "kind",
    [
        "pixels missing", "pixel too large", "no number", "usage", "row too short",
        "fewer rows", "header", "half a vote",
    ],
)  # fmt: skip
def test_a_damaged_csv_pair_is_refused(pair, kind):
    for image in golden_faces(48)[:3]:
        pair.add(image, 1, happiness=10)
    damaged_row(pair, kind)
    with pytest.raises(DataError, match=r"fer2013new\.csv .*with as many rows, found"):
        load_dataset(pair.write())


def test_a_csv_that_is_no_text_is_refused(pair):
    pair.add(golden_faces(48)[0], 1, happiness=10)
    (pair.write() / "fer2013.csv").write_bytes(b"emotion,pixels,Usage\n\xff\xfe\0,1,Training\n")
    with pytest.raises(DataError, match="with as many rows, found"):
        load_dataset(pair.folder)


def test_a_csv_pair_without_a_face_is_refused(pair):
    pair.add(golden_faces(48)[0], 1, name="", NF=10)
    with pytest.raises(DataError, match="expected faces in the csv pair, found none"):
        load_dataset(pair.write())


def add_image(folder, number, *, suffix=".png", wide=False):
    folder.mkdir(parents=True, exist_ok=True)
    face = Image.fromarray(golden_faces(64)[number])
    if wide:
        canvas = Image.new("L", (96, 64))
        canvas.paste(face, (16, 0))
        face = canvas
    face.save(folder / f"face-{number}{suffix}")


def test_image_folders_with_splits(tmp_path):
    add_image(tmp_path / "train" / "Happy", 0)
    add_image(tmp_path / "train" / "anger", 1)
    add_image(tmp_path / "valid" / "contempt", 2, wide=True)
    add_image(tmp_path / "valid" / "holidays", 3)  # names no expression
    (tmp_path / "valid" / "contempt" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    train = load_dataset(tmp_path, split="train")
    assert {n: c for n, c in train.counts().items() if c} == {"happiness": 1, "anger": 1}
    valid = load_dataset(tmp_path, split="valid", side=48)
    np.testing.assert_array_equal(valid.images, [resize(golden_faces(64)[2], 48)])
    assert valid.counts()["contempt"] == 1
    assert valid.targets.sum() == 1
    assert len(load_dataset(tmp_path, split="all")) == 3
    with pytest.raises(DataError, match="a split 'test', found train, valid"):
        load_dataset(tmp_path, split="test")
    with pytest.raises(DataError, match="expected faces in split 'valid', found none"):
        load_dataset(tmp_path, protocol="fer2013", split="valid")  # it knows no contempt


def test_image_folders_without_splits_are_split_by_name(tmp_path):
    for number in range(60):
        add_image(tmp_path / ("sad" if number % 2 else "Surprise"), number)
    train, valid = load_dataset(tmp_path, split="train"), load_dataset(tmp_path, split="valid")
    assert len(train) + len(valid) == len(load_dataset(tmp_path, split="all")) == 60
    assert 1 <= len(valid) <= 15
    again = load_dataset(tmp_path, split="valid")
    np.testing.assert_array_equal(valid.images, again.images)
    everything = {image.tobytes() for image in train.images}
    assert not everything & {image.tobytes() for image in valid.images}
