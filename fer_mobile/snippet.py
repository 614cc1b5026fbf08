"""Code that runs an exported file, to be copied into an app."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import numpy as np

from fer_mobile._deprecated import warn
from fer_mobile.contract import ModelContract
from fer_mobile.errors import InputError, check_choice
from fer_mobile.model_file import read_contract
from fer_mobile.models import DEFAULT, tflite_file
from fer_mobile.preprocess import REAL_VALUES
from fer_mobile.resources import snippets_dir

MEDIAPIPE: Final = "mediapipe-python"

SNIPPETS: Final = {
    "kotlin": "ExpressionClassifier.kt",
    "java": "ExpressionClassifier.java",
    MEDIAPIPE: "expression_classifier.py",
}
"""The files of code by the names that `snippet` takes."""

_RENAMED: Final = {"mediapipe": MEDIAPIPE}
"""Names of version 0.1."""


def snippet(language: str, model: str | Path | None = None) -> str:
    """Code to copy into an app.

    Args:
        language: "kotlin" or "java" for LiteRT, "mediapipe-python" for MediaPipe Tasks.
        model: the exported file, or the shipped model's name, that the code is for: its labels
            and its crop are in the code, and for MediaPipe its name and size. [the default model]

    Raises:
        InputError: for another language, or a file that code in this language cannot run.
        ModelError: if there is no such model, or it has no contract.
    """
    if language in _RENAMED:
        warn(f"the language {language!r}", repr(_RENAMED[language]))
        language = _RENAMED[language]
    name = SNIPPETS[check_choice("language", language, SNIPPETS)]
    code = (snippets_dir() / name).read_text(encoding="utf-8")
    if model is None:
        return code
    file = tflite_file(model)
    contract = read_contract(file)
    _check_fits(language, file, contract)
    for old, new in zip(
        _default_constants(language), _constants(language, file, contract), strict=True
    ):
        code = code.replace(old, new)
    return code


def languages(model: str | Path) -> tuple[str, ...]:
    """The languages that there is code in for a file: those of LiteRT, MediaPipe's, or none."""
    contract = read_contract(tflite_file(model))
    if _takes_rgb(contract):
        return (MEDIAPIPE,)
    return ("kotlin", "java") if _takes_gray_bytes(contract) else ()


def is_default(language: str, model: str | Path) -> bool:
    """Whether the code for a file is the code for the default model."""
    file = tflite_file(model)
    return _constants(language, file, read_contract(file)) == _default_constants(language)


def _default_constants(language: str) -> list[str]:
    """What the code holds as it lies in the package; no RGB file is shipped, this is its name."""
    contract = read_contract(tflite_file(DEFAULT))
    return _constants(language, Path(f"{DEFAULT}_rgb_int8.tflite"), contract)


def _constants(language: str, file: Path, contract: ModelContract) -> list[str]:
    """The places of the code that a file decides; each is in it once."""
    crop = contract.preprocessing.crop
    framing = [f"({crop.scale} * ", f"+ {crop.shift_y} * "]
    if language == MEDIAPIPE:
        size = contract.input.shape[1]
        return [*framing, f"MODEL = {json.dumps(file.as_posix())}", f"SIZE = {size}"]
    labels = ", ".join(json.dumps(label, ensure_ascii=False) for label in contract.labels)
    return [*framing, labels.replace("$", "\\$") if language == "kotlin" else labels]


def _check_fits(language: str, file: Path, contract: ModelContract) -> None:
    """Raise InputError for a file that the code in this language cannot run."""
    known = languages(file)
    if language in known:
        return
    if language == MEDIAPIPE:
        taken, hint = "RGB, as MediaPipe Tasks gives it", "Export one that does, with `export()`."
    else:
        taken = "gray faces as int8"
        hint = f"For this one: {', '.join(known) or 'Fer.create of the Android library'}."
    found = f"{contract.input.dtype} {list(contract.input.shape)}"
    raise InputError(file, expected=f"a file that takes {taken}", found=found, hint=hint)


def _takes_rgb(contract: ModelContract) -> bool:
    return contract.preprocessing.gray == "in-graph"


def _takes_gray_bytes(contract: ModelContract) -> bool:
    """Whether a file takes gray levels less 128 as bytes, and gives probabilities as bytes."""
    tensor, output = contract.input, contract.output
    if _takes_rgb(contract) or tensor.shape[-1] != 1 or tensor.scale is None:
        return False
    if (tensor.dtype, tensor.zero_point, output.dtype) != ("int8", -128, "int8"):
        return False
    levels = REAL_VALUES[contract.preprocessing.normalisation] / tensor.scale
    off = np.abs(levels - np.arange(256)).max()
    return bool(off < 1) and contract.output_values == "probabilities"
