"""Which models there are: those shipped with the package, by name, and those given by path."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, NotRequired

from typing_extensions import TypedDict

from fer_mobile.errors import ModelError, nearest
from fer_mobile.resources import models_dir
from fer_mobile.zoo import ARCHITECTURES

DEFAULT: Final = "xcao_two_stream"
"""The shipped model that is used when none is named."""

CHECKPOINT_JSON: Final = "checkpoint.json"
"""In a shipped model's folder: what its float weights are (see `checkpoint`)."""


@dataclass(frozen=True, slots=True)
class ShippedModel:
    """A folder of `models/` with the float weights and what was exported from them.

    A copy, fine-tuned for another protocol, is its int8 file alone: the recipe of its name
    makes the weights.
    """

    name: str
    folder: Path

    @property
    def checkpoint(self) -> Path:
        """The float weights, a .keras file, which a copy lacks."""
        return self.folder / f"{self.name}.keras"

    @property
    def files(self) -> dict[str, Path]:
        """The exported files that are shipped, by precision."""
        found = {path.stem.rpartition("_")[2]: path for path in self.folder.glob("*.tflite")}
        return dict(sorted(found.items()))

    def facts(self) -> dict[str, Any]:
        """The content of checkpoint.json."""
        facts: dict[str, Any] = json.loads(
            (self.folder / CHECKPOINT_JSON).read_text(encoding="utf-8")
        )
        return facts


@cache
def shipped_models(*, copies: bool = False) -> dict[str, ShippedModel]:
    """Every shipped classifier by name, with `copies` also those for another protocol."""
    models = [
        ShippedModel(folder.name, folder)
        for folder in sorted(models_dir().iterdir())
        if (folder / CHECKPOINT_JSON).is_file()
    ]
    return {model.name: model for model in models if copies or model.checkpoint.is_file()}


class ModelRow(TypedDict):
    """A model in JSON."""

    name: str
    kind: Literal["architecture", "shipped"]
    parameters: int
    input: int
    """Height and width of the input in pixels."""
    source: str
    """Where the architecture is from: a paper, a study, this project."""
    files: dict[str, str]
    """A shipped model's exported files, by precision."""
    bytes: NotRequired[dict[str, int]]
    """Their sizes."""
    figures: NotRequired[list[dict[str, object]]]
    """What was measured of a shipped model (see `contract.Figures`)."""


def list_models() -> list[ModelRow]:
    """The shipped models, the default first, then the zoo, as `fer-mobile models --json` prints."""
    architectures: dict[str, ModelRow] = {
        name: {
            "name": name,
            "kind": "architecture",
            "parameters": entry.parameters,
            "input": entry.size,
            "source": entry.source,
            "files": {},
        }
        for name, entry in ARCHITECTURES.items()
    }
    shipped: dict[str, ModelRow] = {}
    for name, model in shipped_models(copies=True).items():
        facts = model.facts()
        shipped[name] = {
            "name": name,
            "kind": "shipped",
            "parameters": facts["parameters"],
            "input": facts["options"]["size"],
            "source": ARCHITECTURES[facts["architecture"]].source,
            "files": {precision: str(path) for precision, path in model.files.items()},
            "bytes": {precision: path.stat().st_size for precision, path in model.files.items()},
            "figures": facts.get("figures", []),
        }
    shipped = {DEFAULT: shipped.pop(DEFAULT)} | shipped
    others = {name: row for name, row in architectures.items() if name not in shipped}
    return [*shipped.values(), *others.values()]


def tflite_file(model: str | Path) -> Path:
    """The ``.tflite`` file that `model` means: a path, or a shipped name (its int8 file)."""
    known = shipped_models(copies=True)
    shipped = known.get(str(model))
    if shipped:
        if "int8" not in shipped.files:
            raise ModelError(model, expected="a shipped int8 file", found="none in its folder")
        return shipped.files["int8"]
    path = Path(model)
    if path.suffix == ".tflite" and path.is_file():
        return path
    exportable = path.is_dir() or path.suffix == ".keras"
    hint = "Export it first, with `export()`." if exportable else ""
    raise unknown_model(model, "a shipped model's name or a .tflite file", known, hint)


def unknown_model(
    model: str | Path, expected: str, known: Iterable[str], hint: str = ""
) -> ModelError:
    """The error for a `model` that names nothing that can be used; `known` names could be.

    `hint` is what to do where there is something of that name.
    """
    path = Path(model)
    if path.exists():
        found = "a folder" if path.is_dir() else f"a {path.suffix or 'nameless'} file"
    else:
        found = "no such name or file"
        hint = nearest(str(model), known)
    return ModelError(f"model {str(model)!r}", expected=expected, found=found, hint=hint)
