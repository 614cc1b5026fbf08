"""Datasets as people keep them, whole and broken: recognised, counted, named, never pooled."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fer_mobile.data import OWN, Dataset, DataWarning, load_dataset
from fer_mobile.data.copies import near_copies
from fer_mobile.data.splits import assign, split_number
from fer_mobile.errors import DataError
from fer_mobile.golden import golden_faces
from fer_mobile.labels import FERPLUS_VOTES

FACES = golden_faces(64)


def write(root: Path, folders: dict[str, int], start: int = 0) -> int:
    """So many different faces in each folder below `root`; returns how many."""
    number = start
    for folder, count in folders.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        for _ in range(count):
            Image.fromarray(FACES[number]).save(root / folder / f"{number:04}.png")
            number += 1
    return number - start


def counted(dataset: Dataset) -> dict[str, int]:
    return {name: count for name, count in dataset.counts().items() if count}


def reasons(dataset: Dataset) -> dict[str, int]:
    return {skipped.reason: skipped.count for skipped in dataset.skipped}


def test_misspelt_and_foreign_classes_are_counted_and_named(tmp_path):
    write(tmp_path, {"happy": 20, "suprise": 20, "neutrall": 10, "Freude": 5})
    with pytest.warns(DataWarning, match="20 faces; left out"):
        faces = load_dataset(tmp_path, split="all")
    assert counted(faces) == {"happiness": 20}
    assert reasons(faces) == {
        "of class 'Freude', which is no label": 5,
        "of class 'neutrall', which is no label (did you mean 'neutral'?)": 10,
        "of class 'suprise', which is no label (did you mean 'surprise'?)": 20,
    }
    assert all(Path(s.examples[0]).is_file() for s in faces.skipped)


def test_no_known_class_at_all_is_an_error(tmp_path):
    write(tmp_path, {"Freude": 3, "Wut": 3})
    with pytest.raises(DataError, match=r"found Freude, Wut\. Use `protocol=own`"):
        load_dataset(tmp_path, split="all")


@pytest.mark.parametrize(
    ("train", "valid"),
    [
        ("Train", "Test"),
        ("training", "validation"),
        ("TRAIN", "Val"),
        ("train_set", "dev"),
        ("Training Set", "val_set"),
        ("train images", "validation-data"),
    ],
)
def test_split_folders_of_any_spelling_are_splits(tmp_path, train, valid):
    write(tmp_path, {f"{train}/happy": 4, f"{train}/sad": 5, f"{valid}/happy": 2})
    held_out = "test" if valid == "Test" else "valid"
    assert counted(load_dataset(tmp_path, split=held_out)) == {"happiness": 2}
    everything = load_dataset(tmp_path, split="all")
    assert counted(everything) == {"happiness": 6, "sadness": 5}
    assert everything.kind == "a folder for each class and split"


def test_without_valid_a_tenth_of_train_validates_and_test_stays(tmp_path):
    write(tmp_path, {"train/happy": 60, "train/sad": 40, "test/happy": 8})
    parts = {split: load_dataset(tmp_path, split=split) for split in ("train", "valid", "test")}
    assert len(parts["train"]) + len(parts["valid"]) == 100
    assert 2 <= len(parts["valid"]) <= 25
    assert {Path(f).parts[-3] for f in parts["test"].files} == {"test"}
    assert {Path(f).parts[-3] for f in parts["valid"].files} == {"train"}


def test_splits_below_the_classes_are_splits(tmp_path):
    write(tmp_path, {"happy/train": 4, "sad/train": 4, "happy/val": 2})
    assert counted(load_dataset(tmp_path, split="valid")) == {"happiness": 2}
    assert counted(load_dataset(tmp_path, split="train")) == {"happiness": 4, "sadness": 4}


def test_splits_among_classes_are_refused(tmp_path):
    write(tmp_path, {"train/happy": 2, "sad": 2})
    with pytest.raises(DataError, match="only splits beside train, found sad"):
        load_dataset(tmp_path, split="all")


def test_splits_below_subjects_are_splits(tmp_path):
    write(
        tmp_path,
        {f"{c}/s1/{s}": n for c in ("happy", "sad") for s, n in (("train", 4), ("test", 2))},
    )
    assert counted(load_dataset(tmp_path, split="test")) == {"happiness": 2, "sadness": 2}


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        (("train/happy/test", "train/sad"), "no splits but train, found test below them"),
        (
            ("fold1/train/happy", "fold2/test/sad"),
            "found folders on both sides, as in fold1/train/happy",
        ),
        (("happy", "happy/train", "sad/train"), r"beside train, found happy/0000\.png"),
    ],
)
def test_pictures_in_no_one_split_are_refused(tmp_path, folders, message):
    write(tmp_path, dict.fromkeys(folders, 1))
    with pytest.raises(DataError, match=message):
        load_dataset(tmp_path, split="all")


def test_folders_that_an_archive_adds_are_looked_through(tmp_path):
    write(tmp_path / "archive" / "fer2013", {"train/happy": 3, "test/sad": 3})
    assert counted(load_dataset(tmp_path, split="test")) == {"sadness": 3}


def test_subjects_below_a_class_stay_together(tmp_path):
    write(tmp_path, {f"happy/s{n}": 3 for n in range(10)} | {f"sad/s{n}": 3 for n in range(10)})
    parts = {split: load_dataset(tmp_path, split=split) for split in ("train", "valid")}
    subjects = {k: {Path(f).parent.name for f in part.files} for k, part in parts.items()}
    assert len(parts["train"]) + len(parts["valid"]) == 60
    assert subjects["valid"]
    assert not subjects["train"] & subjects["valid"]


def test_near_copies_stay_in_one_split(tmp_path):
    """Twenty faces, each also darker and smaller: no face validates that has its twin in train."""
    for number in range(20):
        folder = tmp_path / ("happy" if number % 2 else "sad")
        folder.mkdir(exist_ok=True)
        for variant, size in enumerate((64, 60, 56)):
            darker = Image.fromarray((FACES[number] * (1 - 0.1 * variant)).astype(np.uint8))
            darker.resize((size, size)).save(folder / f"{variant}-{number:02}.png")
    for split in ("train", "valid"):
        names = [Path(f).stem[2:] for f in load_dataset(tmp_path, split=split).files]
        assert all(names.count(name) == 3 for name in names)


def test_subjects_with_a_near_copy_in_common_stay_together(tmp_path):
    """Twenty pairs of subjects with three faces each, of which one is darker in the other's."""
    for pair in range(20):
        for subject in range(2):
            folder = tmp_path / ("happy" if pair % 2 else "sad") / f"{pair:02}-{subject}"
            folder.mkdir(parents=True)
            shown = [5 * pair, *(5 * pair + 1 + 2 * subject + n for n in range(2))]
            for number, face in enumerate(shown):
                pixels = (FACES[face] * (1 - 0.2 * subject)).astype(np.uint8)
                Image.fromarray(pixels).save(folder / f"{2 - number if subject else number}.png")
    parts = [load_dataset(tmp_path, split=split).files for split in ("train", "valid")]
    train, valid = ({Path(f).parent.name[:2] for f in files} for files in parts)
    assert len(parts[0]) + len(parts[1]) == 120
    assert valid
    assert not train & valid


