"""Precomputed boxes: files, the mapping, and every way in which they can be wrong."""

import json
import math
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fer_mobile.detect import load_detector
from fer_mobile.detect.boxes import PrecomputedBoxes, read_boxes
from fer_mobile.errors import InputError, PhotoError
from fer_mobile.images import Photo, load_photo
from fer_mobile.pipeline import load_pipeline
from fer_mobile.resources import photos_dir
from fer_mobile.types import Box

PORTRAIT = photos_dir() / "astronaut-smile.jpg"


@pytest.fixture
def photos(tmp_path):
    """A folder with one face, the same photo turned by EXIF, and a photo without a face."""
    image = Image.open(PORTRAIT).convert("RGB").crop((60, 0, 360, 420))
    image.save(tmp_path / "face.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    image.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned é.png", exif=exif)
    Image.new("RGB", (40, 30)).save(tmp_path / "none.png")
    return tmp_path


def written(folder, suffix: str, boxes: dict[str, list[Box]]):
    path = folder / f"boxes{suffix}"
    if suffix == ".json":
        path.write_text(json.dumps(boxes, indent=1), encoding="utf-8")
    else:
        rows = [
            f'"{name}",{",".join(map(str, box))}'
            for name, listed in boxes.items()
            for box in listed or [("", "", "", "")]
        ]
        path.write_text("\n".join(["path,x,y,width,height", *rows]) + "\n", encoding="utf-8")
    return path


def without_score(faces):
    """Of a box that the user gives, nobody knows how sure it is."""
    return tuple(replace(face, score=None, landmarks=(), tilt=None) for face in faces)


@pytest.mark.parametrize("suffix", [".json", ".csv"])
def test_a_detectors_own_boxes_give_the_detectors_answers(photos, suffix):
    expected = load_pipeline()(photos / "face.png")
    assert len(expected.faces) == 1
    boxes = [face.box for face in expected.faces]
    given = {"face.png": boxes, "turned é.png": boxes, str(photos / "none.png"): []}
    pipeline = load_pipeline(boxes=written(photos, suffix, given))
    for name in ("face.png", "turned é.png"):
        assert pipeline(photos / name).faces == without_score(expected.faces)
    assert pipeline(photos / "none.png").label is None


def test_boxes_of_a_mapping_serve_without_a_file(photos, monkeypatch):
    monkeypatch.chdir(photos)
    (face,) = load_pipeline()("face.png").faces
    for options in (
        {"detector": PrecomputedBoxes({"face.png": [face.box]})},
        {"boxes": {"face.png": [face.box]}},
    ):
        found = load_pipeline(**options)(photos / "face.png").faces
        assert found == without_score((face,))


@pytest.mark.parametrize(
    ("options", "parameter"),
    [
        ({"detector": "opencv"}, "detector"),
        ({"detection_size": 1000}, "detection_size"),
        ({"detector": PrecomputedBoxes({})}, "boxes"),
    ],
)
def test_what_has_no_effect_beside_boxes_is_refused(options, parameter):
    with pytest.raises(InputError, match=f"^{parameter}: expected none with"):
        load_pipeline(boxes={"face.png": []}, **options)


def test_a_photo_that_is_not_listed_is_refused_alone(photos):
    pipeline = load_pipeline(boxes=written(photos, ".json", {"none.png": []}))
    with pytest.raises(PhotoError, match=r"expected a photo that .* it is not there"):
        pipeline(photos / "face.png")
    assert pipeline(photos / "none.png").faces == ()
    with pytest.raises(PhotoError, match="the photo: expected a photo that"):
        pipeline(load_photo(PORTRAIT).rgb)


