"""Saliency of real faces: hiding what a map marks costs more than hiding what it does not."""

import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.axes import Axes

from fer_mobile.errors import InputError, MissingPackageError, ModelError, PhotoError
from fer_mobile.explain import explain
from fer_mobile.explain.picture import draw_explanations
from fer_mobile.explain.saliency import occlusion
from fer_mobile.images import load_photo
from fer_mobile.models import DEFAULT
from fer_mobile.predictor import Predictor, load_predictor
from fer_mobile.resources import photos_dir

FACES = {
    "astronaut-smile.jpg": "happiness",
    "gray-woman-smile.jpg": "happiness",
    "baby-crying.jpg": "sadness",
    "man-grimace.jpg": "anger",
}


def photo(name):
    return photos_dir() / name


def probability_without(explanation, chosen, predictor):
    """What is left of the label when the pixels `chosen` (bool [S, S]) are gray."""
    hidden = explanation.pixels.copy()
    hidden[chosen] = round(float(hidden.mean()))
    label = predictor.labels.index(explanation.label)
    return float(predictor.classify(hidden[None])[0, label])


@pytest.mark.parametrize(
    ("model", "method"),
    [
        ("compact", "gradient"),
        pytest.param("compact", "occlusion", marks=pytest.mark.prove),
        pytest.param("xcao_two_stream", "gradient", marks=pytest.mark.prove),
        pytest.param("xcao_two_stream", "occlusion", marks=pytest.mark.prove),
    ],
)
def test_what_is_marked_matters_more_than_as_much_elsewhere(model, method):
    marked, elsewhere = [], []
    predictor = load_predictor(model)
    rng = np.random.default_rng(0)
    for name, label in FACES.items():
        (found,) = explain(photo(name), model, method=method)
        assert found.label == label
        assert found.saliency.shape == found.pixels.shape == (56, 56)
        share = found.saliency >= np.quantile(found.saliency, 0.8)
        marked.append(probability_without(found, share, predictor))
        # As many pixels in one piece, at a place of their own.
        others = [np.roll(share, rng.integers(8, 40, 2), (0, 1)) for _ in range(8)]
        elsewhere.append(np.mean([probability_without(found, o, predictor) for o in others]))
    # They are so sure of these faces that what is left of them loses little.
    assert np.mean(marked) < np.mean(elsewhere) - 0.08
    assert 1 - np.mean(marked) > 5 * (1 - np.mean(elsewhere))


@pytest.mark.parametrize(
    ("name", "model"),
    [("astronaut-smile.jpg", DEFAULT), ("gray-woman-smile.jpg", "compact")],
)
def test_a_smile_is_in_the_mouth_however_sure_the_answer(name, model):
    (found,) = explain(photo(name), model)
    row, column = np.unravel_index(found.saliency.argmax(), found.saliency.shape)
    assert 0.55 < row / 56 < 0.95
    assert 0.25 < column / 56 < 0.75


def test_occlusion_finds_the_only_pixels_that_count():
    def classify(faces):
        bright = faces[:, 10:14, 20:24].mean((1, 2)) / 255
        return np.stack([1 - bright, bright], 1).astype(np.float32)

    face = np.zeros((30, 30), np.uint8)
    face[10:14, 20:24] = 200
    saliency = occlusion(Predictor(("off", "on"), 30, classify), face, 1)
    row, column = np.unravel_index(saliency.argmax(), saliency.shape)
    assert 7 <= row <= 16
    assert 17 <= column <= 26
    assert np.allclose(saliency[20:, :10], 0)
    opposite = occlusion(Predictor(("off", "on"), 30, classify), face, 0)
    assert np.allclose(opposite, -saliency, atol=1e-5)


@pytest.fixture(scope="module")
def group():
    """The four faces of a photo."""
    return explain(photo("four-portraits.jpg"), "compact")


def test_each_face_of_a_group_and_a_label_of_choice(group):
    assert len(group) == 4
    areas = [each.box.width * each.box.height for each in group]
    assert areas == sorted(areas, reverse=True)
    (chosen,) = explain(photo("astronaut-smile.jpg"), "compact", label="fear")
    assert chosen.label == "fear"


def test_a_face_that_is_one_already_and_an_array(tmp_path):
    rgb = load_photo(photo("astronaut-smile.jpg")).rgb
    (searched,) = explain(rgb, "compact")
    x, y, width, height = map(int, searched.box)
    (given,) = explain(rgb[y : y + height, x : x + width], "compact", whole=True)
    assert given.label == searched.label
    assert given.box.width == given.box.height == min(width, height)


