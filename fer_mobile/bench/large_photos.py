"""The photo set `12mp`: the bundled photos at the size and with the noise of a phone's camera.

python -m fer_mobile.bench.large_photos FOLDER
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
import PIL
from PIL import Image

from fer_mobile.errors import FerMobileError, InputError
from fer_mobile.files import cache_dir, claim_folder
from fer_mobile.images import find_photos, load_photo
from fer_mobile.resources import photos_dir

SOURCE: Final = "affective-25"
LONG_SIDE, SHORT_SIDE = 4000, 3000
QUALITY: Final = 92
READ_NOISE: Final = 2.0
"""Standard deviation in a black pixel, in levels of 255."""
SHOT_NOISE: Final = 0.1
"""Variance that light adds, per level."""
_RECIPE: Final = "1"


def large_photos() -> Path:
    """The folder of the set; made in a process of its own when it is first asked for.

    (Its memory would count as the benchmark's otherwise.)  The folder
    lies in the user's cache and its name holds a checksum of what it is made from.
    """
    folder = cache_dir() / f"{_checksum()}-12mp"
    if not folder.is_dir():
        command = [sys.executable, "-m", __name__, str(folder)]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode:
            last = (made.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise FerMobileError(f"the photo set 12mp could not be made: {last}")
    return folder


def make_large_photos(folder: Path, source: Path | None = None) -> None:
    """Make `folder` with a JPEG of 4000×3000 (or upright) pixels for every photo of `source`.

    Each photo is enlarged to fit and filled up with the pixels of its edge.  Noise as a
    sensor's: its variance is that of the electronics plus a part in proportion to the light.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    source = source or photos_dir(SOURCE)
    field = np.random.default_rng(0).standard_normal((LONG_SIDE, LONG_SIDE), np.float32)
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        part = Path(work) / folder.name
        claim_folder(part, "`fer-mobile cache clear` deletes it.")
        for number, path in enumerate(find_photos(source)):
            large = _enlarge(load_photo(path).rgb)
            for channel in range(3):  # one field for all: shifted, it is another one
                own = np.roll(field, (number * 61 + channel * 997, channel * 1009), (0, 1))
                light = large[..., channel]
                scatter = np.sqrt(READ_NOISE**2 + SHOT_NOISE * light.astype(np.float32))
                noisy = light + scatter * own[: light.shape[0], : light.shape[1]]
                large[..., channel] = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
            Image.fromarray(large).save(part / f"{path.stem}.jpg", quality=QUALITY)
        try:
            part.rename(folder)
        except OSError:
            if not folder.is_dir():  # else somebody else was faster, with the same photos
                raise


def _enlarge(rgb: np.ndarray) -> np.ndarray:
    height, width = rgb.shape[:2]
    size = (LONG_SIDE, SHORT_SIDE) if width >= height else (SHORT_SIDE, LONG_SIDE)
    factor = min(size[0] / width, size[1] / height)
    fitting = (round(width * factor), round(height * factor))
    large = np.asarray(Image.fromarray(rgb).resize(fitting, Image.Resampling.BICUBIC))
    missing = (size[1] - large.shape[0], size[0] - large.shape[1])
    sides = [(gap // 2, gap - gap // 2) for gap in missing]
    return np.pad(large, (*sides, (0, 0)), mode="edge")


def _checksum() -> str:
    """Of the source photos, the recipe and the version of the library that writes the JPEG."""
    whole = hashlib.sha256(f"{_RECIPE} {PIL.__version__}".encode())
    for path in find_photos(photos_dir(SOURCE)):
        whole.update(path.read_bytes())
    return whole.hexdigest()[:16]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise InputError("arguments", expected="a folder", found=str(len(sys.argv) - 1))
    make_large_photos(Path(sys.argv[1]))
