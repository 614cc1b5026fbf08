"""What an Android app needs of this package: files for its assets (`snippet` has code for them)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from fer_mobile.detect.yunet import shipped_yunet
from fer_mobile.errors import InputError, choose
from fer_mobile.files import write_bytes
from fer_mobile.golden import GOLDEN
from fer_mobile.model_file import read_model, split
from fer_mobile.models import shipped_models
from fer_mobile.resources import models_dir, photos_dir
from fer_mobile.snippet import snippet as snippet

PRECISION: Final = "int8"
"""The precision that apps get: the smallest and fastest one."""


def bundle(assets: str | Path, *, models: Sequence[str] = (), photos: bool = False) -> list[Path]:
    """Copy models, contracts, detector and licences into an app's assets.

    Files that are up to date are not written again; files of other names are left alone
    (`other_models` names models among them).  The contract beside a model is the one in it.

    Args:
        assets: the app's folder of assets; it is made if it is missing.
        models: names of shipped models, or exported `.tflite` files; all that are shipped where
            none is named.
        photos: whether what the gallery app shows and proves models with comes along: the
            benchmark's photos and the reference faces (2 MB).

    Returns:
        The files that were written.

    Raises:
        InputError: if there is no model of a name, two files have one name, or a file cannot be
            written.
        ModelError: if a `.tflite` file cannot be read or has no contract.
    """
    sources = _files(models, photos)
    written = [Path(assets) / name for name in _outdated(assets, sources)]
    for path in written:
        write_bytes(path, sources[path.relative_to(assets).as_posix()])
    return written


def outdated(assets: str | Path, *, models: Sequence[str] = (), photos: bool = False) -> list[Path]:
    """The files that `bundle` would write: those that are missing or different."""
    return [Path(assets) / name for name in _outdated(assets, _files(models, photos))]


def other_models(assets: str | Path, *, models: Sequence[str] = ()) -> list[Path]:
    """Models among the assets that `bundle` does not write, as those of an earlier call."""
    names = _files(models, photos=False)
    found = sorted(Path(assets).glob("models/*.tflite"))
    return [file for file in found if file.relative_to(assets).as_posix() not in names]


def _outdated(assets: str | Path, sources: Mapping[str, bytes]) -> Iterator[str]:
    return (name for name, content in sources.items() if not _holds(Path(assets) / name, content))


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def _files(models: Sequence[str], photos: bool) -> dict[str, bytes]:
    """The content of every file by its name among the assets."""
    known = {name: m for name, m in shipped_models(copies=True).items() if PRECISION in m.files}
    licences = {model.facts()["licence"] for model in known.values()}
    files: dict[str, bytes] = {}
    for name in models or shipped_models():
        file = Path(name)
        if file.suffix != ".tflite":
            file = choose("model", name, known).files[PRECISION]
        content = read_model(file)
        _, contract = split(content, file)  # which refuses what the app could not read
        if files.setdefault(f"models/{file.name}", content) != content:
            raise InputError(
                "model",
                expected="files of different names",
                found=f"two models named {file.name}",
                hint="Rename one of them.",
            )
        # For people: the app reads the contract in the model.
        files[f"models/{file.stem}.json"] = contract.to_json().encode()
        if contract.licence in licences:
            files["licences/models.txt"] = (models_dir() / "LICENSE").read_bytes()
        else:
            files[f"licences/{file.name}.txt"] = f"{contract.licence}\n".encode()
    detector = shipped_yunet()
    files[f"detector/{detector.name}"] = detector.read_bytes()
    files["licences/yunet.txt"] = detector.with_name("LICENSE").read_bytes()
    if photos:
        for file in sorted(photos_dir().iterdir()):
            files[f"photos/{photos_dir().name}/{file.name}"] = file.read_bytes()
        files["reference/faces.png"] = GOLDEN.read_bytes()
    return files
