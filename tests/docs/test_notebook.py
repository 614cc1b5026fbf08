"""docs/notebook.ipynb runs, and results show themselves in it."""

import json
import sys

import pytest

import fer_mobile
from fer_mobile.evaluation import Evaluation
from fer_mobile.metrics import score
from fer_mobile.types import PhotoResult
from tests.gallery.samples import face, photo
from tests.test_readme import ROOT

CELLS = json.loads((ROOT / "docs" / "notebook.ipynb").read_text("utf-8"))["cells"]


def test_the_notebook_runs_and_every_last_line_shows_itself():
    names = {}
    shown = []
    for cell in CELLS:
        if cell["cell_type"] == "code":
            *before, last = "".join(cell["source"]).splitlines()
            exec("\n".join(before), names)
            shown.append(eval(last, names))
    *tables, explanation = shown
    pages = [table._repr_html_() for table in tables]
    assert len(pages) == 5
    assert all("<table" in page for page in pages)
    assert "astronaut" in "".join(pages)
    assert explanation._repr_png_().startswith(b"\x89PNG")


def test_photos_become_rows_a_face_each():
    results = [
        photo("a.jpg", face("happiness", 0.9), face("anger", 0.5)),
        photo("b.jpg"),
        PhotoResult("c.jpg", error="c.jpg: expected a photo."),
    ]
    frame = fer_mobile.to_pandas(results)
    assert list(frame.path) == ["a.jpg", "a.jpg", "b.jpg", "c.jpg"]
    assert list(frame.label[:2]) == ["happiness", "anger"]
    assert frame.p_happiness[0] == pytest.approx(0.9)
    assert frame.error[3] == "c.jpg: expected a photo."
    assert list(fer_mobile.to_pandas(results[0]).face) == [0, 1]


def test_an_evaluation_becomes_rows_a_label_each(small_npz):
    dataset = fer_mobile.load_dataset(small_npz)
    predictions = fer_mobile.classify_faces(dataset.images[:], "compact")
    scores = score(predictions.probabilities, dataset.labels, dataset.names)
    evaluation = Evaluation("compact", "ferplus-strict", "valid", scores)
    frame = fer_mobile.to_pandas(evaluation)
    assert int(frame.faces.sum()) == scores.n
    assert frame.recall["happiness"] == scores.recall["happiness"]
    assert "<caption>compact on ferplus-strict valid" in evaluation._repr_html_()


def test_nothing_of_a_name_is_markup():
    html = photo("<script>alert(1)</script>.jpg", face("happiness"))._repr_html_()
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_reprs_are_a_line(small_npz):
    dataset = fer_mobile.load_dataset(small_npz)
    for shown in (dataset, fer_mobile.classify_faces(dataset.images[:3], "compact")):
        assert len(repr(shown)) < 200, shown


def test_without_pandas_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(fer_mobile.MissingPackageError, match=r"fer-mobile\[tables\]"):
        fer_mobile.to_pandas([])
