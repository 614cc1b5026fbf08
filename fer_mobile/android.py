"""What an Android app needs of this package: files for its assets (`snippet` has code for them)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from fer_mobile.detect.yunet import shipped_yunet
from fer_mobile.errors import choose
from fer_mobile.files import write_bytes
from fer_mobile.golden import GOLDEN
from fer_mobile.model_file import contract_file, read_contract
from fer_mobile.models import shipped_models
from fer_mobile.resources import models_dir, photos_dir
from fer_mobile.snippet import snippet as snippet

PRECISION: Final = "int8"
"""The precision that apps get: the smallest and fastest one."""


def bundle(assets: str | Path, *, models: Sequence[str] = (), photos: bool = False) -> list[Path]:
    """Copy models, contracts, detector and licences into an app's assets.

    Files that are up to date are not written again; files of other names are left alone.

    Args:
        assets: the app's folder of assets; it is made if it is missing.
        models: names of shipped models, or exported `.tflite` files; all that are shipped where
            none is named.
        photos: whether what the gallery app shows and proves models with comes along: the
            benchmark's photos and the reference faces (2 MB).

    Returns:
        The files that were written.

    Raises:
        InputError: if there is no model of a name, or a file cannot be written.
        ModelError: if a `.tflite` file cannot be read or has no contract.
    """
    sources = _files(models, photos)
    written = [Path(assets) / name for name in _outdated(assets, sources)]
    for path in written:
        write_bytes(path, sources[path.relative_to(assets).as_posix()].read_bytes())
    return written


def outdated(assets: str | Path, *, models: Sequence[str] = (), photos: bool = False) -> list[Path]:
    """The files that `bundle` would write: those that are missing or different."""
    return [Path(assets) / name for name in _outdated(assets, _files(models, photos))]


def _outdated(assets: str | Path, sources: dict[str, Path]) -> Iterator[str]:
    return (name for name, source in sources.items() if not _same(Path(assets) / name, source))


def _same(path: Path, source: Path) -> bool:
    return path.is_file() and path.read_bytes() == source.read_bytes()


def _files(models: Sequence[str], photos: bool) -> dict[str, Path]:
    """Every file by its name among the assets."""
    known = {name: m for name, m in shipped_models(copies=True).items() if PRECISION in m.files}
    files = {}
    for name in models or shipped_models():
        file = Path(name)
        if file.suffix == ".tflite":
            read_contract(file)  # which refuses what the app could not read
        else:
            file = choose("model", name, known).files[PRECISION]
        files[f"models/{file.name}"] = file
        if contract_file(file).is_file():  # for people: the app reads the one in the model
            files[f"models/{file.stem}.json"] = contract_file(file)
    files[f"detector/{shipped_yunet().name}"] = shipped_yunet()
    files["licences/models.txt"] = models_dir() / "LICENSE"
    files["licences/yunet.txt"] = shipped_yunet().with_name("LICENSE")
    if photos:
        for file in sorted(photos_dir().iterdir()):
            files[f"photos/{photos_dir().name}/{file.name}"] = file
        files["reference/faces.png"] = GOLDEN
    return files
