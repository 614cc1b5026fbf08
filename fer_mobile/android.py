"""What an Android app needs of us, as its assets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fer_mobile.detect.yunet import shipped_yunet
from fer_mobile.errors import InputError
from fer_mobile.files import write_bytes
from fer_mobile.models import shipped_models
from fer_mobile.resources import models_dir, photos_dir

PRECISION = "int8"
"""The precision that apps get: the smallest and fastest one."""


def bundle(assets: str | Path) -> list[Path]:
    """Copy the shipped models with their contracts, the detector, the licences and the photo set
    of the benchmark into an app's folder of assets.

    What is there already and the same is left alone, and so are files that are none of ours.

    Returns the files that were written.  Raises InputError where they cannot be.
    """
    written = lagging(assets)
    sources = dict(_files())
    for path in written:
        write_bytes(path, sources[path.relative_to(assets).as_posix()].read_bytes())
    return written


def lagging(assets: str | Path) -> list[Path]:
    """The files of `bundle` that are missing from a folder of assets, or differ there."""
    files = ((Path(assets) / name, source) for name, source in _files())
    return [path for path, source in files if not _same(path, source)]


def check_bundle(assets: str | Path) -> None:
    """Raise InputError unless a folder of assets holds all that `bundle` would put there."""
    late = lagging(assets)
    if late:
        raise InputError(
            assets,
            expected="the shipped models, detector and photos",
            found=f"{late[0].relative_to(assets)} missing or different"
            + (f", and {len(late) - 1} more" if len(late) > 1 else ""),
            hint="Run: fer-mobile android bundle",
        )


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
