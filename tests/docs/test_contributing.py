"""What CONTRIBUTING.md shows works outside the package, and the shell of the project is true."""

import re
import tomllib

import numpy as np
import pytest
import yaml

from fer_mobile import __version__
from fer_mobile.registry import PLUGINS_VARIABLE
from fer_mobile.resources import photos_dir
from tests.test_readme import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PHOTO = photos_dir() / "astronaut-smile.jpg"


@pytest.fixture
def plugin(fer_mobile):
    """`plugin(name)` writes the example of the page; what it returns makes commands know it."""

    def write(name):
        (code,) = re.findall(rf"```python\n(# {name}\.py\n.*?)```", PAGE, re.DOTALL)
        (fer_mobile.folder / f"{name}.py").write_text(code)
        return {PLUGINS_VARIABLE: name, "PYTHONPATH": f"{fer_mobile.folder}:{ROOT}"}

    return write


def test_a_detector_is_one_file(fer_mobile, plugin):
    known = plugin("my_detector")
    done = fer_mobile("predict", PHOTO, "--detector", "middle", **known)
    assert re.search(r"\d+% at \d+, \d+, \d+, \d+\n", done.stdout), done.stderr
    line = fer_mobile.refused("predict", PHOTO, "--detector", "midle", **known)
    assert line.endswith("Did you mean 'middle'?")


def test_a_reader_of_datasets_is_one_file(fer_mobile, plugin):
    known = plugin("my_layout")
    folder = fer_mobile.folder / "arrays"
    folder.mkdir()
    for number, name in enumerate(("happy", "sad")):
        faces = np.random.default_rng(number).integers(0, 256, (30, 48, 48), np.uint8)
        np.save(folder / f"{name}.npy", faces)
    done = fer_mobile("data", "inspect", "arrays", **known)
    assert done.stdout.startswith("arrays: a folder of .npy files, one for each class, 60 faces")


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == __version__
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert citation["license"] == settings["project"]["license"]
    studies = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")
    for source in citation["references"]:
        assert source["authors"][0]["family-names"] in studies


def test_what_a_forge_reads_is_well_formed():
    files = [*(ROOT / ".github").rglob("*.yml"), ROOT / ".pre-commit-config.yaml"]
    assert len(files) > 4
    for file in files:
        assert yaml.safe_load(file.read_text(encoding="utf-8")), file
