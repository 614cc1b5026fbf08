"""The app draws labels of a user's own as the report does."""

import re
from pathlib import Path

from fer_mobile.labels import COLOURS

APP = Path(__file__).parents[2] / "android_demo/app/src/main/kotlin/org/fermobile/gallery"


def test_the_app_has_the_colours_of_the_report():
    source = (APP / "ui/LabelIcons.kt").read_text(encoding="utf-8")
    listed = source[
        source.index("COLOURS = listOf(") : source.index(")\n", source.index("COLOURS"))
    ]
    assert [f"#{colour}" for colour in re.findall(r"0x([0-9a-f]{6})", listed)] == list(COLOURS)
