"""What the Python package answers, for the tests to hold the app against."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

from steps import OUT, ROOT

from fer_mobile.images import find_photos, load_photo
from fer_mobile.model_file import (
    attach,
    model_checksum,
    open_archive,
    read_contract,
    split,
)
from fer_mobile.models import DEFAULT, shipped_models
from fer_mobile.pipeline import load_pipeline
from fer_mobile.resources import photos_dir
from fer_mobile.runtime.flatbuffer import pack_model, unpack_model

PHOTOS = OUT / "photos"


def write_photos() -> None:
    """The bundled photos as pixels, so that nothing depends on a decoder, with Python's answers."""
    script, pipeline = golden_script(), load_pipeline()
    PHOTOS.mkdir(parents=True, exist_ok=True)
    cases = []
    for path in find_photos(photos_dir()):
        rgb = load_photo(path).rgb
        (PHOTOS / path.name).with_suffix(".rgb").write_bytes(rgb.tobytes())
        case = script.photo_case(pipeline, path.stem, rgb)
        cases.append({**case, "size": [rgb.shape[1], rgb.shape[0]]})
    (PHOTOS / "photos.json").write_text(json.dumps({"photos": cases}), encoding="utf-8")


def write_unpreparable(file: Path) -> None:
    """A model that is whole by its contract, with a graph that fits together nowhere."""
    source = shipped_models()["compact"].files["int8"]
    model = unpack_model(open_archive(source.read_bytes()).model)
    first, *_, last = (op for op in model.subgraphs[0].operators if len(op.inputs) == 3)
    last.inputs = first.inputs.copy()  # the weights of a convolution in a dense layer
    wrong = pack_model(model)
    contract = read_contract(source)
    file.write_bytes(
        attach(wrong, contract.model_copy(update={"model_sha256": model_checksum(wrong)}))
    )


def write_forged(file: Path) -> None:
    """A model that runs, and gives other labels than its float model."""
    source = shipped_models()["compact"].files["int8"]
    bare, contract = split(source.read_bytes())
    names = list(contract.reference)
    turned = dict(zip([*names[1:], names[0]], contract.reference.values(), strict=True))
    file.write_bytes(attach(bare, contract.model_copy(update={"reference": turned})))


OWN_LABELS = {
    "neutral": "calm", "happiness": "smiling", "surprise": "astonished", "sadness": "down",
    "anger": "cross", "disgust": "appalled", "fear": "scared", "contempt": "smug",
}  # fmt: skip
"""Labels that no app knows beforehand, by those whose place they take."""


def write_own_labels(file: Path) -> None:
    """The default model with labels of a user's own."""
    bare, contract = split(shipped_models()[DEFAULT].files["int8"].read_bytes())
    labels = tuple(OWN_LABELS[label] for label in contract.labels)
    reference = {OWN_LABELS[label]: row for label, row in contract.reference.items()}
    own = {"labels": labels, "label_facts": {}, "figures": (), "reference": reference}
    file.write_bytes(attach(bare, contract.model_copy(update=own)))


def golden_script() -> ModuleType:
    """The module of tools/golden_vectors.py."""
    path = ROOT.parent / "tools/golden_vectors.py"
    spec = importlib.util.spec_from_file_location("golden_vectors", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def find_tensorflow() -> bool:
    """Whether TensorFlow, and with it the exporter, is installed."""
    return importlib.util.find_spec("tensorflow") is not None
