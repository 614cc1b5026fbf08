"""Expression vocabularies and the maps between them.

`LABELS` is the vocabulary of every shipped model, in the order of the model's
output.  It is the order of the FER+ vote columns (Barsoum et al. 2016).
"""

from __future__ import annotations

from typing import Final

LABELS: Final = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
)
"""The eight expressions, in the order of a model's output."""

LABELS_7: Final = LABELS[:7]
"""The vocabulary of the `fer2013` protocol, which has no contempt."""

LABELS_4: Final = LABELS[:4]
"""The vocabulary of the `fer2013-4` protocol, that of the four-class studies."""

VOCABULARIES: Final = {len(names): names for names in (LABELS, LABELS_7, LABELS_4)}
"""What a network with so many outputs tells apart."""

MULTIPLE: Final = "multiple"
"""A photo's label when it shows more than one face (the Affective app's rule)."""

UNSURE: Final = "unsure"
"""What a face is called that is too poor to be labelled (see `quality`), and a photo of it."""

NO_FACE: Final = "no face"
FAILED: Final = "failed"
"""What photos without a face, and those that cannot be read, are filed under."""

RESERVED: Final = (MULTIPLE, UNSURE, NO_FACE, FAILED)
"""No model may have these labels: photos are filed under them for other reasons."""

FERPLUS_VOTES: Final = (*LABELS, "unknown", "NF")
"""Columns of the FER+ crowd votes; NF means "not a face"."""

FER2013: Final = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
"""Our names for the integer labels 0-6 of the original fer2013.csv."""

EMOJI: Final = {
    "neutral": "😐",
    "happiness": "😀",
    "surprise": "😮",
    "sadness": "😢",
    "anger": "😠",
    "disgust": "🤢",
    "fear": "😨",
    "contempt": "😒",
    MULTIPLE: "👥",
}
"""One emoji a label, as in the Affective app's filter bar (thesis, table 2 and figure 23)."""

COLOURS: Final = (
    "#1f66b0", "#b5460f", "#2e7d32", "#8e3aa8", "#b3261e",
    "#00727a", "#6d5d00", "#5b5bd6", "#a3195b", "#5d4037",
)  # fmt: skip
"""Of labels that are none of the eight, in turn; white letters can be read on each."""

GROUPS: Final = {
    "positive": ("happiness",),
    "negative": ("sadness", "anger", "disgust", "fear", "contempt"),
    "neutral": ("neutral", "surprise"),
}
"""The labels by the feeling they stand for: every label is in one of them."""

ALIASES: Final = {
    "angry": "anger",
    "contemptuous": "contempt",
    "disgusted": "disgust",
    "afraid": "fear",
    "fearful": "fear",
    "happy": "happiness",
    "sad": "sadness",
    "surprised": "surprise",
}
"""Other datasets' spellings of the eight labels, for folder names."""

SYNONYMS: Final = {
    "amazed": "surprise",
    "angered": "anger",
    "annoyed": "anger",
    "calm": "neutral",
    "crying": "sadness",
    "disdain": "contempt",
    "dislike": "disgust",
    "frightened": "fear",
    "furious": "anger",
    "glad": "happiness",
    "grin": "happiness",
    "group": MULTIPLE,
    "joy": "happiness",
    "laughing": "happiness",
    "mad": "anger",
    "scared": "fear",
    "scorn": "contempt",
    "serious": "neutral",
    "shocked": "surprise",
    "smile": "happiness",
    "smiling": "happiness",
    "sorrow": "sadness",
    "unhappy": "sadness",
}
"""Other words for labels, for hints alone: what a user may have meant."""


def letter(label: str) -> str:
    """What stands for a label without an emoji: its first letter or digit, as a capital.

    >>> letter("calm"), letter("“élan”"), letter("3rd"), letter("?!")
    ('C', 'É', '3', '?')
    """
    first = next((c for c in label if c.isalnum()), label[0])
    return first.upper() if len(first.upper()) == 1 else first  # ß has no capital of its own


def canonical(name: str) -> str | None:
    """The label that `name` spells, or None when it spells none (case and blanks are ignored)."""
    key = name.strip().lower()
    key = ALIASES.get(key, key)
    return key if key in LABELS else None