def test_unreadable_small_and_loose_files_are_counted(tmp_path):
    write(tmp_path, {"happy": 6, "sad": 6, ".": 1})
    (tmp_path / "sad" / "broken.png").write_bytes(b"broken")
    Image.fromarray(FACES[0]).resize((12, 12)).save(tmp_path / "sad" / "tiny.png")
    (tmp_path / "sad" / "notes.txt").write_text("x")
    with pytest.warns(DataWarning) as told:
        faces = load_dataset(tmp_path, split="all")
    assert len(faces) == 12
    assert str(told[0].message).endswith(
        "1 in no class folder (0012.png); 1 without an image's suffix (sad/notes.txt); "
        "1 that cannot be read (sad/broken.png); 1 too small (sad/tiny.png)"
    )
    assert reasons(faces) == {
        "in no class folder": 1,
        "without an image's suffix": 1,
        "that cannot be read": 1,
        "too small": 1,
    }


def test_own_labels_in_the_order_of_the_alphabet_or_as_given(tmp_path):
    write(tmp_path, {"wut": 3, "Freude": 3, "angst": 2})
    assert load_dataset(tmp_path, split="all", protocol=OWN).names == ("angst", "Freude", "wut")
    given_order = load_dataset(
        tmp_path, split="all", protocol=OWN, labels=("Wut", "Freude", "Angst")
    )
    assert given_order.names == ("Wut", "Freude", "Angst")
    assert counted(given_order) == {"Wut": 3, "Freude": 3, "Angst": 2}
    assert given_order.protocol == OWN
    with pytest.warns(DataWarning, match="2 of class 'angst'"):
        two = load_dataset(tmp_path, split="all", protocol=OWN, labels=("Wut", "Freude"))
    assert len(two) == 6


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (("Wut",), "2 to 100 labels, found 1: Wut"),
        (("Wut", "wut "), "different names"),
        (("Wut", "multiple"), "none of them empty or one of multiple, unsure, no face, failed"),
        (("Wut", "No face"), "one of multiple, unsure, no face, failed, found Wut, No face"),
        (("Wut", "Freud"), "faces of 'Freud', found none. Did you mean 'Freude'"),
    ],
)
def test_wrong_own_labels_are_refused(tmp_path, labels, message):
    write(tmp_path, {"Wut": 3, "Freude": 3})
    with pytest.raises(DataError, match=message):
        load_dataset(tmp_path, split="all", protocol=OWN, labels=labels)


