"""The bundled photo set: its mix, its manifest, its licences, and that it can be rebuilt."""

from __future__ import annotations

import csv
import hashlib
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from fer_mobile.labels import LABELS
from fer_mobile.resources import photos_dir
from tests.command_line import PATIENCE_S

FOLDER = photos_dir("affective-25")
ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tools" / "affective_25.py"
LICENCES = {"public domain", "CC0", "MIT", "Pexels", "CC0 or Pexels"}
NOT_PHOTOS = {"manifest.csv", "README.md"}


def read_manifest(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


MANIFEST = read_manifest(FOLDER)
BY_FILE = pytest.mark.parametrize("row", MANIFEST, ids=lambda row: row["file"])


def upright(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return ImageOps.exif_transpose(image)


def test_the_manifest_lists_exactly_the_photos_of_the_folder() -> None:
    found = sorted(p.name for p in FOLDER.iterdir() if p.name not in NOT_PHOTOS)
    assert len(found) == 25
    assert [row["file"] for row in MANIFEST] == found


def test_mix_of_the_thesis() -> None:
    counts = [int(row["faces"]) for row in MANIFEST]
    assert Counter(min(n, 2) for n in counts) == {1: 20, 0: 3, 2: 2}


def test_at_most_three_megabytes() -> None:
    assert sum((FOLDER / row["file"]).stat().st_size for row in MANIFEST) <= 3_000_000


def test_expressions() -> None:
    for row in MANIFEST:
        if row["faces"] == "1":
            assert row["expression"] in LABELS, row["file"]
        else:
            assert row["expression"] == "", row["file"]
    assert len({row["expression"] for row in MANIFEST} - {""}) >= 5


@BY_FILE
def test_bytes_and_size_are_as_stated(row: dict[str, str]) -> None:
    path = FOLDER / row["file"]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == row["sha256"]
    assert upright(path).size == (int(row["width"]), int(row["height"]))


@BY_FILE
def test_licence_and_origin_are_stated(row: dict[str, str]) -> None:
    assert row["licence"] in LICENCES
    assert row["source"]
    assert row["attribution"]


@BY_FILE
def test_no_metadata_but_the_orientation(row: dict[str, str]) -> None:
    with Image.open(FOLDER / row["file"]) as image:
        assert set(image.getexif()) <= {0x0112}
        assert not {"icc_profile", "xmp", "photoshop", "comment"} & set(image.info)


def test_variety_of_files() -> None:
    formats, modes, orientations, long_sides = set(), set(), set(), []
    for row in MANIFEST:
        with Image.open(FOLDER / row["file"]) as image:
            formats.add(image.format)
            modes.add(image.mode)
            orientations.add(image.getexif().get(0x0112, 1))
            long_sides.append(max(image.size))
    assert formats == {"JPEG", "PNG"}
    assert modes == {"RGB", "L"}
    assert orientations == {1, 6}
    assert sum(side >= 1200 for side in long_sides) >= 2


def run_script(out: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), "--out", str(out)],
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.mark.skipif(
    "FER_MOBILE_DATA" not in os.environ, reason="FER_MOBILE_DATA (the shared photos) is unset"
)
def test_the_set_is_what_the_script_makes(tmp_path: Path) -> None:
    done = run_script(tmp_path, dict(os.environ))
    assert done.returncode == 0, done.stderr

    def without_sha(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        return [{k: v for k, v in row.items() if k != "sha256"} for row in rows]

    assert without_sha(read_manifest(tmp_path)) == without_sha(MANIFEST)
    for row in MANIFEST:  # another Pillow may encode otherwise: the pictures count, not the bytes
        made = np.asarray(upright(tmp_path / row["file"]).convert("RGB"), np.float32)
        kept = np.asarray(upright(FOLDER / row["file"]).convert("RGB"), np.float32)
        assert np.abs(made - kept).mean() < 1, row["file"]


def test_the_script_without_data_says_what_to_set(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "FER_MOBILE_DATA"}
    done = run_script(tmp_path, environment)
    assert done.returncode == 2
    assert done.stderr.startswith("FER_MOBILE_DATA: expected")
    assert not list(tmp_path.iterdir())