def test_a_run_and_a_network_without_training(trained_run):
    for model in (trained_run, "simple_cnn"):
        (found,) = explain(photo("astronaut-smile.jpg"), model, method="gradient")
        assert 0 <= found.saliency.min() < found.saliency.max() == 1


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"method": "gradients"}, InputError, "occlusion or gradient.*Did you mean"),
        ({"label": "hapiness"}, InputError, "Did you mean"),
        ({"model": "compacted"}, ModelError, "Did you mean"),
        (
            {"image": photo("coffee-cup.jpg")},
            PhotoError,
            "expected a face, found none.*`whole=True`",
        ),
        ({"image": photo("none.jpg")}, PhotoError, "none.jpg"),
    ],
)
def test_what_cannot_be_explained_is_said(arguments, error, message):
    with pytest.raises(error, match=message):
        explain(**{"image": photo("astronaut-smile.jpg")} | arguments)


def test_an_exported_file_has_no_gradients():
    from fer_mobile.models import tflite_file

    with pytest.raises(InputError, match="Use `method='occlusion'`"):
        explain(photo("astronaut-smile.jpg"), tflite_file("compact"), method="gradient")


def test_the_picture_shows_a_row_a_face(group, tmp_path):
    for count in (1, 4):
        draw_explanations(group[:count], tmp_path / f"{count}.png", title="four")
    one, four = (load_photo(tmp_path / f"{count}.png").rgb for count in (1, 4))
    assert one.shape[1] == four.shape[1]
    assert four.shape[0] > 3 * one.shape[0]
    red = (four[..., 0].astype(int) - four[..., 2]) > 60
    assert red.mean() > 0.01


def test_a_title_and_labels_are_drawn_as_they_stand(group, tmp_path):
    label = r"$\frac$"  # which Matplotlib could not read as a formula
    named = replace(group[0], label=label, probabilities={label: 1.0, "$": 0.0})
    draw_explanations([named], tmp_path / "named.png", title="\udcff\x1b $\\sqrt$.jpg")
    assert load_photo(tmp_path / "named.png").rgb.std() > 10


def test_the_command_draws_and_says(fer_mobile):
    done = fer_mobile("explain", photo("astronaut-smile.jpg"), "--model", "compact")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "happiness 99%",
        "drawn: astronaut-smile_occlusion.png",
    ]
    assert load_photo(fer_mobile.folder / "astronaut-smile_occlusion.png").rgb.std() > 10
    told = fer_mobile.json("explain", photo("astronaut-smile.jpg"), "--model", "compact")
    (face,) = told["faces"]
    assert face["label"] == "happiness"
    assert np.array(face["saliency"]).shape == (56, 56)
    assert "expected a face" in fer_mobile.refused("explain", photo("coffee-cup.jpg"))
    line = fer_mobile.refused("explain", photo("astronaut-smile.jpg"), "--label", "smile")
    assert line.endswith("found 'smile'. Did you mean 'happiness'?")


def test_the_picture_is_a_png(fer_mobile, group, tmp_path):
    line = fer_mobile.refused("explain", photo("cat.png"), "--out", "why.svg")
    assert "why.svg: expected a name that ends in .png, found .svg." in line
    with pytest.raises(InputError, match=r"ends in \.png, found no suffix"):
        draw_explanations(group, tmp_path / "why", title="four")


def test_the_picture_never_takes_the_place_of_the_photo(fer_mobile):
    image = fer_mobile.folder / "photo.png"
    shutil.copy(photo("cat.png"), image)
    before = image.read_bytes()
    message = fer_mobile.refused("explain", "photo.png", "--out", "./photo.png")
    assert "photo.png: expected a file to write, found photo.png, which is read." in message
    assert image.read_bytes() == before


def test_a_gradients_map_is_drawn_from_0_to_1(group, monkeypatch):
    """It has no sign; a map of occlusion has one, and 0 in the middle of its colours."""
    drawn = []
    monkeypatch.setattr(Axes, "imshow", _recording(drawn, Axes.imshow))
    for method in ("occlusion", "gradient"):
        png = replace(group[0], method=method)._repr_png_()
        assert png.startswith(b"\x89PNG")
    (low, high), gradient = drawn
    assert low == -high < 0
    assert gradient == (0, 1)


def _recording(drawn: list[tuple[float, float]], imshow):
    def recorded(axes, pixels, **options):
        if "alpha" in options:
            drawn.append((options["vmin"], options["vmax"]))
        return imshow(axes, pixels, **options)

    return recorded


def test_without_matplotlib_the_extra_is_named_and_a_notebook_shows_text(
    group, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingPackageError, match=r"fer-mobile\[chart\]"):
        draw_explanations(group, tmp_path / "picture.png", title="four")
    assert group[0]._repr_png_() is None