def test_one_class_only_is_refused(tmp_path):
    write(tmp_path, {"Wut": 3})
    with pytest.raises(DataError, match="2 to 100 labels, found 1: Wut"):
        load_dataset(tmp_path, split="all", protocol=OWN)
    with pytest.raises(DataError, match="`protocol=own` with them, found 'fer2013'"):
        load_dataset(tmp_path, split="all", protocol="fer2013", labels=("a", "b"))


def manifest(folder: Path, header: str, *rows: tuple[object, ...], name: str = "list.csv") -> Path:
    path = folder / name
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header.split(","), *rows])
    return path


def test_a_manifest_with_boxes_and_splits(tmp_path):
    photo = np.full((100, 120), 200, np.uint8)
    photo[20:84, 30:94] = FACES[0]
    Image.fromarray(photo).save(tmp_path / "a.png")
    Image.fromarray(FACES[1]).save(tmp_path / "b.png")
    rows = [
        ("a.png", "calm", "train", 30, 20, 64, 64),
        ("b.png", "wild", "Validation", "", "", "", ""),
        ("gone.png", "wild", "train", "", "", "", ""),
    ]
    path = manifest(tmp_path, "File,Class,Split,x,y,width,height", *rows)
    with pytest.warns(DataWarning, match="1 listed and not there"):
        train = load_dataset(path, split="train", protocol=OWN, side=64)
    np.testing.assert_array_equal(train.images, FACES[:1])
    assert train.names == ("calm", "wild")
    assert counted(load_dataset(path, split="valid", protocol=OWN)) == {"wild": 1}


@pytest.mark.parametrize(
    ("header", "rows", "message"),
    [
        ("file,mood", [("b.png", "calm")], "expected the column label, found file, mood"),
        ("path,label,x,y,width", [("b.png", "calm", 1, 1, 9)], "expected the column height"),
        ("path,label,split", [("b.png", "calm", "later")], "split 'later' in line 2"),
        (
            "path,label,split",
            [("b.png", "calm", "train"), ("b.png", "calm", "test")],
            r"each image in one split, found 'b\.png' in two \(lines 2 and 3\)",
        ),
        ("path,label", [("b.png", "calm"), ("b.png", "wild")], "each image in one label"),
        ("path,label", [("b.png", "")], "no label in line 2"),
        ("path,label,split", [("b.png", "calm")], "2 of 3 cells in line 2"),
        ("path,label,Label", [("b.png", "calm", "calm")], "expected one column label"),
        ("path,label,x1,y1,x2", [("b.png", "calm", 1, 1, 9)], "expected the column y2"),
        ("path,label", [("c.png", "calm")], r"none of 1, the first is 'c\.png'"),
        ("path,label", [], "none of 0"),
        (
            "path,label,x,y,width,height",
            [("b.png", "calm", 300, 3, 40, 40), ("c.png", "wild", 1, 1, 40, 40)],
            "a box inside the photo of 64×64 px, found 300, 3, 40, 40",
        ),
        (
            "path,label,x,y,width,height",
            [("b.png", "calm", 1, 1, -4, 40)],
            "the box 1, 1, -4, 40 in line 2",
        ),
    ],
)
def test_a_broken_manifest_is_refused_in_one_line(tmp_path, header, rows, message):
    Image.fromarray(FACES[1]).save(tmp_path / "b.png")
    if len(rows) == 2 and rows[1][0] == "c.png":
        Image.fromarray(FACES[2]).save(tmp_path / "c.png")
    path = manifest(tmp_path, header, *rows)
    with pytest.raises(DataError, match=message) as caught:
        load_dataset(path, split="all", protocol=OWN)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_manifest_as_other_programs_write_it(tmp_path, delimiter, encoding):
    """Spreadsheets' delimiters and marks, Windows's paths, an index, upper case, a row again."""
    write(tmp_path, {"sub": 4})
    rows = [(n, f"sub\\{n:04}.png", ("frö", "Frö", "frö", "wild")[n], 7) for n in range(4)]
    with (tmp_path / "list.csv").open("w", newline="", encoding=encoding) as file:
        lines = csv.writer(file, delimiter=delimiter)
        lines.writerows([("", "FILE_NAME", "Emotion", "score"), *rows, rows[0]])
    with pytest.warns(DataWarning, match=r"1 listed twice \(sub/0000\.png\)"):
        faces = load_dataset(tmp_path / "list.csv", split="all", protocol=OWN)
    assert counted(faces) == {"frö": 3, "wild": 1}


