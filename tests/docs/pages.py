"""What the pages of the documentation show: their blocks, their Python, their commands."""

from __future__ import annotations

import inspect
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from tests.cli.registry import all_commands
from tests.test_readme import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^ *```(?P<language>\w+)[^\n]*\n(?P<text>.*?)^ *```", re.DOTALL | re.MULTILINE)
_BLOCK_OR_INLINE = re.compile(rf"{_BLOCK.pattern}|`(?P<inline>fer-mobile [^`]+)`", _BLOCK.flags)
_VARIABLE = re.compile(r"[A-Z_]+=\S*")


def blocks(language: str) -> Iterator[tuple[Path, str]]:
    """(page, text) of every block in a language."""
    for page in PAGES:
        for block in _BLOCK.finditer(page.read_text(encoding="utf-8")):
            if block["language"] == language:
                yield page, inspect.cleandoc(block["text"])


def commands(page: Path) -> Iterator[list[str]]:
    """The words of every command of a page, in its order: those of blocks and those in sentences.

    Continued lines are joined.  Comments are left out, and so are variables that stand before a
    command.  A name alone in a sentence, as in "`fer-mobile predict` prints", is no command.
    """
    names = {name for name, _ in all_commands()}
    for found in _BLOCK_OR_INLINE.finditer(page.read_text(encoding="utf-8")):
        if found["inline"]:
            program, *words = shlex.split(found["inline"])
            if " ".join(words) not in names:
                yield [program, *words]
        elif found["language"] == "sh":
            for line in inspect.cleandoc(found["text"]).replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                while words and _VARIABLE.fullmatch(words[0]):
                    words = words[1:]
                if words:
                    yield words
