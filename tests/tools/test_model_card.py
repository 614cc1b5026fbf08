"""The cards that are committed are those that the figures give."""

import numpy as np
import pytest
from PIL import Image

from fer_mobile.models import shipped_models
from tools.card_pictures import draw_confusion, draw_reliability
from tools.model_card import RESULTS, _read, main_row, render_card


@pytest.mark.parametrize("name", sorted(shipped_models(copies=True)))
def test_a_card_written_again_is_the_committed_one(name):
    committed = (shipped_models(copies=True)[name].folder / "card.md").read_text("utf-8")
    assert render_card(name) == committed, f"Run: python -m tools.model_card {name}"


def test_pictures_are_drawn_from_the_figures(tmp_path):
    row = main_row(_read(RESULTS / "model_compact.json"))
    draw_confusion(row, tmp_path / "confusion.png")
    draw_reliability(row, tmp_path / "reliability.png")
    for name, size in (("confusion", (682, 594)), ("reliability", (506, 484))):
        with Image.open(tmp_path / f"{name}.png") as picture:
            assert picture.size == size
            assert np.asarray(picture.convert("L")).std() > 10
