"""What a release consists of."""

import hashlib
import os
import re
import subprocess
import sys
import tarfile
import zipfile

import pytest

from fer_mobile import __version__
from fer_mobile.models import shipped_models
from tests.android.test_android import NEEDS_TOOLS
from tools import make_dist


def test_the_models_archive_is_whole_and_the_same_each_time(tmp_path):
    one, two = tmp_path / "one.zip", tmp_path / "two.zip"
    make_dist.models_archive(one)
    make_dist.models_archive(two)
    assert one.read_bytes() == two.read_bytes()
    with zipfile.ZipFile(one) as archive:
        lines = archive.read("models/SHA256SUMS").decode().splitlines()
        for line in lines:
            digest, _, name = line.partition("  ")
            assert hashlib.sha256(archive.read(f"models/{name}")).hexdigest() == digest
        archive.extractall(tmp_path)
    for card in (tmp_path / "models").glob("*/card.md"):
        for picture in re.findall(r"\]\(([^#)]+)\)", card.read_text("utf-8")):
            assert (card.parent / picture).is_file(), picture
    names = {line.partition("  ")[2] for line in lines}
    assert {"LICENSE", "yunet/LICENSE", "compact/card.md"} <= names
    for model in shipped_models(copies=True).values():
        for path in model.files.values():
            assert {f"{model.name}/{path.name}", f"{model.name}/{path.stem}.json"} <= names


def test_the_changes_are_those_of_the_newest_version():
    text = make_dist.changelog_section(__version__)
    assert text.startswith("### ")
    assert "\n## " not in text


def test_without_a_jdk_the_app_is_left_out_and_named(monkeypatch, capsys):
    monkeypatch.setattr("shutil.which", {"mvn": "mvn"}.get)
    assert make_dist.android_files() == []
    assert "left out: the Android library and app" in capsys.readouterr().out


@NEEDS_TOOLS
@pytest.mark.prove
def test_make_dist(tmp_path, monkeypatch):
    """The sdist holds what its tests need: its own quick ones pass in it."""
    monkeypatch.setattr(make_dist, "DIST", tmp_path / "dist")
    make_dist.main([])
    names = {path.name for path in (tmp_path / "dist").iterdir()}
    assert {"SHA256SUMS", "CHANGES.md", f"fer-mobile-models-{__version__}.zip"} < names
    assert {f"fer-{__version__}.aar", f"fer-mobile-gallery-{__version__}-offline.apk"} < names
    (sdist,) = (tmp_path / "dist").glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.glob("fer_mobile-*")
    tests = ["cli/test_help.py", "test_readme.py", "docs", "contract"]
    tests += [f"android/test_{name}.py" for name in ("bundle", "colours", "versions")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", *(f"tests/{name}" for name in tests)],
        cwd=source,
        env=os.environ | {"PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
