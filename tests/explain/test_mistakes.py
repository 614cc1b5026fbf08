"""The surest mistakes of a model on real faces, in JSON and as a page."""

import re

import numpy as np
import pytest
from PIL import Image

from fer_mobile.data import load_dataset
from fer_mobile.errors import DataError
from fer_mobile.evaluation import evaluate, predict_probabilities
from fer_mobile.explain.mistakes import find_mistakes, write_mistakes
from fer_mobile.golden import golden_faces

MODEL = "compact"


@pytest.fixture(scope="module")
def found(small_npz):
    return find_mistakes(MODEL, small_npz, most=3)


def test_they_are_wrong_and_the_surest(found, small_npz):
    dataset = load_dataset(small_npz)
    probabilities = predict_probabilities(MODEL, dataset)
    assert found.scores == evaluate(MODEL, small_npz).scores
    assert sum(map(len, found.by_label.values())) > 2
    for label, mistakes in found.by_label.items():
        column = dataset.names.index(label)
        wrong = (dataset.labels == column) & (probabilities.argmax(1) != column)
        surest = np.sort(probabilities[wrong].max(1))[::-1][:3]
        np.testing.assert_allclose([each.confidence for each in mistakes], surest)
        for each in mistakes:
            assert (
                dataset.names[dataset.labels[each.row]]
                == each.true_label
                == label
                != each.prediction
            )
            assert probabilities[each.row, column] == pytest.approx(each.true_probability)


def test_the_page_holds_its_pictures_and_loads_nothing(found, tmp_path):
    write_mistakes(found, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    shown = re.findall(r'<img src="([^"]*)"', page)
    assert len(shown) == sum(map(len, found.by_label.values()))
    assert all(source.startswith("data:image/png;base64,") for source in shown)
    assert not re.search(r"https?:|url\(|<script|<link", page)
    assert f"accuracy {found.scores.accuracy:.1%}" in page


def test_folders_of_images_are_named_and_escaped(tmp_path):
    faces = golden_faces(64)
    for place, label in enumerate(("fear", "anger")):
        folder = tmp_path / "faces" / "valid" / label
        folder.mkdir(parents=True)
        for number, face in enumerate(faces[place * 6 : place * 6 + 6]):
            Image.fromarray(face).save(folder / f"<b>{number}.png")
    found = find_mistakes(MODEL, tmp_path / "faces")
    files = [each.file for mistakes in found.by_label.values() for each in mistakes]
    assert files
    assert all("<b>" in file for file in files)
    write_mistakes(found, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<b>" not in page
    assert page.count("&lt;b&gt;") == len(files)


def test_the_command(fer_mobile, small_npz):
    told = fer_mobile.json("report", "errors", MODEL, "--data", small_npz, "--most", 2)
    assert (told["schema"], told["schema_version"]) == ("fer-mobile/mistakes", 2)
    assert told["n"] == 32
    assert all(1 <= len(each) <= 2 for each in told["mistakes"].values())
    assert (fer_mobile.folder / told["page"]).read_text(encoding="utf-8").startswith("<!doctype")
    assert "none.npz" in fer_mobile.refused("report", "errors", MODEL, "--data", "none.npz")


def test_a_protocol_that_the_model_does_not_know(trained_run, small_npz, tmp_path):
    with pytest.raises(DataError, match="Did you mean"):
        find_mistakes(trained_run, small_npz, protocol="ferplus-stric")
