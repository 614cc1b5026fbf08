"""Every benchmark says how it is run and where its result lies."""

import importlib.util
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
RESULT = re.compile(r"^Result: (.+?)\.$", re.MULTILINE | re.DOTALL)


def documented():
    for file in sorted(FOLDER.rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        if "\ndef main(" in text:
            module = ".".join(file.relative_to(FOLDER.parent).with_suffix("").parts)
            yield pytest.param(module, text.split('"""')[1], id=module)


@pytest.mark.parametrize(("module", "docstring"), list(documented()))
def test_command_and_result_are_there(module, docstring):
    assert f"python -m {module}" in docstring
    assert importlib.util.find_spec(module)
    result = RESULT.search(docstring)
    assert result, "no line `Result: …`"
    named = re.findall(r"\S+\.(?:json|jsonl|md|png)\b", result[1])
    assert named
    for name in named:
        pattern = re.sub(r"UNIT|RECIPE|SUITE|NAME|MODEL", "*", Path(name).name)
        page = (FOLDER.parent / name).is_file()
        committed = page or any((FOLDER / "results").glob(pattern))
        assert committed or "none is committed" in docstring, name
