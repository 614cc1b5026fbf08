"""docs/architecture.md is the architecture that import-linter enforces in `make test`."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def layers() -> list[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = settings["tool"]["importlinter"]["contracts"][0]
    assert contract["exhaustive"]
    return contract["layers"]


def test_the_picture_shows_the_layers_that_are_enforced():
    (picture,) = re.findall(r"```layers\n(.*?)\n```", PAGE, re.DOTALL)
    assert picture.splitlines() == layers()


def test_every_package_has_its_line():
    table = re.findall(r"^\| `(\w+)` \| .+ \|$", PAGE, re.MULTILINE)
    assert sorted(table) == sorted(name for row in layers() for name in row.split(" | "))
