"""What an Android app needs of this package, copied into the app's assets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fer_mobile.detect.yunet import shipped_yunet
from fer_mobile.files import write_bytes
from fer_mobile.models import shipped_models
from fer_mobile.resources import models_dir, photos_dir

PRECISION = "int8"
"""The precision that apps get: the smallest and fastest one."""


def bundle(assets: str | Path) -> list[Path]:
    """Copy models, contracts, detector, licences and benchmark photos into an app's assets.

    Files that are up to date are not written again; files of other origin are left alone.

    Args:
        assets: the app's folder of assets; it is made if it is missing.

    Returns:
        The files that were written.

    Raises:
        InputError: if a file cannot be written.
    """
    written = outdated(assets)
    sources = dict(_files())
    for path in written:
        write_bytes(path, sources[path.relative_to(assets).as_posix()].read_bytes())
    return written


def outdated(assets: str | Path) -> list[Path]:
    """The files that `bundle` would write: those that are missing or different."""
    files = ((Path(assets) / name, source) for name, source in _files())
    return [path for path, source in files if not _same(path, source)]


def _same(path: Path, source: Path) -> bool:
    return path.is_file() and path.read_bytes() == source.read_bytes()


def _files() -> Iterator[tuple[str, Path]]:
    """Every file by its name among the assets."""
    for model in shipped_models().values():
        if PRECISION in model.files:
            file = model.files[PRECISION]
            yield f"models/{file.name}", file
            yield f"models/{file.stem}.json", file.with_suffix(".json")
    yield f"detector/{shipped_yunet().name}", shipped_yunet()
    yield "licences/models.txt", models_dir() / "LICENSE"
    yield "licences/yunet.txt", shipped_yunet().with_name("LICENSE")
    photos = photos_dir()
    for file in sorted(photos.iterdir()):
        yield f"photos/{photos.name}/{file.name}", file
