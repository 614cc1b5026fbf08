"""The pipeline with the shipped detector, and classifiers whose answers are known or shipped."""

import csv
import io
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from fer_mobile import preprocess
from fer_mobile.contract import Crop, Levelling, ModelContract, Preprocessing, Tensor
from fer_mobile.detect import load_detector
from fer_mobile.detect.scale import Scaled
from fer_mobile.detect.yunet import YuNet, overlap
from fer_mobile.errors import InputError, ModelError, PhotoError
from fer_mobile.images import load_photo
from fer_mobile.labels import LABELS
from fer_mobile.model_file import attach, model_checksum, split
from fer_mobile.models import DEFAULT
from fer_mobile.pipeline import Pipeline, load_pipeline, photo_label
from fer_mobile.resources import photos_dir
from fer_mobile.runtime.classifier import load_classifier
from fer_mobile.types import FACES_MODES, STAGES, Box, Detection, Face

PHOTOS = photos_dir()
ONE_FACE = PHOTOS / "astronaut-smile.jpg"
NO_FACE = PHOTOS / "cat.png"
THREE_FACES = PHOTOS / "meeting.jpg"
SIZE = 8
CROP = Crop(scale=1.3, shift_y=-0.1)


@pytest.fixture(scope="module")
def probe(tmp_path_factory):
    """A real TFLite file that answers with pixels: label i's probability is its row's mean.

    So what reaches the classifier can be read from the pipeline's result.
    """
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec([1, SIZE, SIZE, 1], tf.float32, "pixels")])
    def means(pixels):
        return {"probabilities": tf.reduce_mean(pixels, axis=[2, 3])}

    module = tf.Module()
    folder = tmp_path_factory.mktemp("probe")
    tf.saved_model.save(module, str(folder / "saved"), signatures=means)
    model = tf.lite.TFLiteConverter.from_saved_model(str(folder / "saved")).convert()
    contract = ModelContract(
        name="probe",
        architecture="row means",
        parameters=0,
        precision="float32",
        input=Tensor(name="pixels", shape=(1, SIZE, SIZE, 1), dtype="float32"),
        output=Tensor(name="probabilities", shape=(1, len(LABELS)), dtype="float32"),
        preprocessing=Preprocessing(crop=CROP),
        labels=LABELS,
        licence="made by this test",
        model_sha256=model_checksum(model),
    )
    path = folder / "probe.tflite"
    path.write_bytes(attach(model, contract))
    return path


@pytest.fixture(scope="module")
def shipped() -> Pipeline:
    return load_pipeline()


def rows(result) -> list[list[float]]:
    return [list(face.probabilities.values()) for face in result.faces]


