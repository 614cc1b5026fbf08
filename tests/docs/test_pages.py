"""What the documentation shows is run: its commands, its Python, its JSON, the site itself."""

import inspect
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from unittest.mock import create_autospec

import numpy as np
import pytest
from PIL import Image

import fer_mobile
from fer_mobile.resources import photos_dir
from tests.cli.registry import parse
from tests.command_line import PATIENCE_S
from tests.docs.pages import PAGES, blocks, commands
from tests.test_readme import ROOT
from tools.docs_site import recipes_page

RUN_ELSEWHERE = {
    "android.md": "tests/android",
    "CONTRIBUTING.md": "tests/docs",
    "studies.md": "tests/test_registry.py",
}
"""Pages whose Python needs Keras, MediaPipe or a plugin, and the tests that run it."""
SHOWN = [(page, words) for page in PAGES for words in commands(page)]
COMMANDS = sorted({shlex.join(words) for _, words in SHOWN if words[0] == "fer-mobile"})


@pytest.mark.parametrize("line", [line for line in COMMANDS if not line.endswith(" --help")])
def test_every_command_shown_is_one(line):
    parse(line.replace(" '|' ", " | ").replace(" '>' ", " > "))


def test_what_else_is_shown_exists():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    for page, words in SHOWN:
        for extra in re.findall(r"(?:fer-mobile|\.)\[([\w,-]+)\]", " ".join(words)):
            assert set(extra.split(",")) <= set(settings["project"]["optional-dependencies"]), page
        if words[0] == "make":
            assert set(words[1:]) <= set(targets), page
        if words[:2] == ["python", "-m"] and words[2].partition(".")[0] in ("benchmarks", "tools"):
            assert (ROOT / f"{words[2].replace('.', '/')}.py").is_file(), page


@pytest.fixture
def library(tmp_path, monkeypatch, small_npz):
    """A folder with all that the examples name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FER_MOBILE_CACHE", str(tmp_path / "cache"))
    for name in ("photo.jpg", "one.jpg", "two.jpg", "photos/a.jpg"):
        Path(name).parent.mkdir(exist_ok=True)
        shutil.copy(photos_dir() / "astronaut-smile.jpg", name)
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2024:06:01 12:00:00"  # DateTimeOriginal
    with Image.open("photo.jpg") as photo:
        photo.save("photos/dated.jpg", exif=exif)
    shutil.copy(small_npz, "faces.npz")
    return tmp_path


PYTHON = [(page.name, block) for page, block in blocks("python")]


@pytest.mark.parametrize(
    ("page", "block"), [each for each in PYTHON if each[0] not in {"python.md", *RUN_ELSEWHERE}]
)
def test_python_shown_runs(page, block, library, monkeypatch):
    from fer_mobile import training

    def train(*arguments, **options):
        inspect.signature(real).bind(*arguments, **options)
        return create_autospec(training.TrainingResult, instance=True, spec_set=False)

    real = training.train
    monkeypatch.setattr(training, "train", train)  # training.md; others train for real
    array = np.zeros((2000, 3000, 3), np.uint8)
    exec(compile(block, page, "exec"), {"fer_mobile": fer_mobile, "array": array})


def test_python_that_is_run_elsewhere_is():
    for page, tests in RUN_ELSEWHERE.items():
        files = [ROOT / tests] if tests.endswith(".py") else sorted((ROOT / tests).glob("*.py"))
        block = next(block for name, block in PYTHON if name == page)
        word = re.search(r"def (\w+)", block)[1]
        assert any(re.search(rf"{word}|{page}", file.read_text("utf-8")) for file in files), page


def test_the_site_builds_strictly_and_offline(tmp_path):
    """A broken link, a page outside the navigation or a lost name of the API fails it."""
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    for page, shown in {
        "reference/command-line": "--faces largest|each|multiple",
        "reference/recipes": "int | None",
        "gallery": "expression|happiness",
    }.items():
        assert f"<code>{shown}</code>" in (tmp_path / f"{page}.html").read_text("utf-8")
    python = (tmp_path / "reference" / "python.html").read_text("utf-8")
    for name in fer_mobile.__all__:
        assert name == "__version__" or f".{name}" in python, name
    for page in tmp_path.rglob("*.html"):
        loaded = re.findall(
            r'<(?:script|link|img)[^>]+(?:src|href)="(https?://[^"]+)"', page.read_text("utf-8")
        )
        assert loaded == [], page


def test_every_key_of_a_recipe_has_a_meaning():
    rows = [line for line in recipes_page().splitlines() if line.startswith("| `")]
    assert len(rows) > 50
    assert [row for row in rows if row.endswith("|  |")] == []
    types = {row.split("`")[1]: row.replace("\\|", "/").split("|")[2].strip(" `") for row in rows}
    assert types["name"].startswith('"adamw" / "muon"')
    assert (types["preprocessing"], types["options"]) == ("list of str", "table")
    assert (types["labels"], types["patience"]) == ("list of str / None", "int / None")
