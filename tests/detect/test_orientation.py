"""Photos on a side or upside down: what is turned, what is turned back, and which turn it is."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fer_mobile.detect import load_detector
from fer_mobile.detect.boxes import PrecomputedBoxes
from fer_mobile.detect.opencv import OpenCVYuNet
from fer_mobile.detect.orientation import SURE, find_turn, turned, turned_back
from fer_mobile.detect.scale import Scaled
from fer_mobile.detect.yunet import HINT, HINTS, SCORE, YuNet
from fer_mobile.errors import InputError
from fer_mobile.images import Photo, load_photo
from fer_mobile.pipeline import Pipeline, load_pipeline
from fer_mobile.resources import photos_dir
from fer_mobile.types import TURNS, Box, Detection, PhotoResult

ONE_FACE = photos_dir() / "astronaut-smile.jpg"
NO_FACE = photos_dir() / "cat.png"


@pytest.fixture(scope="module")
def upright():
    return load_pipeline(orient="none")(ONE_FACE)


@pytest.fixture(scope="module")
def auto():
    return load_pipeline()


def lying(turn: int, path=ONE_FACE) -> np.ndarray:
    """A photo's pixels, upright once they are turned clockwise by `turn`; wider than high."""
    rgb = load_photo(path).rgb[:400]
    return np.ascontiguousarray(np.rot90(rgb, turn // 90))


@pytest.mark.parametrize("turn", TURNS)
def test_a_lying_photo_gets_the_label_of_the_upright_one(auto, upright, turn):
    rgb = lying(turn)
    result = auto(rgb)
    assert (result.turn, result.label) == (turn, upright.label)
    assert result.size == rgb.shape[1::-1]
    (face,), (expected,) = result.faces, upright.faces
    assert face.probabilities == pytest.approx(expected.probabilities, abs=0.02)
    assert face.tilt == pytest.approx(expected.tilt, abs=1)
    x, y, width, height = map(round, face.box)
    part = np.rot90(rgb[y : y + height, x : x + width], -turn // 90)
    x, y, width, height = map(round, expected.box)
    rows, columns = min(height, len(part)) - 4, min(width, part.shape[1]) - 4
    whole = load_photo(ONE_FACE).rgb[y : y + height, x : x + width]
    difference = part[2:rows, 2:columns].astype(int) - whole[2:rows, 2:columns]
    assert np.abs(difference).mean() < 12, "the box holds the face of the photo as it was read"


def test_nothing_is_turned_where_that_is_not_wanted(auto, upright):
    assert (upright.turn, upright.as_dict()["turn"]) == (0, 0)
    none = load_pipeline(orient="none")
    assert none(lying(180)).turn == 0
    with pytest.raises(InputError, match="orient: expected auto or none, found 'always'"):
        load_pipeline(orient="always")
    assert auto.identity == none.identity.replace("orient none", "orient auto") != none.identity


def test_the_row_says_the_turn(auto):
    row = json.loads(json.dumps(auto(lying(90)).as_dict()))
    assert row["turn"] == 90
    assert PhotoResult.from_dict(row).as_dict() == row
    older = {key: value for key, value in row.items() if key != "turn"}
    assert PhotoResult.from_dict(older).turn == 0
    with pytest.raises(ValueError, match="45"):
        PhotoResult.from_dict(row | {"turn": 45})


def test_a_photo_without_a_face_stays(auto):
    result = auto(NO_FACE)
    assert (result.turn, result.faces) == (0, ())


def test_boxes_that_are_given_are_those_of_the_photo_as_it_is(auto, upright):
    (face,) = upright.faces
    boxes = {ONE_FACE: [face.box]}
    for pipeline in (auto, Pipeline(auto.classifier, PrecomputedBoxes(boxes))):
        result = pipeline(ONE_FACE, boxes=boxes[ONE_FACE] if pipeline is auto else None)
        assert (result.turn, result.faces[0].box) == (0, face.box)


class Scripted:
    """A network with a face of each of these scores in turn, none for 0, and with these hints.

    It keeps the sizes that it was shown.
    """

    name = identity = "scripted"

    def __init__(self, *scores: float | None, hints: tuple[Box, ...] = ()) -> None:
        self._scores = list(scores)
        self._hints = hints
        self.shown: list[tuple[int, ...]] = []

    def find(self, rgb: np.ndarray) -> list[Detection]:
        self.shown.append(rgb.shape[1::-1])
        score = self._scores.pop(0)
        return [] if score == 0 else [Detection(Box(0, 0, 10, 20), score)]

    def hints(self) -> list[Detection]:
        return [Detection(box, 0.1) for box in self._hints]


def found(network, width: int = 2000) -> tuple[int, list[float | None]]:
    """The turn of a photo decoded at half its size, twice as wide as high; its faces' scores."""
    photo = Photo(np.zeros((width // 2, width, 3), np.uint8), (2 * width, width), "a.jpg")
    turn, faces = find_turn(Scaled(network), photo)
    return turn, [face.score for face in faces]


GLANCES = [(48, 96), (96, 48), (48, 96)]


def test_the_limits_are_yunets():
    """Of another detector's scores nothing is known."""

    class Network:
        name = identity = "theirs"

        def find(self, rgb: np.ndarray) -> list[Detection]:
            return [Detection(Box(0, 0, 10, 20), None)]

    assert found(Network()) == (0, [None])


@pytest.mark.parametrize(
    ("scores", "turn", "score", "shown"),
    [
        ([0.9], 0, 0.9, []),
        ([0.89, 0, 0, 0], 0, 0.89, GLANCES), ([0, 0, 0.75, 0], 0, 0, GLANCES),
        ([0.7, 0.7, 0.8, 0.8, 0.8], 180, 0.8, [*GLANCES, (640, 320)]),
        ([0, 0, 0, 0.76, 0.8], 270, 0.8, [*GLANCES, (320, 640)]),
        ([0.8, 0.9, 0, 0, 0.8], 0, 0.8, [*GLANCES, (320, 640)]),
        ([0, 0.9, 0, 0, 0.75], 0, 0, [*GLANCES, (320, 640)]),
        ([0, 0.9, 0, 0, 0], 0, 0, [*GLANCES, (320, 640)]),
    ],
)  # fmt: skip
def test_other_turns_are_glanced_at_where_no_face_is_sure(scores, turn, score, shown):
    """Three glances at 96 px show the network 7% of the pixels of a search at 640."""
    network = Scripted(*scores)
    assert found(network) == (turn, [] if score == 0 else [score])
    assert network.shown == [(640, 320), *shown]


def test_squares_about_hints_are_glanced_at_too():
    """1.6 times as large as the box, cut off at the border, and none outside of the photo."""
    hints = (Box(100, 50, 40, 20), Box(600, 0, 20, 80), Box(900, 0, 9, 9))
    network = Scripted(0, 0, 0, 0, 0, 0.8, 0, 0, 0, 0, 0.9, hints=hints)
    assert found(network) == (180, [0.9])
    quarter, half = [(48, 96), (64, 64), (96, 87)], [(96, 48), (64, 64), (87, 96)]
    assert network.shown == [(640, 320), *quarter, *half, *quarter, (640, 320)]


def test_in_small_photos_squares_would_show_no_more():
    network = Scripted(0, 0, 0, 0, hints=(Box(100, 50, 40, 20),))
    assert found(network, 380) == (0, [])
    assert network.shown == [(380, 190), *GLANCES]


@pytest.mark.parametrize("turn", TURNS[1:])
@pytest.mark.parametrize("network", [YuNet, OpenCVYuNet])
def test_a_small_face_is_found_by_its_hint(network, turn, upright, monkeypatch):
    """A face of 40 px in a photo of 640, of which a glance at the whole shows 6."""
    x, y, width, height = map(round, upright.faces[0].box)
    face = Image.fromarray(load_photo(ONE_FACE).rgb).crop(
        (x - width // 3, y - height // 3, x + width + width // 3, y + height + height // 4)
    )
    small = face.resize((round(40 * face.width / height), round(40 * face.height / height)))
    photo = Image.fromarray(load_photo(photos_dir() / "rocket.jpg").rgb)
    photo.paste(small, (60, 20))
    lies = np.ascontiguousarray(np.rot90(np.asarray(photo), turn // 90))
    detector = Scaled(network())
    (seen,) = detector.detect(Photo(np.array(photo), photo.size))
    found, (face,) = find_turn(detector, Photo(lies, lies.shape[1::-1]))
    assert (found, face.box) == (turn, pytest.approx(seen.box, abs=1))
    monkeypatch.setattr(network, "hints", lambda self: [])
    assert find_turn(detector, Photo(lies, lies.shape[1::-1])) == (0, [])


@pytest.mark.parametrize("name", ["yunet", "opencv"])
def test_hints_are_the_likeliest_places(name):
    detector = load_detector(name)
    photo = load_photo(photos_dir() / "four-portraits.jpg")
    faces, hints = detector.search(photo, 1)
    assert faces == detector.detect(photo)
    assert hints == faces[:HINTS]
    assert detector.search(photo, 0.5) == (faces, [])
    faces, hints = detector.search(load_photo(NO_FACE), SURE)
    assert faces == []
    assert all(HINT <= hint.score < SCORE for hint in hints)
    assert 0 < len(hints) <= HINTS


@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)), turn=st.sampled_from(TURNS),
    data=st.data(),
)  # fmt: skip
def test_pixels_and_points_turn_alike(size, turn, data):
    width, height = size
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[y, x] = 255
    photo = turned(Photo(rgb, size), turn)
    assert photo.size == photo.rgb.shape[1::-1]
    assert photo.rgb.flags.c_contiguous
    expected = Image.fromarray(rgb).rotate(-turn, expand=True)
    assert (photo.rgb == np.array(expected)).all()
    ((row, column),) = np.argwhere(photo.rgb[..., 0])
    there = Detection(Box(column, row, 1, 1), 0.9, ((column + 0.5, row + 0.5),))
    back = turned_back(there, size, turn)
    assert back == Detection(Box(x, y, 1, 1), 0.9, ((x + 0.5, y + 0.5),))