def manifest() -> list[tuple[str, int]]:
    with (PHOTOS / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return [(row["file"], int(row["faces"])) for row in csv.DictReader(file)]


# --- what reaches the classifier ---------------------------------------------------------


@pytest.mark.parametrize("path", [ONE_FACE, THREE_FACES])
def test_the_classifier_sees_the_faces_by_the_contracts_crop_rule(probe, path):
    result = load_pipeline(probe)(path)
    rgb = load_photo(path).rgb
    for face in result.faces:
        pixels = preprocess.face_pixels(rgb, face.box, SIZE, CROP.rule)
        found = list(face.probabilities.values())
        np.testing.assert_allclose(found, pixels.mean(axis=1) / 255, atol=0.02)
    shifted = preprocess.face_pixels(rgb, result.faces[0].box, SIZE, preprocess.CropRule(0.7, 0.2))
    assert np.abs(rows(result)[0] - shifted.mean(axis=1) / 255).max() > 0.05


def test_a_photo_decoded_reduced_gives_boxes_in_full_resolution(probe, tmp_path):
    small = Image.open(ONE_FACE).convert("RGB")
    large = small.resize((4 * small.width, 4 * small.height), Image.Resampling.BICUBIC)
    path = tmp_path / "large.jpg"
    large.save(path, quality=95)
    pipeline = load_pipeline(probe)
    (face,) = pipeline(ONE_FACE).faces
    result = pipeline(path)
    assert result.size == large.size
    (found,) = result.faces
    assert overlap(found.box, face.box.scaled(4)) > 0.9
    np.testing.assert_allclose(rows(result)[0], list(face.probabilities.values()), atol=0.05)


def test_a_small_face_is_cut_from_more_pixels_than_the_detector_needs(shipped, tmp_path):
    """What the whole photo gives is given although it was first decoded at an eighth."""
    portrait = Image.open(ONE_FACE).convert("RGB")
    photo = Image.new("RGB", (5120, 3840), "gray")
    photo.paste(portrait, (3000, 2000))
    path = tmp_path / "large.jpg"
    photo.save(path, quality=95)
    (expected,) = shipped(load_photo(path).rgb).faces
    (found,) = shipped(path).faces
    (blurred,) = shipped(load_photo(path, min_long_side=640).rgb).faces

    def distance(face: Face) -> float:
        return max(abs(face.probabilities[k] - expected.probabilities[k]) for k in LABELS)

    assert found.label == expected.label
    assert overlap(found.box, expected.box) > 0.8
    assert distance(found) < distance(blurred)


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_boxes_are_in_pixels_of_the_upright_photo(shipped, tmp_path, orientation):
    """The crop's sides differ, so a box in the stored photo's pixels would lie elsewhere."""
    upright = Image.open(ONE_FACE).convert("RGB").crop((60, 0, 360, 420))
    turn = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90,
            8: Image.Transpose.ROTATE_270}[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.jpg"
    upright.transpose(turn).save(path, exif=exif, quality=95)
    (expected,) = shipped(upright).faces
    result = shipped(path)
    assert result.size == upright.size
    assert overlap(result.faces[0].box, expected.box) > 0.95


def test_path_image_and_arrays_give_the_same(shipped):
    rgb = load_photo(ONE_FACE).rgb
    expected = shipped(ONE_FACE)
    assert expected.label is not None
    content = ONE_FACE.read_bytes()
    for source, bgr in (
        (str(ONE_FACE), False),
        (content, False),
        (bytearray(content), False),
        (memoryview(content), False),
        (io.BytesIO(content), False),
        (Image.open(ONE_FACE), False),
        (rgb, False),
        (rgb[:, :, ::-1], True),
    ):
        result = shipped(source, bgr=bgr)
        assert (result.label, result.confidence) == (expected.label, expected.confidence)
        assert result.faces == expected.faces
    assert shipped(ONE_FACE).path == str(ONE_FACE)
    assert shipped(rgb).path == ""


# --- labels ------------------------------------------------------------------------------


def face(label: str, confidence: float, side: float = 10) -> Face:
    return Face(Box(0, 0, side, side), label, confidence, {label: confidence})


def test_a_photos_label_by_mode():
    group = [face("neutral", 0.6, 50), face("fear", 0.9, 20), face("anger", 0.3, 60)]
    for mode in FACES_MODES:
        assert photo_label([], mode) == (None, None)
        assert photo_label(group[:1], mode) == ("neutral", 0.6)
    assert photo_label(group, "multiple") == ("multiple", None)
    assert photo_label(group, "each") == ("fear", 0.9)
    assert photo_label(group, "largest") == ("anger", 0.3)


def test_several_faces_are_all_listed_in_every_mode(shipped):
    results = {
        mode: Pipeline(shipped.classifier, shipped.detector, mode)(THREE_FACES)
        for mode in FACES_MODES
    }
    for result in results.values():
        assert len(result.faces) == 3
        assert result.faces == results["multiple"].faces
    assert results["multiple"].label == "multiple"
    assert results["multiple"].confidence is None
    surest = max(results["each"].faces, key=lambda face: face.confidence)
    assert (results["each"].label, results["each"].confidence) == (surest.label, surest.confidence)
    largest = max(results["largest"].faces, key=lambda face: face.box.width * face.box.height)
    assert results["largest"].label == largest.label


def test_faces_of_one_photo_are_classified_as_they_are_alone(shipped):
    """One batch for all faces, whose size changes from photo to photo, mixes nothing up."""
    rgb = load_photo(THREE_FACES).rgb
    classifier = shipped.classifier
    rule = classifier.contract.preprocessing.crop.rule
    for face in shipped(rgb).faces:
        alone = classifier.classify(
            preprocess.face_pixels(rgb, face.box, classifier.size, rule)[None]
        )
        np.testing.assert_allclose(list(face.probabilities.values()), alone[0], atol=0.02)


def test_bundled_photos_have_the_faces_that_the_manifest_counts(shipped):
    for name, count in manifest():
        result = shipped(PHOTOS / name)
        assert result.error is None
        assert len(result.faces) == count, name
        width, height = result.size
        for face in result.faces:
            assert sum(face.probabilities.values()) == pytest.approx(1, abs=0.03)
            assert tuple(face.probabilities) == LABELS
            assert face.confidence == max(face.probabilities.values())
            assert face.probabilities[face.label] == face.confidence
            x, y = face.box.x + face.box.width / 2, face.box.y + face.box.height / 2
            assert 0 < x < width
            assert 0 < y < height


# --- rows --------------------------------------------------------------------------------


def test_a_photo_without_a_face_is_a_result(shipped):
    result = shipped(NO_FACE)
    assert (result.label, result.confidence, result.faces, result.error) == (None, None, (), None)
    assert result.size == (451, 300)
    assert set(result.stages) == {"decode", "detect", "total"}


def test_an_unreadable_photo_is_raised(shipped, tmp_path):
    path = tmp_path / "notes.jpg"
    path.write_text("no photo")
    with pytest.raises(PhotoError, match=r"notes\.jpg: expected a JPEG"):
        shipped(path)
    with pytest.raises(PhotoError, match="found no such file"):
        shipped(tmp_path / "missing.jpg")
    with pytest.raises(PhotoError, match="the array: expected uint8"):
        shipped(np.zeros((4, 4), np.float32))


def test_an_unreadable_photo_is_a_result_where_that_is_asked_for(shipped, tmp_path):
    path = tmp_path / "notes.jpg"
    path.write_text("no photo")
    result = shipped(path, on_error="result")
    assert result.path == str(path)
    assert (result.label, result.faces, result.size) == (None, (), None)
    assert result.error is not None
    assert result.error.startswith(f"{path}: expected a JPEG")
    assert set(result.stages) == {"decode", "total"}


def test_a_batch_goes_on_after_an_unreadable_photo(shipped, tmp_path):
    missing = tmp_path / "missing.jpg"
    sources = [ONE_FACE, missing, NO_FACE]
    first, failed, last = shipped.batch(sources)
    assert first.faces == shipped(ONE_FACE).faces
    assert failed.path == str(missing)
    assert failed.error.endswith("found no such file.")
    assert (last.path, last.error) == (str(NO_FACE), None)

    rest = shipped.batch(sources, on_error="raise")
    assert next(rest).faces == first.faces
    with pytest.raises(PhotoError, match="no such file"):
        next(rest)


def test_a_batch_reads_a_photo_when_it_is_asked_for(shipped):
    asked = []

    def sources():
        for path in (ONE_FACE, NO_FACE):
            asked.append(path)
            yield path

    results = shipped.batch(sources())
    assert asked == []
    next(results)
    assert asked == [ONE_FACE]


def test_a_single_photo_is_no_batch(shipped):
    for source in (str(ONE_FACE), b"", io.BytesIO(), ONE_FACE, None, 7):
        with pytest.raises(InputError, match="sources: expected several photos"):
            shipped.batch(source)


def test_a_wrong_value_of_on_error_is_named(shipped):
    for call in (shipped, shipped.batch):
        with pytest.raises(InputError, match="on_error: expected raise or result, found 'skip'"):
            call(ONE_FACE, on_error="skip")


def test_tilted_faces_are_levelled_where_the_contract_says_so(probe, tmp_path):
    turned = Image.open(ONE_FACE).convert("RGB").rotate(35, Image.Resampling.BICUBIC)
    path = tmp_path / "turned.png"
    turned.resize((1024, 1024), Image.Resampling.BICUBIC).crop((100, 0, 600, 500)).save(path)
    levelling = Levelling(landmarks="eyes", min_tilt=10)
    bare, contract = split(probe.read_bytes(), probe)
    preprocessing = contract.preprocessing.model_copy(update={"levelling": levelling})
    model = tmp_path / "levelling.tflite"
    changed = {"preprocessing": preprocessing, "requires": ("levelling",)}
    model.write_bytes(attach(bare, contract.model_copy(update=changed)))
    pipeline, rgb = load_pipeline(model), load_photo(path).rgb
    (face,) = pipeline(path).faces
    assert face.tilt < -10
    assert face.levelled
    direction = levelling.rule.direction(Detection(face.box, face.score, face.landmarks))
    pixels = preprocess.face_pixels(rgb, face.box, SIZE, CROP.rule, direction)
    found = list(face.probabilities.values())
    np.testing.assert_allclose(found, pixels.mean(axis=1) / 255, atol=1e-5)
    (given,) = pipeline(path, boxes=[face.box]).faces
    (before,) = load_pipeline(probe)(path).faces
    assert (given.tilt, given.levelled, before.levelled) == (None, False, False)
    assert given.probabilities == before.probabilities != face.probabilities
    (upright,) = pipeline(ONE_FACE).faces
    assert not upright.levelled


# --- faces -------------------------------------------------------------------------------


def test_faces_keep_what_the_detector_says(shipped):
    photo = load_photo(ONE_FACE)
    (detection,) = shipped.detector.detect(photo)
    (face,) = shipped(ONE_FACE).faces
    assert (face.box, face.score, face.landmarks) == (
        detection.box,
        detection.score,
        detection.landmarks,
    )
    assert len(face.landmarks) == 5
    row = face.as_dict()
    assert row["score"] == pytest.approx(face.score, abs=1e-4)
    np.testing.assert_allclose(row["landmarks"], face.landmarks, atol=0.05)
    assert Face.from_dict(row).as_dict() == row


def test_rows_of_older_versions_end_with_the_probabilities(shipped):
    (face,) = shipped(ONE_FACE).faces
    added = ("score", "landmarks", "tilt", "levelled", "quality", "flaw")
    old = Face.from_dict({k: v for k, v in face.as_dict().items() if k not in added})
    assert (old.label, old.score, old.landmarks) == (face.label, None, ())
    assert (old.tilt, old.levelled) == (None, False)
    assert (old.quality, old.flaw) == (None, None)


@pytest.mark.parametrize(
    ("eyes", "tilt"),
    [
        (((10, 20), (30, 20)), 0), (((10, 20), (30, 40)), 45), (((10, 20), (30, 0)), -45),
        (((10, 20), (10, 50)), 90), (((30, 20), (10, 20)), 180), (((10, 20), (10, 20)), None),
        ((), None),
    ],
)  # fmt: skip
def test_tilt_is_the_turn_of_the_line_of_the_eyes(eyes, tilt):
    detection = Detection(Box(0, 0, 60, 80), 0.9, eyes)
    assert detection.tilt == (None if tilt is None else pytest.approx(tilt))
    assert detection.scaled(3).tilt == detection.tilt


@pytest.mark.parametrize("threads", [0, -1])
def test_threads_are_counted_from_1(threads):
    for load in (load_pipeline, load_classifier):
        with pytest.raises(InputError, match=f"threads: expected 1 or more, found {threads}"):
            load(DEFAULT, threads=threads)


def test_boxes_take_the_detectors_place(shipped):
    (face,) = shipped(ONE_FACE).faces
    (given,) = shipped(ONE_FACE, boxes=[tuple(face.box)]).faces
    assert given == replace(face, score=None, landmarks=(), tilt=None)
    assert shipped(ONE_FACE, boxes=[]).label is None
    assert len(shipped(NO_FACE, boxes=np.array([[1, 2, 30, 40]])).faces) == 1
    with pytest.raises(PhotoError, match=r"expected boxes in this photo of .*, found \[9999"):
        shipped(ONE_FACE, boxes=[(9999, 0, 10, 10)])
    for wrong in (7, [7], [(1, 2, 3)], "face", [("a", 2, 3, 4)]):
        with pytest.raises(InputError, match=r"expected .*four finite numbers"):
            shipped(ONE_FACE, boxes=wrong)


@pytest.mark.parametrize(
    "box", [(0, 0, 1e9, 1e9), (float("nan"), 0, 9, 9), (0, 0, float("inf"), 9), (0, 0, -5, 5)]
)
def test_no_detector_makes_the_pipeline_cut_out_gigabytes(shipped, box):
    class Wild:
        name, identity, side = "wild", "wild 1", 640

        def detect(self, photo):
            return [Detection(Box(*box), 1.0)]

    pipeline = Pipeline(shipped.classifier, Wild())
    with pytest.raises(PhotoError, match=r"expected boxes in this photo .* in the detector wild"):
        pipeline(ONE_FACE)


@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (2000, 3), (31, 33)])
def test_tiny_and_extreme_photos(shipped, size):
    result = shipped(Image.new("RGB", size, "gray"))
    assert result.error is None
    assert result.size == size