def test_a_path_longer_than_any_file_s_is_of_none(tmp_path):
    write(tmp_path, {".": 2})
    rows = [("0000.png", "happy"), ("0001.png", "sad"), ("x" * 300, "sad")]
    faces = load_dataset(manifest(tmp_path, "path,label", *rows), split="all")
    assert counted(faces) == {"happiness": 1, "sadness": 1}
    assert reasons(faces) == {"listed and not there": 1}
    with pytest.raises(DataError, match="expected a file or folder, found File name too long"):
        load_dataset(tmp_path / ("x" * 300))


def test_a_box_by_its_corners(tmp_path):
    photo = np.full((100, 120), 200, np.uint8)
    photo[20:84, 30:94] = FACES[0]
    Image.fromarray(photo).save(tmp_path / "a.png")
    Image.fromarray(FACES[1]).save(tmp_path / "b.png")
    rows = [("a.png", "calm", 30, 20, 94, 84), ("b.png", "wild", "", "", "", "")]
    path = manifest(tmp_path, "path,label,xmin,ymin,xmax,ymax", *rows)
    faces = load_dataset(path, split="all", protocol=OWN, side=64)
    np.testing.assert_array_equal(faces.images, FACES[:2])


@pytest.mark.parametrize("empty", ["angry", "train/angry"])
def test_a_class_without_images_is_refused(tmp_path, empty):
    above = "train/" if "/" in empty else ""
    write(tmp_path, {f"{above}happy": 3, f"{above}sad": 3})
    (tmp_path / empty).mkdir()
    (tmp_path / empty / "notes.txt").write_text("none yet")
    with pytest.raises(DataError, match="angry: expected images in every class folder"):
        load_dataset(tmp_path, split="all")


def test_links_to_folders_are_named_and_not_followed(tmp_path):
    write(tmp_path / "set", {"happy": 2, "sad": 2})
    (tmp_path / "set" / "happy" / "loop").symlink_to(tmp_path / "set")
    with pytest.warns(DataWarning, match=r"1 linked folder, not followed \(happy/loop\)"):
        assert len(load_dataset(tmp_path / "set", split="all")) == 4
    write(tmp_path / "linked", {"happy": 2})
    (tmp_path / "linked" / "sad").symlink_to(tmp_path / "set" / "sad")
    with pytest.raises(DataError, match=r"sad: .* found a link to a folder, which is not followed"):
        load_dataset(tmp_path / "linked", split="all")
    write(tmp_path / "subjects", {"happy/p1": 2, "happy/p2": 2})  # happy is no archive's folder
    (tmp_path / "subjects" / "sad").symlink_to(tmp_path / "set" / "sad")
    with pytest.raises(DataError, match=r"sad: .* found a link to a folder, which is not followed"):
        load_dataset(tmp_path / "subjects", split="all")
    (tmp_path / "links").mkdir()
    for name in ("happy", "sad"):
        (tmp_path / "links" / name).symlink_to(tmp_path / "set" / name)
    with pytest.raises(DataError, match=r"happy: .* found a link to a folder, which is not"):
        load_dataset(tmp_path / "links", split="all")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_among_the_images_is_waited_for_by_nobody(tmp_path):
    write(tmp_path, {"happy": 10, "sad": 10})
    os.mkfifo(tmp_path / "happy" / "x.jpg")
    parts = [load_dataset(tmp_path, split=split, training=True) for split in ("train", "valid")]
    assert sum(map(len, parts)) == 20
    assert sum(reasons(part).get("that cannot be read", 0) for part in parts) == 1


