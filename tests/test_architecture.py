"""docs/architecture.md is the architecture that import-linter enforces in `make test`."""

import re
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import grimp

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


def test_every_tool_has_its_line():
    files = [path for path in (ROOT / "tools").glob("*.py") if "__main__" in path.read_text()]
    assert [path.stem for path in files if f"tools.{path.stem}" not in PAGE] == []


def test_no_module_imports_itself_by_way_of_others():
    """Stricter than import-linter, for which a package and its own modules make no circle."""
    graph = grimp.build_graph("fer_mobile", exclude_type_checking_imports=True, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert len(imports) > 100
    TopologicalSorter(imports).prepare()  # CycleError names the circle
