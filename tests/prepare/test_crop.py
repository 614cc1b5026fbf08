"""Photos become framed faces: nothing is lost in silence, nothing that was there is touched."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_mobile.detect.framing import look_at_framing
from fer_mobile.errors import InputError
from fer_mobile.golden import golden_faces
from fer_mobile.images import find_photos
from fer_mobile.prepare import crop_faces
from fer_mobile.resources import photos_dir
from fer_mobile.types import Box, Detection

PORTRAIT = photos_dir() / "astronaut-smile.jpg"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    portrait = Image.open(PORTRAIT).convert("RGB")
    for name in ("happy/a.jpg", "happy/a.png", "sad/subject 1/b.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        portrait.save(folder / name)
    pair = Image.new("RGB", (2 * portrait.width, portrait.height))
    pair.paste(portrait, (0, 0))
    pair.paste(portrait.resize((portrait.width // 2, portrait.height // 2)), (portrait.width, 0))
    pair.save(folder / "happy" / "pair.jpg")
    Image.new("RGB", (400, 300), "green").save(folder / "sad" / "meadow.jpg")
    Image.fromarray(np.full((480, 480, 3), 90, np.uint8)).save(folder / "sad" / "tiny.png")
    small = portrait.resize((portrait.width // 12, portrait.height // 12))
    with Image.open(folder / "sad" / "tiny.png") as canvas:
        canvas.paste(small, (200, 200))
        canvas.save(folder / "sad" / "tiny.png")
    (folder / "sad" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    return folder


def test_folders_stay_and_every_photo_is_accounted_for(photos, tmp_path):
    before = {p: p.read_bytes() for p in find_photos(photos)}
    report = crop_faces(photos, tmp_path / "faces")
    written = {
        p.relative_to(tmp_path / "faces").as_posix() for p in find_photos(tmp_path / "faces")
    }
    assert {"happy/a.png", "happy/a.png.png", "happy/pair.png"} <= written
    assert "sad/subject 1/b.png" in written
    assert report.faces == len(written)
    assert report.photos == len(before) == 7
    assert report.several == ("happy/pair.jpg",)
    assert report.unreadable == ("sad/broken.jpg",)
    assert "sad/meadow.jpg" in report.none
    assert "sad/tiny.png" in (*report.none, *report.tiny)
    assert len(report.none) + len(report.tiny) + len(report.unreadable) + report.faces == 7
    assert before == {p: p.read_bytes() for p in find_photos(photos)}
    stored = json.loads((tmp_path / "faces" / "crop_report.json").read_text())
    assert stored["faces"] == report.faces


def test_what_is_written_is_framed_as_the_training_faces_are(photos, tmp_path):
    crop_faces(photos, tmp_path / "faces")
    faces = [np.asarray(Image.open(path)) for path in find_photos(tmp_path / "faces")]
    assert all(face.shape[0] == face.shape[1] <= 224 and face.ndim == 2 for face in faces)
    squares = np.stack([np.asarray(Image.fromarray(f).resize((112, 112))) for f in faces])
    assert look_at_framing(squares).is_framed
    wide = np.asarray(Image.open(PORTRAIT).convert("L").resize((112, 112)))
    assert not look_at_framing(wide[None]).is_framed
    assert look_at_framing(golden_faces(112)[:32]).framed >= 24


@pytest.mark.parametrize(("several", "expected"), [("largest", 1), ("all", 2), ("skip", 0)])
def test_a_photo_with_several_faces(photos, tmp_path, several, expected):
    report = crop_faces(photos, tmp_path / "faces", several=several)
    assert len(list((tmp_path / "faces" / "happy").glob("pair*.png"))) == expected
    assert report.several == ("happy/pair.jpg",)


def test_what_is_no_photo_that_is_read_is_counted_and_named(photos, tmp_path, fer_mobile):
    (photos / "wild").symlink_to(tmp_path)
    (photos / "sad" / "c.dng").write_bytes(b"raw")
    (photos / "sad" / "noext").write_bytes(PORTRAIT.read_bytes())
    (photos / "sad" / "notes.txt").write_text("of no interest")
    skipped = {
        "link to a folder": ["wild"],
        "RAW photo": ["sad/c.dng"],
        "photo without a photo's suffix": ["sad/noext"],
    }
    lines = fer_mobile("data", "crop", photos, tmp_path / "faces").stdout.splitlines()
    assert {f"1 skipped ({reason}): {name}" for reason, (name,) in skipped.items()} <= {*lines}
    stored = json.loads((tmp_path / "faces" / "crop_report.json").read_text())
    assert stored["skipped"] == skipped
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "wild").symlink_to(photos)
    with pytest.raises(InputError, match=r"found none\. Skipped: link to a folder \(1\)\.$"):
        crop_faces(tmp_path / "links", tmp_path / "out")


class _OneOfTwoIsTiny:
    name = "boxes"

    def detect(self, photo):
        return [Detection(Box(40, 40, size, size), 0.9) for size in (8, 100)]


@pytest.mark.parametrize(("several", "tiny"), [("all", 1), ("largest", 0)])
def test_tiny_faces_beside_others_are_counted(tmp_path, several, tiny):
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (200, 200), "green").save(tmp_path / "photos" / "a.png")
    report = crop_faces(
        tmp_path / "photos", tmp_path / "out", several=several, detector=_OneOfTwoIsTiny()
    )
    assert (report.faces, report.several, report.tiny) == (1, ("a.png",), ())
    assert report.tiny_faces == tiny
    line = "1 face left out as too small, beside others"
    assert (line in report.lines()) == bool(tiny)


def test_no_target_that_could_hurt(photos, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("x")
    for out, message in (
        (photos / "faces", "a folder outside the photos"),
        (photos, "a folder outside the photos"),
        (tmp_path / "full", "an empty folder, found something in it"),
        (PORTRAIT, "an empty folder, found a file"),
    ):
        with pytest.raises(InputError, match=message):
            crop_faces(photos, out)
    with pytest.raises(InputError, match="photos in it, found none"):
        crop_faces(tmp_path / "full", tmp_path / "out")
    with pytest.raises(InputError, match="a folder of photos, found no folder"):
        crop_faces(PORTRAIT, tmp_path / "out")
    with pytest.raises(InputError, match="several: expected largest or all or skip, found 'both'"):
        crop_faces(photos, tmp_path / "out", several="both")
    assert not (tmp_path / "out").exists()


def test_the_command_reports_in_words_and_json(photos, tmp_path, fer_mobile):
    said = fer_mobile("data", "crop", photos, tmp_path / "one").stdout
    assert "7 photos: " in said
    assert "1 with several faces: happy/pair.jpg" in said
    told = fer_mobile.json("data", "crop", photos, tmp_path / "two")
    assert told["unreadable"] == ["sad/broken.jpg"]