@pytest.mark.parametrize(
    "box", [(400, 0, 10, 10), (-10, 0, 10, 10), (0, 420, 1, 1), (0, 0, 1e9, 1e9), (0, 0, 841, 5)]
)
def test_a_box_outside_its_photo_is_an_error_of_that_photo(photos, box):
    pipeline = load_pipeline(detector=PrecomputedBoxes({photos / "face.png": [box]}))
    with pytest.raises(PhotoError, match="expected boxes in this photo of 300×420 pixels"):
        pipeline(photos / "face.png")


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("path,x,y,width\na.jpg,1,2,3\n", 1, "no height"),
        ("", 1, "no path"),
        ("path,x,y,width,height\na.jpg,1,2,3,4\nb.jpg,1,2,three,4\n", 3, "three"),
        ("path,x,y,width,height\n\na.jpg,1,2,3\n", 3, "None"),
        ("path,x,y,width,height\na.jpg,1,2,0,4\n", 2, "'0'"),
        ("path,x,y,width,height\na.jpg,1,nan,3,4\n", 2, "nan"),
        ("path,x,y,width,height\n,1,2,3,4\n", 2, "none"),
        ('path,x,y,width,height\n"a.jpg,1,2,3,4\n', 2, "unexpected end"),
        ('{"a.jpg": [[1, 2, 3, 4]],\n "b é.jpg": [[1, 2, 3]]}', 2, "[1, 2, 3]"),
        ('{"a.jpg": [],\n "b.jpg": [[1, 2, -3, 4]]}', 2, "-3"),
        ('{"a.jpg": 7}', 1, "7"),
        ('{"a.jpg": [7]}', 1, "7"),
        ('{"a.jpg": [],\n\n "b.jpg": [', 3, "Expecting"),
        ('{"a.jpg": ' + "[" * 100_000, 1, "recursion"),
    ],
)
def test_a_malformed_row_names_file_and_line(tmp_path, text, line, found):
    path = tmp_path / "boxes.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as refusal:
        read_boxes(path)
    assert str(refusal.value).startswith(f"{path}, line {line}: expected ")
    assert found in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(InputError, match=r"no\.csv: expected a file of boxes"):
        load_detector(boxes=tmp_path / "no.csv")
    other = tmp_path / "other.csv"
    other.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(InputError, match="found other bytes"):
        load_detector(boxes=other)
    with pytest.raises(InputError, match="boxes: expected a file of boxes"):
        load_detector("boxes")


def test_a_photo_that_occurs_twice_keeps_all_its_boxes(tmp_path):
    path = tmp_path / "boxes.json"
    path.write_text('{"a.jpg": [[0, 0, 1, 1]], "./a.jpg": [[1, 1, 1, 1]], "a.jpg": []}')
    photo = Photo(load_photo(PORTRAIT).rgb, (9, 9), str(tmp_path / "a.jpg"))
    found = [face.box for face in read_boxes(path).detect(photo)]
    assert found == [(0, 0, 1, 1), (1, 1, 1, 1)]


def test_the_identity_changes_with_any_box(photos):
    some = {"face.png": [(1.0, 2.0, 3.0, 4.0)], "none.png": []}
    others = [
        {**some, "face.png": [(1.0, 2.0, 3.0, 4.5)]},
        {**some, "none.png": [(1.0, 2.0, 3.0, 4.0)]},
        {"face.png": some["face.png"]},
    ]
    identities = {PrecomputedBoxes(boxes).identity for boxes in (some, *others)}
    assert len(identities) == 4
    assert (
        PrecomputedBoxes(dict(reversed(some.items()))).identity == PrecomputedBoxes(some).identity
    )


numbers = st.one_of(st.integers(), st.floats(), st.text(max_size=3), st.none(), st.booleans())


@given(st.lists(numbers, max_size=6))
def test_anything_is_a_box_or_refused(values):
    with suppress(InputError):
        (face,) = PrecomputedBoxes({"a": [values]}).detect(Photo(None, (10**6, 10**6), "a"))
        assert all(map(math.isfinite, face.box))
        assert min(face.box[2:]) > 0


def test_the_command_line_takes_boxes(fer_mobile, photos):
    boxes = written(photos, ".csv", {"face.png": [Box(10, 10, 50, 60)], "none.png": []})
    (row,) = fer_mobile.json("predict", photos / "face.png", "--boxes", boxes)
    assert row["faces"][0]["box"] == [10, 10, 50, 60]
    done = fer_mobile("filter", photos, "--boxes", boxes, "--json", FER_MOBILE_CACHE=str(photos))
    rows = json.loads(done.stdout)["rows"]
    assert [bool(row["error"]) for row in rows] == [False, False, True]
    boxes.write_text("path,x,y,width,height\nface.png,1,2,3\n")
    assert "boxes.csv, line 2: expected" in fer_mobile.refused("predict", "a.png", "--boxes", boxes)