@pytest.mark.skipif(not hasattr(os, "setuid"), reason="needs users")
@pytest.mark.parametrize(
    ("closed", "said"),
    [
        ("happy/s2", "4 [(1, 'folder that cannot be opened', ('happy/s2',))]"),
        ("happy", "happy: expected images in every class folder, found a folder that cannot be"),
        (".", "expected a file or folder, found one that cannot be opened."),
    ],
)
def test_a_closed_folder_is_named(tmp_path, closed, said):
    write(tmp_path / "faces", {"happy/s1": 2, "happy/s2": 2, "sad/s1": 2})
    code = (
        "import os, sys\n"
        "from fer_mobile.data import data_path, layouts; from fer_mobile.errors import DataError\n"
        "os.chdir(sys.argv[1])\n"  # that of pytest is closed to other users
        "if os.geteuid() == 0: os.setgid(65534), os.setuid(65534)\n"
        "try:\n"
        "    raw = layouts.read(data_path('faces'), 64)\n"
        "    print(len(raw), [(s.count, s.reason, s.examples) for s in raw.skipped])\n"
        "except DataError as error:\n"
        "    print(error)"
    )
    tmp_path.chmod(0o755)
    (tmp_path / "faces" / closed).chmod(0)
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, tmp_path], capture_output=True, text=True
        )
    finally:
        (tmp_path / "faces" / closed).chmod(0o755)
    assert said in done.stdout, done.stderr


def test_a_dataset_without_a_readable_face_is_refused_in_one_line(tmp_path, fer_mobile):
    for name in ("happy", "sad"):
        (tmp_path / "set" / name).mkdir(parents=True)
        (tmp_path / "set" / name / "a.png").write_bytes(b"no image")
    line = fer_mobile.refused("evaluate", "compact", "--data", tmp_path / "set", "--split", "all")
    assert "found none (2 that cannot be read)" in line


def test_labels_that_no_contract_can_hold_are_refused_before_training(tmp_path):
    write(tmp_path, {"calm": 3, "wi\x1bld": 3})
    with pytest.raises(DataError, match=r"that can be printed, found wi\?ld"):
        load_dataset(tmp_path, split="all", protocol=OWN)


def test_a_csv_that_is_no_csv_is_refused(tmp_path):
    path = tmp_path / "faces.csv"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\xff")
    with pytest.raises(DataError, match=r"faces\.csv"):
        load_dataset(path)


def fer_row(number: int, usage: str | None, emotion: int) -> tuple[object, ...]:
    pixels = " ".join(map(str, golden_faces(48)[number].ravel()))
    return (emotion, pixels) if usage is None else (emotion, pixels, usage)


def test_fer2013_alone_has_its_own_labels_and_no_votes(tmp_path):
    rows = [fer_row(0, "Training", 3), fer_row(1, "PublicTest", 4)]
    path = manifest(tmp_path, "emotion,pixels,Usage", *rows, name="fer2013.csv")
    for source in (path, tmp_path):
        train = load_dataset(source, protocol="fer2013", split="train")
        assert counted(train) == {"happiness": 1}
        np.testing.assert_array_equal(train.images, golden_faces(48)[:1])
        with pytest.raises(DataError, match=r"FER\+'s votes.*Use `protocol=fer2013`"):
            load_dataset(source, split="train")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((1, "0 0 0", "Training"), "3 pixels, no square after 1 face"),
        ((1, "0"), "2 cells for 3 columns after 1 face"),
        ((1, "0 0 0 0", "later"), "Usage 'later' after"),
        (("happy", "0 0 0 0", "Training"), "emotion 'happy' after 1 face"),
        (("-1", "0 0 0 0", "Training"), "emotion '-1' after"),
        ((7, "0 0 0 0", "Training"), "emotion '7' after 1 face"),
        ((1, "0 0 0 256", "Training"), "a pixel outside 0 to 255 after"),
        ((1, "0 0 0.5 0", "Training"), "pixels that are no whole numbers after"),
        ((1, "0 0 0 0", "Training"), "2 px, not 48 as before, after"),
    ],
)
def test_a_broken_fer2013_is_refused_in_words(tmp_path, row, message):
    path = tmp_path / "faces.csv"
    with path.open("w", newline="") as file:  # a spreadsheet's
        csv.writer(file, delimiter=";").writerows(
            [("Emotion", "Pixels", "Usage"), fer_row(0, "Training", 3), row]
        )
    with pytest.raises(DataError, match=message):
        load_dataset(path, protocol="fer2013", split="all")


