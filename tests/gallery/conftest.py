from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from fer_mobile.resources import photos_dir


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """No test sees or fills the cache of whoever runs it."""
    monkeypatch.setenv("FER_MOBILE_CACHE", str(tmp_path / "cache"))


def bundled() -> list[Path]:
    return sorted(path for path in photos_dir().iterdir() if path.suffix in (".jpg", ".png"))


@pytest.fixture
def small_library(tmp_path) -> Path:
    """Eight bundled photos in two folders, and a broken one."""
    folder = tmp_path / "library"
    for number, path in enumerate(bundled()[:8]):
        target = folder / ("one" if number % 2 else "two") / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    (folder / "one" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no photo at all")
    return folder


@pytest.fixture(scope="session")
def large_library(tmp_path_factory) -> Path:
    """Sixty photos of different content, made from the bundled ones by encoding them again."""
    folder = tmp_path_factory.mktemp("sixty")
    photos = bundled()
    for number in range(60):
        with Image.open(photos[number % len(photos)]) as image:
            image.convert("RGB").save(folder / f"{number:02}.jpg", quality=95 - number // 25)
    return folder


@pytest.fixture(scope="session")
def exiftool() -> str:
    """The program that photo tools are compared with."""
    program = shutil.which("exiftool")
    if program is None:
        pytest.skip("needs exiftool (Debian: libimage-exiftool-perl)")
    return program
