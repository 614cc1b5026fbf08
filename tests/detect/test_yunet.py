"""The shipped TFLite file against its ONNX source, OpenCV and the written rules."""

import csv
import hashlib

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
from PIL import Image

from fer_mobile.detect import DETECTION_SIDE
from fer_mobile.detect.scale import shrink
from fer_mobile.detect.yunet import STRIDES, YuNet, decode, overlap, shipped_onnx, shipped_yunet
from fer_mobile.errors import InputError
from fer_mobile.images import load_photo
from fer_mobile.resources import photos_dir
from fer_mobile.runtime.interpreter import load_interpreter
from fer_mobile.types import Box
from tools.convert_yunet import SOURCE_SHA256, convert_yunet

PHOTOS = photos_dir()


def manifest() -> list[tuple[str, int]]:
    with (PHOTOS / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return [(row["file"], int(row["faces"])) for row in csv.DictReader(file)]


def small(name: str) -> np.ndarray:
    return shrink(load_photo(PHOTOS / name).rgb)


@pytest.fixture(scope="module")
def detector():
    return YuNet()


def onnx_outputs(image: np.ndarray) -> dict[str, np.ndarray]:
    """What the ONNX file says of a uint8 H×W×3 RGB image, in the layout of the TFLite file."""
    model = onnx.load(shipped_onnx())
    for axis, name in ((2, "height"), (3, "width")):
        model.graph.input[0].type.tensor_type.shape.dim[axis].dim_param = name
    for output in model.graph.output:
        output.type.tensor_type.shape.dim[1].dim_param = f"cells_{output.name}"
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    blob = image[None, :, :, ::-1].transpose(0, 3, 1, 2).astype(np.float32)
    names = [output.name for output in session.get_outputs()]
    raw = dict(zip(names, session.run(names, {"input": blob}), strict=True))
    outputs = {}
    for s in STRIDES:
        shape = (1, image.shape[0] // s, image.shape[1] // s)
        outputs[f"scores_{s}"] = np.sqrt(raw[f"cls_{s}"] * raw[f"obj_{s}"]).reshape(*shape, 1)
        offsets = np.concatenate([raw[f"bbox_{s}"], raw[f"kps_{s}"]], axis=-1)
        outputs[f"offsets_{s}"] = offsets.reshape(*shape, 14)
    return outputs


def test_the_source_is_the_one_that_was_verified():
    assert hashlib.sha256(shipped_onnx().read_bytes()).hexdigest() == SOURCE_SHA256


def test_conversion_gives_the_shipped_file():
    made = load_interpreter(convert_yunet(shipped_onnx())).get_signature_runner()
    shipped = load_interpreter(shipped_yunet()).get_signature_runner()
    image = small("astronaut-smile.jpg")[None, :256, :320]
    expected = shipped(image=image)
    found = made(image=image)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, atol=1e-5)


def test_conversion_refuses_another_file(tmp_path):
    other = tmp_path / "other.onnx"
    other.write_bytes(shipped_onnx().read_bytes() + b"\0")
    with pytest.raises(InputError, match="expected sha256 8f2383e4"):
        convert_yunet(other)


@pytest.mark.parametrize(
    ("height", "width"), [(320, 320), (480, 640), (640, 448), (64, 640), (32, 32)]
)
def test_outputs_equal_those_of_the_onnx_file(height, width):
    image = cv2.resize(small("four-portraits.jpg"), (width, height))
    found = load_interpreter(shipped_yunet()).get_signature_runner()(image=image[None])
    expected = onnx_outputs(image)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name].dtype == np.float32
        # Squared scores: the root of a difference near 0 says nothing of the file.
        power = 2 if name.startswith("scores") else 1
        np.testing.assert_allclose(found[name] ** power, value**power, atol=1e-4, err_msg=name)


@pytest.mark.parametrize("name", [name for name, _ in manifest()])
def test_boxes_equal_those_of_opencv(detector, name):
    image = small(name)
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    size = (image.shape[1], image.shape[0])
    opencv = cv2.FaceDetectorYN.create(str(shipped_onnx()), "", size, 0.6, 0.3, 5000)
    rows = opencv.detect(bgr)[1]
    expected = [] if rows is None else sorted(rows.tolist(), key=lambda row: -row[14])
    found = detector.find(image)
    assert len(found) == len(expected)
    for face, row in zip(found, expected, strict=True):
        assert overlap(face.box, Box(*row[:4])) >= 0.99
        assert face.score == pytest.approx(row[14], abs=1e-3)
        np.testing.assert_allclose(np.ravel(face.landmarks), row[4:14], atol=0.1)