def test_columns_and_rows_of_fer2013_have_to_fit(tmp_path):
    row = fer_row(0, "Training", 3)
    path = manifest(tmp_path, "emotion,pixels,Usage,emotion", (*row, 4), name="fer2013.csv")
    with pytest.raises(DataError, match="found several columns 'emotion' after 0 faces"):
        load_dataset(path, protocol="fer2013", split="all")
    manifest(tmp_path, "emotion,pixels,Usage", row, row, name="fer2013.csv")
    head = ",".join(("Usage", "Image name", *FERPLUS_VOTES))
    for usage, columns, votes, message in (
        ("Training", head, 4, "no more rows in fer2013new.csv"),
        ("Training", head, 400, "vote '400'"),
        ("Training", head.replace("fear", "horror"), 4, "no column 'fear'"),
        ("PublicTest", head, 4, r"Usage 'Training' beside 'PublicTest' in fer2013new\.csv"),
    ):
        cast = (usage, "fer0.png", votes, *[0] * 9)
        manifest(tmp_path, columns, cast, name="fer2013new.csv")
        with pytest.raises(DataError, match=message):
            load_dataset(tmp_path, split="all")


def test_kaggles_other_csv_files_are_fer2013_too(tmp_path):
    header = "emotion, Usage, pixels"
    rows = [(e, u, p) for e, p, u in (fer_row(0, "Training", 3), fer_row(1, "PrivateTest", 4))]
    path = manifest(tmp_path, header, *rows, name="icml_face_data.csv")
    assert counted(load_dataset(path, protocol="fer2013", split="test")) == {"sadness": 1}
    path = manifest(
        tmp_path, "emotion,pixels", *(fer_row(n, None, n % 7) for n in range(40)), name="train.csv"
    )
    parts = [load_dataset(path, protocol="fer2013", split=s) for s in ("train", "valid")]
    assert sum(map(len, parts)) == 40
    assert all(map(len, parts))


def test_what_is_also_in_valid_is_not_learned_from(tmp_path):
    write(tmp_path, {"train/happy": 4, "train/sad": 4})
    write(tmp_path, {"valid/happy": 1})
    with warnings.catch_warnings(action="error"):
        assert len(load_dataset(tmp_path, split="train")) == 8
    with pytest.warns(DataWarning, match="1 of train whose file is in valid or test"):
        assert len(load_dataset(tmp_path, split="train", training=True)) == 7


@given(st.text(max_size=12))
def test_a_name_is_one_split_or_none(name):
    assert split_number(name) in (0, 1, 2, None)
    assert split_number(name.upper()) == split_number(name.lower())


@given(st.lists(st.tuples(st.sampled_from([-1, 0, 1, 2]), st.integers(0, 5)), min_size=1))
def test_groups_are_never_torn_apart(rows):
    """An open row goes with its group, named rows stay; without valid, those of train may not."""
    split = np.array([s for s, _ in rows], np.int8)
    groups = [f"group {g}" for _, g in rows]
    named: dict[str, set[int]] = {group: set() for group in groups}
    for group, s in zip(groups, split.tolist(), strict=True):
        named[group].add(s)
    if any(-1 in own and len(own) > 2 for own in named.values()):
        with pytest.raises(
            DataError, match=r"^group \d: expected its pictures.*in one split, found"
        ):
            assign(split, groups)
        return
    out = assign(split, groups)
    for group, own in named.items():
        rest = {
            o for g, s, o in zip(groups, split, out.tolist(), strict=True) if g == group and s < 1
        }
        if 1 not in split:
            assert len(rest) <= 1
        if -1 in own:
            assert rest == own - {-1} or own - {-1} <= ({0} if 1 not in split else set())
    for s, o in zip(split, out, strict=True):
        assert o == s or s == -1 or (s == 0 and o == 1 and 1 not in split)