def test_stages_add_up_to_the_total(shipped):
    stages = shipped(THREE_FACES).stages
    assert set(stages) == set(STAGES)
    assert all(ms > 0 for ms in stages.values())
    parts = sum(ms for stage, ms in stages.items() if stage != "total")
    assert parts <= stages["total"]
    assert parts == pytest.approx(stages["total"], rel=0.2, abs=1)


def test_a_row_is_plain_json(shipped):
    row = json.loads(json.dumps(shipped(ONE_FACE).as_dict()))
    assert len(row["faces"][0]["box"]) == 4
    assert list(row["faces"][0]["probabilities"]) == list(LABELS)


# --- making a pipeline -------------------------------------------------------------------


def test_identity_changes_with_what_changes_rows(shipped, probe):
    others = [load_pipeline(probe), Pipeline(shipped.classifier, Scaled(YuNet(score=0.9)))]
    identities = {pipeline.identity for pipeline in (shipped, *others)}
    assert len(identities) == 3
    for mode in FACES_MODES:
        assert load_pipeline(faces=mode).identity == shipped.identity
    assert all("\n" not in identity for identity in identities)


def test_wrong_arguments_are_named(tmp_path):
    with pytest.raises(InputError, match=r"found 'larges'\. Did you mean 'largest'\?"):
        load_pipeline(faces="larges")
    with pytest.raises(ModelError, match=r"detector: expected .* found 'haar'"):
        load_pipeline(detector="haar")
    with pytest.raises(ModelError, match="found no such name or file"):
        load_pipeline(tmp_path / "no.tflite")


def test_parts_can_be_given(probe):
    pipeline = Pipeline(load_classifier(probe), load_detector(), "largest")
    assert pipeline(ONE_FACE).label in LABELS


def test_no_training_package_is_needed():
    """In a process of its own: the pipeline works where TensorFlow cannot be imported."""
    code = (
        "import sys\n"
        "for name in ('tensorflow', 'keras', 'onnx'): sys.modules[name] = None\n"
        "from fer_mobile import load_pipeline\n"
        f"print(load_pipeline()({str(ONE_FACE)!r}).error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("None\n", "")