def test_the_bundled_photos_faces_are_found(detector):
    wrong = [
        (name, faces, len(found))
        for name, faces in manifest()
        if len(found := detector.find(small(name))) != faces
    ]
    assert wrong == []


def test_sizes_that_are_no_multiple_of_32_and_change(detector):
    """One detector serves sizes in any order; padding at the right and bottom moves nothing."""
    image = small("astronaut-smile.jpg")
    (whole,) = detector.find(image)
    for height, width in ((500, 479), (511, 512), (331, 400)):
        (face,) = detector.find(np.ascontiguousarray(image[:height, :width]))
        assert overlap(face.box, whole.box) > 0.9
    assert detector.find(image) == [whole]
    assert detector.find(image[:1, :1]) == []


def test_landmarks_are_where_the_face_has_them(detector):
    (face,) = detector.find(small("astronaut-smile.jpg"))
    right_eye, left_eye, nose, right_mouth, left_mouth = face.landmarks
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_mouth[0] < left_mouth[0]
    assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])


def test_channels_are_red_green_blue(detector):
    """A face in exchanged channels is blue: it is found less surely, or the order is wrong."""
    image = small("astronaut-smile.jpg")
    (right,) = detector.find(image)
    exchanged = detector.find(np.ascontiguousarray(image[:, :, ::-1]))
    assert right.score > max((face.score for face in exchanged), default=0)


def empty_outputs(height: int, width: int) -> dict[str, np.ndarray]:
    shapes = {s: (1, height // s, width // s) for s in STRIDES}
    return {
        **{f"scores_{s}": np.zeros((*shape, 1), np.float32) for s, shape in shapes.items()},
        **{f"offsets_{s}": np.zeros((*shape, 14), np.float32) for s, shape in shapes.items()},
    }


def test_decoding_follows_the_rules():
    outputs = empty_outputs(64, 96)
    outputs["scores_16"][0, 2, 3] = 0.6
    outputs["offsets_16"][0, 2, 3] = [0.5, -0.25, np.log(2), np.log(3), *[0.25, 0.75] * 5]
    (face,) = decode(outputs)
    centre = (3.5 * 16, 1.75 * 16)
    assert face.box == pytest.approx((centre[0] - 16, centre[1] - 24, 32, 48))
    np.testing.assert_allclose(face.landmarks, [(3.25 * 16, 2.75 * 16)] * 5)
    assert face.score == pytest.approx(0.6)
    assert decode(outputs, score=0.601) == []
    assert decode(empty_outputs(64, 96)) == []


def test_overlapping_candidates_leave_the_surest():
    outputs = empty_outputs(64, 96)
    for column, score in ((1, 0.7), (2, 0.9), (3, 0.7), (9, 0.7)):
        outputs["scores_8"][0, 4, column] = score
        outputs["offsets_8"][0, 4, column, 2:4] = np.log(4)
    kept = [(face.box.x + 16, round(face.score, 2)) for face in decode(outputs)]
    assert kept == [(16, 0.9), (72, 0.7)]


def test_equal_scores_keep_the_first_cell():
    outputs = empty_outputs(64, 96)
    for column in (2, 1):
        outputs["scores_8"][0, 4, column] = 0.7
        outputs["offsets_8"][0, 4, column, 2:4] = np.log(4)
    assert [face.box.x + 16 for face in decode(outputs)] == [8]


def test_overlap_is_intersection_over_union():
    box = Box(0, 0, 10, 10)
    assert overlap(box, box) == 1
    assert overlap(box, Box(5, 0, 10, 10)) == pytest.approx(50 / 150)
    assert overlap(box, Box(10, 0, 10, 10)) == 0


def test_a_stricter_score_finds_less():
    image = small("meeting.jpg")
    assert len(YuNet(score=0.95).find(image)) < len(YuNet(score=0.6).find(image))


def test_shrink_averages_areas_and_never_enlarges():
    image = np.asarray(Image.effect_noise((1920, 1280), 60).convert("RGB"))
    half = shrink(image, 960)
    means = image.reshape(640, 2, 960, 2, 3).mean(axis=(1, 3))
    assert half.shape == (640, 960, 3)
    assert np.abs(half - means).max() <= 1
    assert shrink(half, 960) is half
    assert max(shrink(image).shape) == DETECTION_SIDE
    assert shrink(image[:1]).shape == (1, DETECTION_SIDE, 3)