@given(
    st.lists(st.tuples(st.sampled_from([-1, 0]), st.integers(0, 9), st.integers(0, 4)), min_size=1),
    st.integers(0, 99),
)
def test_every_class_trains_and_validates_where_it_takes_nothing_from_another(rows, seed):
    split = np.array([s for s, _, _ in rows], np.int8)
    groups, classes = [f"{seed} {g}" for _, g, _ in rows], [c for _, _, c in rows]
    out = assign(split, groups, classes)
    assert (out == assign(split, groups, classes)).all()
    number: dict[str, int] = {}
    groups_of: dict[int, set[str]] = {}
    for group, name, o in zip(groups, classes, out.tolist(), strict=True):
        assert number.setdefault(group, o) == o
        groups_of.setdefault(name, set()).add(group)
    train = {name: {g for g in own if number[g] == 0} for name, own in groups_of.items()}
    assert all(train.values())
    for name, own in groups_of.items():
        if len(own) > 1 and train[name] == own:
            assert all({group} in train.values() for group in own)


def test_open_rows_join_their_subject_and_their_near_copies(tmp_path):
    write(tmp_path, {".": 40})
    twin = (FACES[0] * 0.8).astype(np.uint8)
    Image.fromarray(twin).save(tmp_path / "twin.png")
    rows = [
        (f"{n:04}.png", ("happy", "sad")[n % 2], "valid" if n < 2 else "", f"p{n // 4}")
        for n in range(40)
    ]
    path = manifest(tmp_path, "path,label,split,subject", *rows, ("twin.png", "happy", "", "new"))
    valid = {Path(file).stem for file in load_dataset(path, split="valid").files}
    assert {"0000", "0001", "0002", "0003", "twin"} <= valid
    for subject in range(1, 10):
        own = {f"{n:04}" for n in range(4 * subject, 4 * subject + 4)}
        assert own <= valid or not own & valid
    rows[1] = (*rows[1][:2], "train", "p0")
    path = manifest(tmp_path, "path,label,split,subject", *rows)
    with pytest.raises(DataError, match=r"^p0: .* in one split, found train and valid\. Name one"):
        load_dataset(path, split="train")


def test_folds_keep_subjects_together(tmp_path):
    write(tmp_path, {f"{c}/s{n}": 3 for c in ("happy", "sad") for n in range(15)})
    rows = load_dataset(tmp_path, split="train", training=True)
    folds = rows.folds(3)
    assert set(folds) == {0, 1, 2}
    fold_of: dict[str, int] = {}
    for file, fold in zip(rows.files, folds.tolist(), strict=True):
        assert fold_of.setdefault(Path(file).parent.name, fold) == fold
    some = np.arange(0, len(rows), 2)
    np.testing.assert_array_equal(rows.take(some).folds(3), folds[some])


def test_folds_without_subjects_are_by_pixels(tmp_path):
    write(tmp_path, {"happy": 20, "sad": 20})
    rows = load_dataset(tmp_path, split="train")
    assert rows.groups == ()
    assert rows.folds(5).tolist() == [zlib.crc32(face.tobytes()) % 5 for face in rows.images]


def test_subjects_of_several_classes_leave_none_untrained(tmp_path):
    shown = {"calm": ("p11", "p28"), "wild": ("p28", "p38")}
    write(tmp_path, {f"{name}/{subject}": 10 for name, own in shown.items() for subject in own})
    train = load_dataset(tmp_path, protocol=OWN, split="train")
    valid = load_dataset(tmp_path, protocol=OWN, split="valid")
    assert train.counts() == valid.counts() == {"calm": 10, "wild": 10}


def test_near_copies_are_found_and_different_faces_are_not():
    twins = np.stack([*FACES[:30], *(FACES[:30] * 0.8 + 10).astype(np.uint8)])
    np.testing.assert_array_equal(near_copies(twins), [*range(30), *range(30)])
